//! Language identification by the decoder's first step (`detect_language` in openai/whisper `decoding.py`).

use super::probability::log_sum_exp;
use crate::model::{SpecialTokens, Token};

/// The likeliest language after `<|startoftranscript|>`, the last of equals, and its probability among all languages; none for an
/// English-only model.
pub fn detect<'a>(special: &'a SpecialTokens, logits: &[f32]) -> Option<(&'a (String, Token), f32)> {
    let score = |language: &(String, Token)| logits[language.1 as usize];
    let likeliest = special.languages.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let scores: Vec<f32> = special.languages.iter().map(score).collect();
    Some((likeliest, (score(likeliest) - log_sum_exp(&scores)).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_as_probable_as_it_is_among_languages() {
        let language = |code: &str, token| (code.to_owned(), token);
        let mut special = SpecialTokens {
            start_of_lm: None,
            end_of_text: 0,
            start_of_transcript: 1,
            translate: 2,
            transcribe: 3,
            start_of_previous: 4,
            no_speech: 5,
            no_timestamps: 6,
            timestamp_begin: 7,
            languages: vec![language("en", 8), language("de", 9), language("fr", 10)],
        };
        let logits = [50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 1.0, 3.0, 2.0];
        let (found, probability) = detect(&special, &logits).unwrap();
        assert_eq!(found.0, "de");
        let expected = 1.0 / (1.0 + (-1.0f32).exp() + (-2.0f32).exp());
        assert!((probability - expected).abs() < 1e-5, "{probability}, not {expected}");
        special.languages.clear();
        assert_eq!(detect(&special, &logits), None);
    }
}
