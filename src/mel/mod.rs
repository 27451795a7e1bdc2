//! Window → log-mel: samples of one window enter, a spectrogram (frames, bins) leaves.
//!
//! Read `front.rs` first; `filters.rs` computes the filter bank.

mod filters;
mod front;

pub use filters::filter_bank;
pub use front::{FrontEnd, Spectrogram};

/// Samples per second of everything inside.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples between two frames.
pub const HOP_SAMPLES: usize = 160;
/// Samples that one frame sees, and the length of its transform.
pub const FRAME_SAMPLES: usize = 400;
/// Samples of the window that the model is trained on: 30 s.
pub const WINDOW_SAMPLES: usize = 480_000;
/// Frames of a window.
pub const WINDOW_FRAMES: usize = WINDOW_SAMPLES / HOP_SAMPLES;
