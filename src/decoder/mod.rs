//! States → tokens: the audio states of a window enter, tokens with their probabilities leave.
//!
//! Read `batch.rs` first (the loop), then `window.rs` (a window's way to its text), `search/` (how a text is written), `rules.rs` (what
//! may be written next), `fallback.rs` (when it is written again) and `program.rs` (the network); `alignment/` says when the tokens were
//! spoken.

mod alignment;
mod batch;
mod compression;
mod context;
mod decoding;
mod error;
mod fallback;
mod kept;
mod language;
mod network;
mod options;
mod probability;
mod program;
mod repetition;
mod rules;
mod search;
mod window;

pub use alignment::{Alignment, POSITION_SAMPLES, TimedToken, align};
pub use batch::Batch;
pub use decoding::Decoding;
pub use error::DecodeError;
pub use kept::Growing;
pub use network::{Decoder, DecoderSession, MOST_LANES};
pub use options::{Language, Options, Task};
pub use rules::MODELS_OWN;
