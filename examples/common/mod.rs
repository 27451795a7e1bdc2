//! What the examples share: a recording's samples go in, the engine's cues come out.
//!
//! Read `recognise.rs` first; `audio.rs` and below it know nothing of the engine.

pub mod audio;
pub mod program;
pub mod progress;
pub mod recognise;
pub mod search;

mod decode;
mod resample;
