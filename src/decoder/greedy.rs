//! Greedy decoding of one window.

use std::sync::atomic::{AtomicBool, Ordering};

use super::rules::{Rules, log_sum_exp};
use super::{DecodeError, DecoderSession, Language, Options, Task};
use super::{language, repetition};
use crate::Error;
use crate::model::{Model, Token};

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

/// Writes the likeliest token again and again until the text ends, or falls into a loop, of which one round stays.
///
/// `states` are (audio positions, width). Errors: options that the model cannot do, a device fault, or `cancelled`.
pub fn decode(
    model: &Model,
    session: &mut DecoderSession,
    states: &[f32],
    options: &Options,
    cancelled: &AtomicBool,
) -> Result<Decoding, Error> {
    options.check(&model.vocabulary)?;
    let special = &model.vocabulary.special;
    session.listen(0, states)?;
    let first = session.step(&[(0, &[special.start_of_transcript])])?;
    let no_speech_probability = (first[special.no_speech as usize] - log_sum_exp(first)).exp();
    let (prompt, language) = prompt(model, options, first);

    let rules = Rules::new(&model.config, special);
    let mut logits = if prompt.is_empty() { first.to_vec() } else { session.step(&[(0, &prompt)])?.to_vec() };
    let limit = model.config.text_positions / 2;
    let (mut tokens, mut sum, mut steps) = (Vec::new(), 0.0, 0);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(DecodeError::Cancelled.into());
        }
        rules.apply(&tokens, &mut logits);
        let token = likeliest(&logits);
        sum += logits[token as usize] - log_sum_exp(&logits);
        steps += 1;
        if token == special.end_of_text {
            break;
        }
        tokens.push(token);
        if let Some(length) = repetition::cut(&tokens, special.timestamp_begin) {
            tokens.truncate(length);
            break;
        }
        if tokens.len() == limit {
            break;
        }
        logits.copy_from_slice(session.step(&[(0, &[token])])?);
    }
    let average_log_probability = sum / steps as f32;
    Ok(Decoding { tokens, average_log_probability, no_speech_probability, language })
}

/// What follows `<|startoftranscript|>`, and the language's code.
fn prompt(model: &Model, options: &Options, first: &[f32]) -> (Vec<Token>, String) {
    let special = &model.vocabulary.special;
    let spoken = match &options.language {
        Language::Code(wanted) => special.languages.iter().find(|(code, _)| code == wanted),
        Language::Auto => language::detect(special, first),
    };
    let Some((code, token)) = spoken else {
        return (Vec::new(), "en".into());
    };
    let task = match options.task {
        Task::Transcribe => special.transcribe,
        Task::Translate => special.translate,
    };
    (vec![*token, task], code.clone())
}

/// The index of the largest logit, the first of equals.
fn likeliest(logits: &[f32]) -> Token {
    let mut best = 0;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = token;
        }
    }
    best as Token
}
