//! Which tokens may be written next: filters over logits (`SuppressBlank`, `SuppressTokens` and `ApplyTimestampRules` in
//! openai/whisper `decoding.py`).

use super::probability::{greatest, log_sum_exp};
use crate::model::{Config, SpecialTokens, Token};

/// Latest first timestamp, in steps of 20 ms: 1 s.
const LATEST_START: Token = 50;

/// Stands for all tokens that the model itself lists (`suppress_tokens` in openai/whisper `decoding.py`).
pub const MODELS_OWN: i64 = -1;

/// The rules of one window.
pub struct Rules {
    special: SpecialTokens,
    suppressed: Vec<Token>,
    suppressed_at_begin: Vec<Token>,
}

impl Rules {
    /// Takes the `asked` list, in which [`MODELS_OWN`] stands for the model's; tokens that command the decoder are never written. The end
    /// of the text always may be, behind its beginning: something has to be possible.
    pub fn new(config: &Config, special: &SpecialTokens, asked: &[i64]) -> Self {
        let commands = [
            special.start_of_transcript,
            special.translate,
            special.transcribe,
            special.start_of_previous,
            special.no_speech,
            special.no_timestamps,
        ];
        let languages = special.languages.iter().map(|(_, token)| *token);
        let own = config.suppressed.iter().copied().filter(|_| asked.contains(&MODELS_OWN));
        let asked = asked.iter().filter_map(|token| Token::try_from(*token).ok());
        let mut suppressed: Vec<Token> =
            own.chain(asked).chain(commands).chain(special.start_of_lm).chain(languages).collect();
        let end_of_text = special.end_of_text;
        suppressed.retain(|token| *token != end_of_text);
        suppressed.sort_unstable();
        suppressed.dedup();
        let at_begin = config.suppressed_at_begin.iter().copied().chain([end_of_text]).collect();
        Self { special: special.clone(), suppressed, suppressed_at_begin: at_begin }
    }

    /// Puts `row` into `logits` and makes what may not follow `written` impossible.
    pub fn apply_to(&self, written: &[Token], row: &[f32], logits: &mut Vec<f32>) {
        logits.clear();
        logits.extend_from_slice(row);
        self.apply(written, logits);
    }

    /// Makes what may not follow `written` impossible.
    fn apply(&self, written: &[Token], logits: &mut [f32]) {
        forbid_each(logits, &self.suppressed);
        if written.is_empty() {
            forbid_each(logits, &self.suppressed_at_begin);
        }
        self.pair_timestamps(written, logits);
        if written.is_empty() {
            let begin = self.special.timestamp_begin as usize;
            forbid(logits, 0..begin);
            forbid(logits, begin + LATEST_START as usize + 1..logits.len());
        }
        self.prefer_timestamp(logits);
    }

    /// Timestamps come in pairs, end and next start, and never go back.
    fn pair_timestamps(&self, written: &[Token], logits: &mut [f32]) {
        let begin = self.special.timestamp_begin;
        let is_timestamp = |token: Option<&Token>| token.is_some_and(|&token| token >= begin);
        let (mut last, mut penultimate) = (written.iter().rev(), written.iter().rev().skip(1));
        let last_is_timestamp = is_timestamp(last.next());
        let penultimate_is_timestamp = written.len() < 2 || is_timestamp(penultimate.next());
        if last_is_timestamp {
            if penultimate_is_timestamp {
                forbid(logits, begin as usize..logits.len());
            } else {
                forbid(logits, 0..self.special.end_of_text as usize);
            }
        }
        if let Some(&latest) = written.iter().rev().find(|&&token| token >= begin) {
            // A segment may begin where the last one ended, but it may not be empty.
            let first_allowed = if last_is_timestamp && !penultimate_is_timestamp { latest } else { latest + 1 };
            forbid(logits, begin as usize..first_allowed as usize);
        }
    }

    /// Where all timestamps together are likelier than any single other token, one of them is written.
    fn prefer_timestamp(&self, logits: &mut [f32]) {
        let (other, timestamps) = logits.split_at(self.special.timestamp_begin as usize);
        if log_sum_exp(timestamps) > greatest(other) {
            forbid(logits, 0..self.special.timestamp_begin as usize);
        }
    }
}

fn forbid(logits: &mut [f32], tokens: std::ops::Range<usize>) {
    let end = tokens.end.min(logits.len());
    logits[tokens.start.min(end)..end].fill(f32::NEG_INFINITY);
}

fn forbid_each(logits: &mut [f32], tokens: &[Token]) {
    for &token in tokens {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::Model;

    /// Tokens 0..=9 are text, 10 the end, 11..=16 commands, 17 no timestamps, 18.. timestamps.
    fn rules() -> Rules {
        let special = SpecialTokens {
            end_of_text: 10,
            start_of_transcript: 11,
            translate: 12,
            transcribe: 13,
            start_of_lm: Some(14),
            start_of_previous: 15,
            no_speech: 16,
            no_timestamps: 17,
            timestamp_begin: 18,
            languages: Vec::new(),
        };
        Rules { special, suppressed: vec![3, 11, 12, 13, 14, 15, 16, 17], suppressed_at_begin: vec![0, 10] }
    }

    #[test]
    fn the_models_own_list_counts_if_it_is_asked_for_and_so_does_any_other() {
        let toy = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy"));
        let config = Config { suppressed: vec![3], ..Model::open(toy).unwrap().config };
        let suppressed = |asked: &[i64]| {
            let rules = Rules::new(&config, &rules().special, asked);
            (0..10).filter(|token| rules.suppressed.contains(token)).collect::<Vec<_>>()
        };
        assert_eq!((suppressed(&[MODELS_OWN]), suppressed(&[])), (vec![3], vec![]));
        assert_eq!((suppressed(&[MODELS_OWN, 5]), suppressed(&[7, 5])), (vec![3, 5], vec![5, 7]));
        let commands = Rules::new(&config, &rules().special, &[]).suppressed;
        assert_eq!(commands, [11, 12, 13, 14, 15, 16, 17], "a command is never written");
    }

    #[test]
    fn where_all_text_is_suppressed_it_ends() {
        let toy = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy"));
        let config = Model::open(toy).unwrap().config;
        let all: Vec<i64> = (0..18).collect();
        let rules = Rules::new(&config, &rules().special, &all);
        let mut logits = vec![1.0; 100];
        rules.apply(&[20], &mut logits);
        let possible: Vec<usize> = (0..100).filter(|token| logits[*token] > f32::NEG_INFINITY).collect();
        assert_eq!(possible, [10]);
    }

    fn allowed(written: &[Token], logits: impl Fn(usize) -> f32) -> Vec<usize> {
        let mut logits: Vec<f32> = (0..100).map(logits).collect();
        rules().apply(written, &mut logits);
        (0..100).filter(|&token| logits[token] > f32::NEG_INFINITY).collect()
    }

    /// Text so likely that timestamps are not preferred.
    fn text_is_likely(token: usize) -> f32 {
        if token < 18 { 10.0 } else { 0.0 }
    }

    #[test]
    fn a_text_begins_with_a_timestamp_within_the_first_second() {
        assert_eq!(allowed(&[], text_is_likely), (18..=68).collect::<Vec<_>>());
    }

    #[test]
    fn text_follows_the_first_timestamp_without_suppressed_tokens() {
        assert_eq!(allowed(&[20], text_is_likely), [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn a_closing_timestamp_is_followed_by_an_opening_one_or_the_end() {
        let expected: Vec<usize> = [10].into_iter().chain(30..100).collect();
        assert_eq!(allowed(&[20, 1, 30], text_is_likely), expected);
    }

    #[test]
    fn a_timestamp_does_not_go_back_nor_close_an_empty_segment() {
        let open = allowed(&[20, 1], text_is_likely);
        assert!(open.contains(&21) && !open.contains(&20));
        let reopened = allowed(&[20, 1, 30, 30, 1], text_is_likely);
        assert!(reopened.contains(&31) && !reopened.contains(&30));
    }

    #[test]
    fn likely_timestamps_win_together() {
        let spread = |token: usize| if token < 18 { 3.0 } else { 0.0 };
        assert!(allowed(&[20, 1], spread).iter().all(|&token| token >= 21));
    }
}
