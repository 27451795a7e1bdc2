//! States → tokens: the audio states of a window enter, tokens with their probabilities leave.
//!
//! Read `batch.rs` first (the loop), then `rules.rs` (what may be written next) and `program.rs` (the network); `alignment/` says when
//! the tokens were spoken.

mod alignment;
mod batch;
mod decoding;
mod error;
mod language;
mod network;
mod options;
mod probability;
mod program;
mod repetition;
mod rules;

pub use alignment::{Alignment, POSITION_SAMPLES, TimedToken, align};
pub use batch::Batch;
pub use decoding::Decoding;
pub use error::DecodeError;
pub use network::{Decoder, DecoderSession, MOST_LANES};
pub use options::{Language, Options, Task};
