//! What comes of a window.

use crate::model::Token;

/// What was decoded in a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoding {
    /// Text and timestamp tokens, without prompt and end.
    pub tokens: Vec<Token>,
    /// Mean log-probability of the tokens and the end.
    pub average_log_probability: f32,
    /// Probability that nothing is spoken.
    pub no_speech_probability: f32,
    /// Language of the speech, given or detected, as a code.
    pub language: String,
    /// Probability of that language among all that the model knows, 0 to 1; None unless it was detected in this window.
    pub language_probability: Option<f32>,
    /// Bytes of the text for each byte of its zlib stream.
    pub compression_ratio: f32,
    /// At which it was written.
    pub temperature: f32,
    /// The highest at which it was tried to write one.
    pub tried_temperature: f32,
    /// Whether nothing is spoken, by the thresholds of the options.
    pub is_silent: bool,
    /// Whether it stops before its end, in a loop or because it is as long as may be.
    pub is_unfinished: bool,
}
