//! Samples → windows: what was heard enters piece by piece, the places of windows to transcribe leave.
//!
//! Read `cut.rs` for where a window ends, `voice/mod.rs` for what is speech.

mod cut;
mod cutter;
pub mod voice;
mod voiced;

use cut::quietest;
pub use cutter::{Cut, Cutter, Heard, Reason};

use crate::mel::WINDOW_SAMPLES;
use crate::model::Token;

/// How long windows may get, and what speech is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Longest window, at most WINDOW_SAMPLES; whole hops of it count.
    pub window_samples: usize,
    /// How far before its end a window may be cut at a quiet place, at most `window_samples` less `kept_samples`; 0 cuts at the end.
    pub cut_search_samples: usize,
    /// What is kept at least of a window that grows when it is cut, to be heard together with what follows.
    pub kept_samples: usize,
    /// A pause of this length ends a window.
    pub pause_samples: usize,
    /// Windows that may be transcribed at a time.
    pub windows_at_a_time: usize,
    /// Whether windows go on behind pauses, so that what is said next is heard together with what was said. A window is then
    /// transcribed at each pause.
    pub is_growing: bool,
    /// Whether a window that grows is transcribed between pauses too: each time that it has grown by so much; 0 for not.
    pub update_samples: u64,
    /// Speech in a window that grows is transcribed after so much of it even if it does not pause; 0 for not. What is said in it is
    /// final up to a quiet place, behind which more was heard.
    pub flush_samples: u64,
    /// What a voice activity detector takes for speech.
    pub voice: voice::Thresholds,
}

/// A stretch of a stream, to be transcribed as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Whether it will be transcribed again.
    pub is_update: bool,
    /// Tokens that its text has to begin with.
    pub prefix: Vec<Token>,
}

/// A pause that ends a window where somebody waits for the text: 0.7 s, longer than those within a sentence.
const LIVE_PAUSE_SAMPLES: usize = 11_200;

/// A window that grows is at most so long, 15 s: longer ones take several times as long to encode (`docs/decisions/short-windows.md`).
const GROWING_WINDOW_SAMPLES: usize = 240_000;

impl Limits {
    /// Windows whose text somebody waits for.
    pub fn live() -> Self {
        Self {
            window_samples: GROWING_WINDOW_SAMPLES,
            cut_search_samples: GROWING_WINDOW_SAMPLES / 3,
            kept_samples: GROWING_WINDOW_SAMPLES / 2,
            pause_samples: LIVE_PAUSE_SAMPLES,
            is_growing: true,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    /// Windows as long as the model allows: best text, latest text. Cut in the longest pause of the last 15 s, or where
    /// nobody speaks for 3 s.
    fn default() -> Self {
        Self {
            window_samples: WINDOW_SAMPLES,
            cut_search_samples: WINDOW_SAMPLES / 2,
            kept_samples: 0,
            pause_samples: 48_000,
            windows_at_a_time: 8,
            is_growing: false,
            update_samples: 0,
            flush_samples: 0,
            voice: voice::Thresholds::default(),
        }
    }
}
