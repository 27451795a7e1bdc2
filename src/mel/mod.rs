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

/// A window of at most this length need not be encoded to its full 30 s: 15 s.
const SHORT_SAMPLES: usize = 240_000;
/// Silence that is encoded behind a short window: 5 s. With much less the decoder begins to repeat itself.
const PADDING_SAMPLES: usize = 80_000;
/// Frames that become one of the encoder's positions.
const POSITION_FRAMES: usize = 2;

/// How many frames of a window of `samples` samples the encoder has to see: all, unless it is short
/// (`docs/decisions/short-windows.md`).
pub fn frames_to_encode(samples: usize) -> usize {
    if samples > SHORT_SAMPLES {
        return WINDOW_FRAMES;
    }
    (samples + PADDING_SAMPLES).div_ceil(POSITION_FRAMES * HOP_SAMPLES) * POSITION_FRAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_windows_keep_five_seconds_of_silence_and_whole_positions() {
        assert_eq!(frames_to_encode(16_000), 600);
        assert_eq!(frames_to_encode(16_001), 602);
        assert_eq!(frames_to_encode(240_000), 2_000);
        assert_eq!(frames_to_encode(240_001), 3_000);
        assert_eq!(frames_to_encode(WINDOW_SAMPLES), 3_000);
    }
}
