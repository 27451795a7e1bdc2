//! Samples → windows: what was heard enters piece by piece, the places of windows to transcribe leave.
//!
//! Read `cut.rs` for where a window ends, `voice/mod.rs` for what is speech.

mod cut;
mod cutter;
pub mod voice;
mod voiced;

use cut::quietest;
pub use cutter::{Cutter, Heard};

use crate::mel::WINDOW_SAMPLES;

/// How long windows may get, and what speech is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Longest window, at most WINDOW_SAMPLES; whole hops of it count.
    pub window_samples: usize,
    /// How far before its end a window may be cut at a quiet place, at most `window_samples`; 0 cuts at the end.
    pub cut_search_samples: usize,
    /// A pause of this length ends a window.
    pub pause_samples: usize,
    /// Windows that may be transcribed at a time.
    pub windows_at_a_time: usize,
    /// What a voice activity detector takes for speech.
    pub voice: voice::Thresholds,
}

/// A stretch of a stream, to be transcribed as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Place of its first sample in the stream, where a frame of the spectrogram is centred.
    pub start_samples: u64,
    /// 1 to WINDOW_SAMPLES.
    pub length_samples: usize,
    /// Logarithms of its mel spectra (frames, bins); what lies behind them is silence.
    pub log_mel: Vec<f32>,
    /// For each frame whether a voice was heard; empty if nobody listened for one.
    pub voiced: Vec<bool>,
    /// Whether the stream ends with it.
    pub is_last: bool,
}

impl Default for Limits {
    /// Windows as long as the model allows: best text, latest text. Cut in the longest pause of the last 15 s, or where
    /// nobody speaks for 3 s.
    fn default() -> Self {
        Self {
            window_samples: WINDOW_SAMPLES,
            cut_search_samples: WINDOW_SAMPLES / 2,
            pause_samples: 48_000,
            windows_at_a_time: 8,
            voice: voice::Thresholds::default(),
        }
    }
}
