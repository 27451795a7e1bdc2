//! States → tokens: the audio states of a window enter, tokens with their probabilities leave.
//!
//! Read `greedy.rs` first (the loop), then `rules.rs` (what may be written next) and `program.rs` (the network).

mod error;
mod greedy;
mod language;
mod network;
mod options;
mod program;
mod repetition;
mod rules;

pub use error::DecodeError;
pub use greedy::{Decoding, decode};
pub use network::{Decoder, DecoderSession};
pub use options::{Language, Options, Task};
