//! Tokens → timed text: a window's decoding enters, segments with their times leave.
//!
//! Read `segments.rs` first; `invented/` drops what nobody said or is no word, `words/` divides segments into words.

mod invented;
mod segments;
mod words;

use std::time::Duration;

pub use invented::{drop_invented, drop_wordless, has_words};
pub use segments::{LEAST_ADVANCE_SAMPLES, LEAST_REST_SAMPLES, TIMESTAMP_SAMPLES, drop_unfinished, segments};
pub use words::{Word, add as add_words, has_spaces, keep_to_sound, text_tokens};

use crate::decoder::{Language, Options};
use crate::model::Token;

/// A piece of text with its place in a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// From the window's first sample, at 16 kHz.
    pub start_samples: usize,
    /// Behind `start_samples`, at most the window's length.
    pub end_samples: usize,
    /// One line without spaces around it, never empty.
    pub text: String,
    /// The text's tokens.
    pub tokens: Vec<Token>,
    /// Which of the window's tokens is the first of them.
    pub first_token: usize,
    /// The text's words, if they were asked for. Their times are more exact than the segment's, and may lie somewhat outside of
    /// these.
    pub words: Vec<Word>,
}

/// Texts for which higher temperatures were tried do not condition the next ones.
const MOST_EXEMPLARY_TEMPERATURE: f32 = 0.5;
/// The decoder takes no more than half of its positions, 448 in every model.
const MOST_PREVIOUS_TOKENS: usize = 224;

/// What a window says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WindowTranscript {
    /// In order, not overlapping.
    pub segments: Vec<Segment>,
    /// How many of the window's samples are done with; at least one.
    pub consumed_samples: usize,
    /// Language of the text, given or detected, as a code.
    pub language: String,
    /// Probability of that language among all that the model knows, 0 to 1; None unless it was detected in this window.
    pub language_probability: Option<f32>,
    /// Code of the language that the text is written in: English, if it was translated.
    pub written: String,
    /// All that was written, timestamps included.
    pub tokens: Vec<Token>,
    /// The token of the time 0; those behind it are 20 ms later each.
    pub timestamp_begin: Token,
    /// Whether the segments leave out some of that, which nobody said or which are no words.
    pub is_cut: bool,
    /// Mean log-probability of the tokens.
    pub average_log_probability: f32,
    /// Probability that nothing is spoken.
    pub no_speech_probability: f32,
    /// At which the text was written.
    pub temperature: f32,
    /// The highest at which it was tried to write one.
    pub tried_temperature: f32,
    /// Device that ran it.
    pub device: &'static str,
    /// How long it took.
    pub timings: Timings,
}

impl WindowTranscript {
    /// What the stream's next window learns of this one: the language of the first window with text is the stream's, and the text
    /// is what the next one is conditioned on, if that is asked for. Where temperatures above 0.5 were tried the text is no good
    /// example, nor is what led to it (`transcribe` in openai/whisper `transcribe.py`, which takes the text of the last that was
    /// tried).
    pub fn settle(&self, options: &mut Options) {
        if options.conditions_on_previous {
            if !self.is_cut {
                options.previous.extend_from_slice(&self.tokens);
            }
            if self.tried_temperature > MOST_EXEMPLARY_TEMPERATURE {
                options.previous.clear();
            }
            options.previous.drain(..options.previous.len().saturating_sub(MOST_PREVIOUS_TOKENS));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_window_is_conditioned_on_the_last_tokens_unless_they_were_drawn() {
        let mut options = Options { conditions_on_previous: true, previous: vec![7], ..Options::default() };
        let written = |tokens: Vec<Token>, tried_temperature| WindowTranscript {
            tokens,
            tried_temperature,
            ..Default::default()
        };
        written(vec![1, 2], 0.4).settle(&mut options);
        assert_eq!(options.previous, [7, 1, 2]);
        written((0..300).collect(), 0.0).settle(&mut options);
        assert_eq!(options.previous, (76..300).collect::<Vec<_>>());
        let invented = WindowTranscript { tokens: vec![9], is_cut: true, ..Default::default() };
        invented.settle(&mut options);
        assert_eq!(options.previous, (76..300).collect::<Vec<_>>());
        let rejected = WindowTranscript { temperature: 0.0, ..written(vec![3], 0.6) };
        rejected.settle(&mut options);
        assert!(options.previous.is_empty());

        let mut unconditioned = Options::default();
        written(vec![1], 0.0).settle(&mut unconditioned);
        assert_eq!(unconditioned, Options::default());
    }
}
