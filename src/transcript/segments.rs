//! Cuts a decoding at its timestamps (`transcribe` in openai/whisper `transcribe.py`).

use super::Segment;
use crate::decoder::Decoding;
use crate::model::{Token, Vocabulary};

/// Samples between two timestamp tokens: 20 ms.
pub const TIMESTAMP_SAMPLES: usize = 320;

/// A text that covers less than 1 s of its window is no reason to transcribe the rest again.
pub const LEAST_ADVANCE_SAMPLES: usize = 16_000;

/// What is left of a window behind its text is transcribed again if it is longer: 2.5 s. A decoder may end its text at a
/// pause, with speech behind it.
pub const LEAST_REST_SAMPLES: usize = 40_000;

/// Drops what was begun behind the last closed segment of a text that stops before its end: it is heard again, in a window that begins
/// there (`transcribe` in openai/whisper `transcribe.py`). A text of which little is left, or little closed, stays as it is.
pub fn drop_unfinished(decoding: &mut Decoding, vocabulary: &Vocabulary, window_samples: usize) {
    let pieces = pieces(&decoding.tokens, vocabulary.special.timestamp_begin);
    if let [.., Piece { end: Some(_), .. }, Piece { start, end: None, first, .. }] = pieces[..]
        && decoding.is_unfinished
        && (LEAST_ADVANCE_SAMPLES..window_samples.saturating_sub(LEAST_REST_SAMPLES))
            .contains(&(start * TIMESTAMP_SAMPLES))
    {
        decoding.tokens.truncate(first);
    }
}

/// The segments of a window of `window_samples` samples, and how many of these they account for, at least one: up to the
/// last timestamp, or all where the last text was not closed.
pub fn segments(decoding: &Decoding, vocabulary: &Vocabulary, window_samples: usize) -> (Vec<Segment>, usize) {
    if decoding.is_silent {
        return (Vec::new(), window_samples);
    }
    let pieces = pieces(&decoding.tokens, vocabulary.special.timestamp_begin);
    // A timestamp that opens a text which is not there is where the next one should be heard.
    let done = |piece: &Piece<'_>| if piece.text.is_empty() { Some(piece.start) } else { piece.end };
    let last = pieces.last().and_then(done).map(|end| end * TIMESTAMP_SAMPLES);
    let segments = pieces.iter().filter_map(|piece| piece.segment(vocabulary, window_samples)).collect();
    (segments, last.unwrap_or(window_samples).clamp(1, window_samples.max(1)))
}

/// Text between two timestamps, which count steps of 20 ms.
#[derive(Debug, PartialEq)]
struct Piece<'a> {
    start: usize,
    /// None where the decoding ended before it was written.
    end: Option<usize>,
    text: &'a [Token],
    /// Which of the tokens is the first of them.
    first: usize,
}

fn pieces(tokens: &[Token], timestamp_begin: Token) -> Vec<Piece<'_>> {
    let step = |token: Token| token.checked_sub(timestamp_begin).map(|step| step as usize);
    let (mut pieces, mut rest, mut at) = (Vec::new(), tokens, 0);
    while let Some(&first) = rest.first() {
        let start = step(first);
        let text = if start.is_some() { &rest[1..] } else { rest };
        let length = text.iter().position(|&token| step(token).is_some()).unwrap_or(text.len());
        let end = text.get(length).and_then(|&token| step(token));
        let start = start.unwrap_or(at);
        at = end.unwrap_or(start);
        // `<|a|><|b|>` after a closed text is no empty piece: the second timestamp opens the next one.
        let first = tokens.len() - text.len();
        pieces.push(Piece { start, end, text: &text[..length], first });
        rest = text.get(length + 1..).unwrap_or_default();
    }
    pieces
}

impl Piece<'_> {
    fn segment(&self, vocabulary: &Vocabulary, window_samples: usize) -> Option<Segment> {
        let text = vocabulary.decode(self.text);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let start_samples = (self.start * TIMESTAMP_SAMPLES).min(window_samples);
        let end_samples = self.end.map_or(window_samples, |end| end * TIMESTAMP_SAMPLES).min(window_samples);
        let audible = start_samples < end_samples && !text.is_empty();
        audible.then(|| Segment {
            start_samples,
            end_samples,
            text,
            tokens: self.text.to_vec(),
            first_token: self.first,
            words: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(start: usize, end: Option<usize>, text: &[Token], first: usize) -> Piece<'_> {
        Piece { start, end, text, first }
    }

    #[test]
    fn pairs_of_timestamps_cut_the_text() {
        let tokens = [100, 1, 2, 150, 150, 3, 200];
        assert_eq!(pieces(&tokens, 100), [piece(0, Some(50), &[1, 2], 1), piece(50, Some(100), &[3], 5)]);
    }

    #[test]
    fn what_a_loop_leaves_is_for_the_next_window() {
        let vocabulary =
            crate::model::Model::open(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy")))
                .unwrap()
                .vocabulary;
        let at = |seconds: u32| vocabulary.special.timestamp_begin + 50 * seconds;
        let word = vocabulary.encode(" so")[0];
        let heard = |tokens: &[Token], is_unfinished| {
            let mut decoding = Decoding { tokens: tokens.to_vec(), is_unfinished, ..Decoding::default() };
            drop_unfinished(&mut decoding, &vocabulary, 28 * 16_000);
            let (segments, consumed) = segments(&decoding, &vocabulary, 28 * 16_000);
            (segments.len(), consumed / 16_000)
        };
        let text = [at(0), word, at(4), at(5), word];
        assert_eq!(heard(&text, true), (1, 5));
        assert_eq!(heard(&text, false), (2, 28), "the model ended it there");
        assert_eq!(heard(&text[..2], true), (1, 28), "nothing is closed");
        assert_eq!(heard(&[at(0), word, at(25), at(26), word], true), (2, 28), "too little is left");
        assert_eq!(heard(&text[..3], true), (1, 4));
    }

    #[test]
    fn an_open_text_has_no_end() {
        assert_eq!(pieces(&[100, 1, 150, 160, 2], 100), [piece(0, Some(50), &[1], 1), piece(60, None, &[2], 4)]);
        assert_eq!(pieces(&[100, 1, 150, 160], 100), [piece(0, Some(50), &[1], 1), piece(60, None, &[], 4)]);
        assert_eq!(pieces(&[], 100), []);
    }
}
