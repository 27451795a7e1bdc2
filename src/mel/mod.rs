//! Samples → log-mel: a stream's samples enter as they come, logarithms of its mel spectra (frames, bins) leave for each
//! window, and [`normalise`] makes of them what the encoder sees.
//!
//! Read `spectrogram.rs` first, then `front.rs` for what is asked of the device; `filters.rs` computes the filter bank,
//! `quiet.rs` says where a window is quiet.

mod filters;
mod front;
mod quiet;
mod spectrogram;

pub use filters::filter_bank;
pub use front::FrontEnd;
pub use quiet::quiet_frames;
pub use spectrogram::Spectrogram;

use crate::device::LOG_MEL_FLOOR;

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

/// How far below a window's greatest logarithm the others may be.
const DECADES: f32 = 8.0;

/// The last place that a frame is centred at, up to `place`. Windows begin at such places.
pub fn on_grid(place: u64) -> u64 {
    place / HOP_SAMPLES as u64 * HOP_SAMPLES as u64
}

/// Scales the logarithms (frames, bins) of a window, followed by silence, to what the encoder sees: at most as far below the
/// window's greatest as the model was trained on, and around zero (`log_mel_spectrogram` in openai/whisper `audio.py`).
pub fn normalise(log_mel: &[f32], output: &mut [f32]) {
    let log_mel = &log_mel[..log_mel.len().min(output.len())];
    let least = log_mel.iter().copied().fold(LOG_MEL_FLOOR, f32::max) - DECADES;
    let scale = |logarithm: f32| (logarithm.max(least) + 4.0) / 4.0;
    let (heard, silence) = output.split_at_mut(log_mel.len());
    heard.iter_mut().zip(log_mel).for_each(|(y, &x)| *y = scale(x));
    silence.fill(scale(LOG_MEL_FLOOR));
}

/// A spectrogram for tests of what comes before.
#[cfg(test)]
pub(crate) fn spectrogram_on_cpu() -> Spectrogram {
    use crate::device::cpu::{Cpu, Precision};
    FrontEnd::new(&Cpu::new(1, Precision::Int8).unwrap(), 80).unwrap().spectrogram()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_clamped_below_its_own_greatest_and_silence_is_the_floor() {
        let mut output = [0.0; 6];
        normalise(&[-1.0, 2.0, -7.5, -10.0], &mut output);
        assert_eq!(output, [0.75, 1.5, -0.5, -0.5, -0.5, -0.5]);
        normalise(&[-10.0], &mut output);
        assert_eq!(output, [-1.5; 6]);
    }
}
