//! Language identification by the decoder's first step (`detect_language` in openai/whisper `decoding.py`).

use super::rules::log_sum_exp;
use crate::model::{SpecialTokens, Token};

/// The likeliest language after `<|startoftranscript|>`: its token, code and probability among the languages.
pub fn detect<'a>(special: &'a SpecialTokens, logits: &[f32]) -> Option<(Token, &'a str, f32)> {
    let scores: Vec<f32> = special.languages.iter().map(|(_, token)| logits[*token as usize]).collect();
    let total = log_sum_exp(&scores);
    let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    let (code, token) = &special.languages[best];
    Some((*token, code, (scores[best] - total).exp()))
}
