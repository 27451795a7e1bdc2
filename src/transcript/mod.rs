//! Tokens → timed text: a window's decoding enters, segments with their times leave.
//!
//! Read `segments.rs` first; `words/` divides segments into words.

mod segments;
mod words;

use std::time::Duration;

pub use segments::segments;
pub use words::{Word, add as add_words, keep_to_sound, text_tokens};

use crate::decoder::{Language, Options};
use crate::model::Token;

/// A piece of text with its place in a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// From the window's first sample, at 16 kHz.
    pub start_samples: usize,
    /// Behind `start_samples`, at most the window's length.
    pub end_samples: usize,
    /// One line without spaces around it, never empty.
    pub text: String,
    /// The text's tokens.
    pub tokens: Vec<Token>,
    /// The text's words, if they were asked for. Their times are more exact than the segment's, and may lie somewhat outside of
    /// these.
    pub words: Vec<Word>,
}

/// What a window says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WindowTranscript {
    /// In order, not overlapping.
    pub segments: Vec<Segment>,
    /// How many of the window's samples are done with; at least one.
    pub consumed_samples: usize,
    /// Language of the text, given or detected, as a code.
    pub language: String,
    /// Mean log-probability of the tokens.
    pub average_log_probability: f32,
    /// Probability that nothing is spoken.
    pub no_speech_probability: f32,
    /// Device that ran it.
    pub device: &'static str,
    /// How long it took.
    pub timings: Timings,
}

impl WindowTranscript {
    /// Ends language detection: the language of the first window with text is the stream's.
    pub fn settle(&self, options: &mut Options) {
        if options.language == Language::Auto && !self.segments.is_empty() {
            options.language = Language::Code(self.language.clone());
        }
    }
}

/// How long each stage of a window took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for other windows.
    pub queue: Duration,
    /// Encoder.
    pub encoder: Duration,
    /// Decoder, words included.
    pub decoder: Duration,
    /// Tokens that the decoder wrote.
    pub tokens: usize,
}
