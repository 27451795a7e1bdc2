//! What comes of a window.

use crate::model::Token;

/// What was decoded in a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoding {
    /// Text and timestamp tokens, without prompt and end.
    pub tokens: Vec<Token>,
    /// Mean log-probability of the tokens and the end.
    pub average_log_probability: f32,
    /// Probability that nothing is spoken.
    pub no_speech_probability: f32,
    /// Language that was written, as a code.
    pub language: String,
}
