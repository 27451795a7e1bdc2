//! A text that is being written.

use super::Limits;
use crate::decoder::repetition;
use crate::model::Token;

/// Tokens with their probability.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// Text and timestamps, without prompt and end.
    pub tokens: Vec<Token>,
    /// How many of them were given, not written.
    pub given: usize,
    /// Of the tokens that were written, and of the end if it was.
    pub sum_log_probability: f32,
    /// Where the text falls into a loop, behind the loop's first round.
    pub looped: Option<usize>,
    /// Whether its end was written: it neither fell into a loop nor is as long as may be.
    pub has_ended: bool,
}

impl Hypothesis {
    /// A text of which nothing is written but the tokens that it is to begin with.
    pub fn after(prefix: &[Token]) -> Self {
        Self { tokens: prefix.to_vec(), given: prefix.len(), ..Self::default() }
    }

    /// The text with another token, which may be its end.
    pub fn then(&self, token: Token, log_probability: f32, limits: &Limits) -> (Self, bool) {
        let mut next = self.clone();
        let has_ended = next.push(token, log_probability, limits);
        (next, has_ended)
    }

    /// Writes a token; true if the text is at its end, is as long as it may be, or has fallen into a loop.
    pub fn push(&mut self, token: Token, log_probability: f32, limits: &Limits) -> bool {
        self.sum_log_probability += log_probability;
        if token == limits.end_of_text {
            self.has_ended = true;
            return true;
        }
        self.tokens.push(token);
        self.looped = repetition::cut(&self.tokens, limits.timestamp_begin).map(|cut| cut.max(self.given));
        self.looped.is_some() || self.tokens.len() >= limits.most_tokens
    }

    /// How many of the tokens were written, without the end.
    pub fn written(&self) -> usize {
        self.tokens.len() - self.given
    }

    /// Mean over the written tokens and the end (`avg_logprob` in openai/whisper `decoding.py`).
    pub fn mean_log_probability(&self) -> f32 {
        self.sum_log_probability / (self.written() + 1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { end_of_text: 9, timestamp_begin: 10, most_tokens: 30 };

    #[test]
    fn a_text_ends_with_its_end_its_length_or_a_loop() {
        let mut text = Hypothesis::default();
        assert!(!text.push(1, -0.5, &LIMITS) && !text.push(2, -0.1, &LIMITS));
        let (ended, has_ended) = text.then(9, -0.3, &LIMITS);
        assert!(has_ended && ended.has_ended && ended.tokens == [1, 2]);
        assert!((ended.mean_log_probability() + 0.3).abs() < 1e-6);

        let pushed = (0..40).position(|index| text.push([3, 4, 5, 6, 7, 8][index * index % 6], 0.0, &LIMITS));
        assert_eq!((pushed, text.looped, text.has_ended), (Some(23), Some(8), false));

        let mut long = Hypothesis::default();
        let pushed = (0..40).position(|index| long.push(10 + index, 0.0, &LIMITS));
        assert_eq!((pushed, long.looped, long.has_ended), (Some(29), None, false));
    }
}
