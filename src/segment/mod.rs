//! Samples → windows: what was heard enters piece by piece, the places of windows to transcribe leave.
//!
//! Read `cutter.rs` for where windows begin and end, `ears.rs` and `voice/mod.rs` for what is speech.

mod cut;
mod cutter;
mod ears;
mod reason;
pub mod voice;
mod voiced;

use cut::quietest;
pub use cutter::{Cutter, Heard};
pub use reason::{Cut, Reason};

use std::time::Duration;

use crate::mel::{HOP_SAMPLES, WINDOW_FRAMES, WINDOW_SAMPLES};
use crate::model::Token;
pub use crate::recent::Owner;

/// Whisper's, in Hz.
const SAMPLE_RATE: f64 = 16_000.0;

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
    /// Whether somebody is told what may still change. If not, no window is transcribed for that alone.
    pub is_told: bool,
    /// Speech in a window that grows is transcribed after so much of it even if it does not pause; 0 for not. What is said in it is
    /// final up to a quiet place, behind which more was heard.
    pub flush_samples: u64,
    /// What a voice activity detector takes for speech.
    pub voice: voice::Thresholds,
}

/// A stretch of a stream, to be transcribed as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Which stream it is of; windows of one may be encoded from where the last one was.
    pub stream: Owner,
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
    /// What its text is for.
    pub purpose: Purpose,
    /// Tokens that its text has to begin with.
    pub prefix: Vec<Token>,
}

/// What a window's text is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown until the same is heard again.
    Glance,
    /// Some of it may be final; the rest is heard again.
    Draft,
    /// To be final, as most of it is already: written as such, heard as a draft.
    Close,
    /// To be final, of a window that grows and whose speech goes on from what is final or behind it.
    Part,
    /// To be final.
    #[default]
    Final,
}

/// A window of at most this length need not be encoded to its full 30 s: 15 s, or 8 s of long speech.
const SHORT_SAMPLES: usize = 240_000;
const SHORT_PART_SAMPLES: usize = 128_000;
/// Silence that is encoded behind a short window: 5 s. With much less the decoder begins to repeat itself.
const PADDING_SAMPLES: usize = 80_000;
/// The same where it is heard again with what follows: 3 s.
const GLANCE_PADDING_SAMPLES: usize = 48_000;
/// The same where the text is given its beginning, too: 1.5 s, or what makes a window of 8 s.
const DRAFT_PADDING_SAMPLES: usize = 24_000;
const LEAST_DRAFT_SAMPLES: usize = 128_000;
/// Frames that become one of the encoder's positions.
const POSITION_FRAMES: usize = 2;

impl Purpose {
    /// How many frames of a window of `samples` samples the encoder has to see: all of one that is final at once, unless it is short
    /// (`docs/decisions/short-windows.md`).
    pub fn frames_to_encode(self, samples: usize) -> usize {
        let samples = match self {
            Self::Glance => samples + GLANCE_PADDING_SAMPLES,
            Self::Draft | Self::Close => (samples + DRAFT_PADDING_SAMPLES).max(LEAST_DRAFT_SAMPLES),
            Self::Part if samples <= SHORT_PART_SAMPLES => samples + PADDING_SAMPLES,
            Self::Final if samples <= SHORT_SAMPLES => samples + PADDING_SAMPLES,
            Self::Part | Self::Final => WINDOW_SAMPLES,
        };
        let frames = samples.div_ceil(POSITION_FRAMES * HOP_SAMPLES) * POSITION_FRAMES;
        frames.min(WINDOW_FRAMES)
    }
}

/// The part of the latency that goes into listening; the rest is for inference.
const LISTENING_NUMERATOR: u32 = 3;
const LISTENING_DENOMINATOR: u32 = 4;

/// The part of what is listened to that a pause takes, after which nobody waits for more: 0.7 s, longer than those within a sentence,
/// to 2 s, behind which no more helps.
const PAUSE_DENOMINATOR: usize = 6;
const SHORTEST_PAUSE_SAMPLES: usize = 11_200;
const LONGEST_PAUSE_SAMPLES: usize = 32_000;

/// A window that grows is at most so long, 28 s: text gets better with what was said before (`docs/decisions/growing-windows.md`).
const GROWING_WINDOW_SAMPLES: usize = 448_000;
/// What is kept of it when it is cut: 8 s.
const KEPT_SAMPLES: usize = 128_000;
/// How far before that it may be cut: 15 s.
const GROWING_CUT_SEARCH_SAMPLES: usize = 240_000;

/// One that is transcribed all the time is at most so long, 24 s: of longer ones texts end too soon (`docs/decisions/growing-windows.md`).
const BUSY_WINDOW_SAMPLES: usize = 384_000;
/// How far before what is kept of it that may be cut: 12 s.
const BUSY_CUT_SEARCH_SAMPLES: usize = 192_000;
/// How often it is transcribed: each 0.5 s, or each 0.35 s.
const UPDATE_SAMPLES: u64 = 8_000;
const FREQUENT_UPDATE_SAMPLES: u64 = 5_600;

impl Limits {
    /// Windows whose text somebody waits for, this long.
    pub fn live(latency: Duration) -> Self {
        let flush_samples = (Self::listening(latency).as_secs_f64() * SAMPLE_RATE) as usize;
        Self {
            window_samples: GROWING_WINDOW_SAMPLES,
            cut_search_samples: GROWING_CUT_SEARCH_SAMPLES,
            kept_samples: KEPT_SAMPLES,
            pause_samples: (flush_samples / PAUSE_DENOMINATOR).clamp(SHORTEST_PAUSE_SAMPLES, LONGEST_PAUSE_SAMPLES),
            is_growing: true,
            flush_samples: flush_samples as u64,
            ..Self::default()
        }
    }

    /// Windows of which somebody wants every word soon.
    pub fn streaming(latency: Duration) -> Self {
        Self {
            window_samples: BUSY_WINDOW_SAMPLES,
            cut_search_samples: BUSY_CUT_SEARCH_SAMPLES,
            update_samples: UPDATE_SAMPLES,
            ..Self::live(latency)
        }
    }

    /// The same, with text told while they grow.
    pub fn told(self) -> Self {
        let update_samples = if self.update_samples > 0 { self.update_samples } else { UPDATE_SAMPLES };
        Self { update_samples, is_told: true, ..self }
    }

    /// The same, more often: each 0.35 s, up to each 0.5 s where that takes more than half of the time.
    pub fn often(self) -> Self {
        Self { update_samples: FREQUENT_UPDATE_SAMPLES, ..self }
    }

    /// What is listened to at most before its text is wanted, if that may take `latency`.
    pub fn listening(latency: Duration) -> Duration {
        latency * LISTENING_NUMERATOR / LISTENING_DENOMINATOR
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
            is_told: false,
            flush_samples: 0,
            voice: voice::Thresholds::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_keep_some_silence_and_whole_positions() {
        let last = Purpose::Final;
        assert_eq!([16_000, 16_001, 240_000].map(|samples| last.frames_to_encode(samples)), [600, 602, 2_000]);
        assert_eq!([240_001, WINDOW_SAMPLES].map(|samples| last.frames_to_encode(samples)), [3_000; 2]);
        assert_eq!([128_000, 128_001].map(|samples| Purpose::Part.frames_to_encode(samples)), [1_300, 3_000]);
        assert_eq!([16_000, 384_000].map(|samples| Purpose::Glance.frames_to_encode(samples)), [400, 2_700]);
        for draft in [Purpose::Draft, Purpose::Close] {
            assert_eq!(
                [16_000, 128_000, 384_000, 470_000].map(|samples| draft.frames_to_encode(samples)),
                [800, 950, 2_550, 3_000]
            );
        }
    }
}
