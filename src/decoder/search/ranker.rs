//! Which of several texts is taken (`MaximumLikelihoodRanker` in openai/whisper `decoding.py`).

use super::Hypothesis;

/// The likeliest of `texts` for its length, the first of equals; one that fell into a loop only if all did. None of none.
///
/// The log-probability is divided by the number of tokens that were written, or with a `length_penalty` by that of Wu et al.,
/// "Google's Neural Machine Translation System", 2016.
pub fn best(texts: Vec<Hypothesis>, length_penalty: Option<f32>) -> Option<Hypothesis> {
    let score = |text: &Hypothesis| {
        let length = text.written().max(1) as f32;
        let divisor = length_penalty.map_or(length, |penalty| ((5.0 + length) / 6.0).powf(penalty));
        (text.looped.is_none(), text.sum_log_probability / divisor)
    };
    let is_better = |one: &Hypothesis, other: &Hypothesis| {
        let ((one, one_score), (other, other_score)) = (score(one), score(other));
        (one, one_score) > (other, other_score)
    };
    texts.into_iter().reduce(|best, text| if is_better(&text, &best) { text } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize, sum_log_probability: f32) -> Hypothesis {
        Hypothesis { tokens: vec![1; length], sum_log_probability, ..Hypothesis::default() }
    }

    #[test]
    fn the_penalty_decides_between_short_and_long() {
        let texts = || vec![text(2, -1.0), text(10, -4.0), text(10, -4.0)];
        assert_eq!(best(texts(), None), Some(text(10, -4.0)));
        // ((5 + 2) / 6)^0.5 = 1.08 and ((5 + 10) / 6)^0.5 = 1.58: -0.93 and -2.53.
        assert_eq!(best(texts(), Some(0.5)), Some(text(2, -1.0)));
        assert_eq!(best(texts(), Some(0.0)), Some(text(2, -1.0)));
        // 1.36 and 6.25: -0.73 and -0.64.
        assert_eq!(best(texts(), Some(2.0)), Some(text(10, -4.0)));
        assert_eq!(best(Vec::new(), None), None);
    }

    #[test]
    fn tokens_that_were_given_do_not_count() {
        let given = |length: usize, sum| Hypothesis { given: 20, ..text(20 + length, sum) };
        // -0.5 and -0.4 a token.
        assert_eq!(best(vec![given(2, -1.0), given(10, -4.0)], None), Some(given(10, -4.0)));
    }

    #[test]
    fn a_loop_is_the_last_choice() {
        let looped = Hypothesis { looped: Some(1), ..text(30, -0.1) };
        assert_eq!(best(vec![looped.clone(), text(3, -9.0)], None), Some(text(3, -9.0)));
        assert_eq!(best(vec![looped.clone()], None), Some(looped));
    }
}
