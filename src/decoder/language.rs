//! Language identification by the decoder's first step (`detect_language` in openai/whisper `decoding.py`).

use crate::model::{SpecialTokens, Token};

/// The likeliest language after `<|startoftranscript|>`, the last of equals; none for an English-only model.
pub fn detect<'a>(special: &'a SpecialTokens, logits: &[f32]) -> Option<&'a (String, Token)> {
    let score = |language: &(String, Token)| logits[language.1 as usize];
    special.languages.iter().max_by(|a, b| score(a).total_cmp(&score(b)))
}
