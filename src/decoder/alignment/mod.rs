//! When the tokens of a text were spoken: the text is taken once more, and the heads of the cross-attention that follow the
//! sound say where each token looks (`find_alignment` in openai/whisper `timing.py`).

mod matrix;
mod median;
mod warp;

use super::DecoderSession;
use super::probability::log_sum_exp;
use crate::device::DeviceError;
use crate::model::{Token, Vocabulary};

/// Samples of one position of the sound: 20 ms.
pub const POSITION_SAMPLES: usize = 320;

/// Where a text stands in a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// The text's tokens, in order of time.
    pub tokens: Vec<TimedToken>,
    /// Where the last one ends, from the window's first sample, at 16 kHz.
    pub end_samples: usize,
}

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedToken {
    /// Its id.
    pub token: Token,
    /// From the window's first sample; not before that of the token before it, nor behind the text's end.
    pub start_samples: usize,
    /// Where the model looked most when it wrote it.
    pub looked_samples: usize,
    /// How likely the model finds it after the tokens before it, among all text.
    pub probability: f32,
}

/// Aligns a `text`, which holds no special tokens, with what `lane` listened to, of which the first `heard` positions hold
/// sound. The `prompt` is what a text without timestamps follows, [`crate::model::SpecialTokens::prompt`]. The first `given` tokens
/// were not the model's choice, and have the probability 1.
///
/// Errors: a device fault, a device that cannot, a text that is longer than the model's.
pub fn align(
    session: &mut DecoderSession,
    vocabulary: &Vocabulary,
    lane: usize,
    (prompt, text): (&[Token], &[Token]),
    given: usize,
    heard: usize,
) -> Result<Alignment, DeviceError> {
    if text.is_empty() || heard == 0 {
        return Ok(Alignment::default());
    }
    let end_of_text = vocabulary.special.end_of_text;
    let tokens: Vec<Token> = prompt.iter().chain(text).copied().chain([end_of_text]).collect();
    // A row says what follows its token: the rows from the prompt's last one on are about the text and its end.
    let (first, end) = (prompt.len() - 1, tokens.len() - 1);
    let given = given.min(text.len());
    session.follow(lane, &tokens, if given > 0 { first + given } else { 0 })?;
    let mut costs = matrix::attention(session.heads(), tokens.len(), first..end, heard);
    let looked: Vec<usize> = costs.chunks_exact(heard).map(greatest_place).collect();
    costs.iter_mut().for_each(|x| *x = -*x);
    let places = warp::entries(&costs, heard);
    let mut probabilities = vec![1.0; given];
    session.judge(first + given..first + text.len(), |row, logits| {
        let logits = &logits[..end_of_text as usize];
        probabilities.push((logits[text[row - first] as usize] - log_sum_exp(logits)).exp());
    })?;
    let timed = text.iter().zip(&places).zip(&looked).zip(probabilities);
    let timed = timed.map(|(((&token, place), looked), probability)| TimedToken {
        token,
        start_samples: place * POSITION_SAMPLES,
        looked_samples: looked * POSITION_SAMPLES,
        probability,
    });
    Ok(Alignment { tokens: timed.collect(), end_samples: places[text.len()] * POSITION_SAMPLES })
}

/// The first of the greatest.
fn greatest_place(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best })
}
