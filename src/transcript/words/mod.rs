//! Tokens with times → words with times (`add_word_timestamps` in openai/whisper `timing.py`).
//!
//! Read `add` first, then `split.rs` (which tokens are a word).

mod pauses;
mod punctuation;
mod scripts;
mod sound;
mod split;

use std::ops::Range;

use super::Segment;
use crate::decoder::{Alignment, TimedToken};
use crate::model::{Token, Vocabulary};
use pauses::Durations;
pub use scripts::has_spaces;
pub use sound::keep_to_sound;

/// A word with its place in a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// With the punctuation that goes with it, and the space before it where there is one: one behind the other, a segment's
    /// words are its text.
    pub text: String,
    /// From the window's first sample, at 16 kHz; not before the end of the word before it.
    pub start_samples: usize,
    /// Not before `start_samples`, at most the window's length.
    pub end_samples: usize,
    /// Mean probability of its tokens, without punctuation that was joined to it.
    pub probability: f32,
    /// Which of the window's tokens it is, with its punctuation.
    pub tokens: Range<usize>,
    /// The latest place that the model looked at most for one of its tokens, without punctuation.
    pub looked_samples: usize,
}

impl Word {
    /// Half of it is said before, half behind.
    pub fn middle(&self) -> usize {
        self.start_samples.midpoint(self.end_samples)
    }

    fn samples(&self) -> usize {
        self.end_samples.saturating_sub(self.start_samples)
    }
}

/// Tokens of `segment` that are text: what is to be aligned, one segment behind the other.
pub fn text_tokens<'a>(segment: &'a Segment, vocabulary: &Vocabulary) -> impl Iterator<Item = Token> + 'a {
    let end_of_text = vocabulary.special.end_of_text;
    segment.tokens.iter().copied().filter(move |token| *token < end_of_text)
}

/// Gives the segments of a window of `window_samples` samples their words. The alignment is of the [`text_tokens`] of all of them;
/// `language` is the text's, as a code.
pub fn add(
    segments: &mut [Segment],
    alignment: &Alignment,
    vocabulary: &Vocabulary,
    language: &str,
    window_samples: usize,
) {
    let mut rest = &alignment.tokens[..];
    for segment in segments.iter_mut() {
        let count = text_tokens(segment, vocabulary).count().min(rest.len());
        let (own, behind) = rest.split_at(count);
        let end_samples = behind.first().map_or(alignment.end_samples, |token| token.start_samples);
        segment.words = words((own, segment.first_token), end_samples, vocabulary, language);
        rest = behind;
    }
    let durations = Durations::of(segments.iter().flat_map(|segment| &segment.words));
    durations.shorten_at_sentences(segments.iter_mut().flat_map(|segment| &mut segment.words));
    let (mut spoken, mut said) = (0, 0);
    for segment in segments {
        let mut words = punctuation::merge(std::mem::take(&mut segment.words));
        durations.shorten_at_segment(&mut words, segment, &mut spoken);
        for word in &mut words {
            word.start_samples = word.start_samples.clamp(said, window_samples.max(said));
            word.end_samples = word.end_samples.clamp(word.start_samples, window_samples.max(word.start_samples));
            said = word.end_samples;
        }
        segment.words = words;
    }
}

/// The words of one segment, as the alignment has them; `first` is the number of its first token.
fn words(
    (tokens, first): (&[TimedToken], usize),
    end_samples: usize,
    vocabulary: &Vocabulary,
    language: &str,
) -> Vec<Word> {
    let ids: Vec<Token> = tokens.iter().map(|token| token.token).collect();
    let word = |piece: split::Piece| {
        let own = &tokens[piece.tokens.clone()];
        Word {
            text: piece.text,
            start_samples: own[0].start_samples,
            end_samples: tokens.get(piece.tokens.end).map_or(end_samples, |next| next.start_samples),
            probability: own.iter().map(|token| token.probability).sum::<f32>() / own.len() as f32,
            looked_samples: own.iter().map(|token| token.looked_samples).max().unwrap_or_default(),
            tokens: first + piece.tokens.start..first + piece.tokens.end,
        }
    };
    split::split(&ids, vocabulary, language).into_iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::small_vocabulary;

    fn segment(vocabulary: &Vocabulary, text: &str, (start_samples, end_samples): (usize, usize)) -> Segment {
        let tokens = text.bytes().map(|byte| vocabulary.token(&[byte]).unwrap()).collect();
        Segment { start_samples, end_samples, text: text.trim().into(), tokens, ..Segment::default() }
    }

    /// Each byte of the texts a token, which takes 100 samples.
    fn alignment(segments: &[Segment], vocabulary: &Vocabulary) -> Alignment {
        let tokens = segments.iter().flat_map(|segment| text_tokens(segment, vocabulary)).enumerate();
        let timed = |(index, token)| TimedToken {
            token,
            start_samples: 100 * index,
            looked_samples: 0,
            probability: 0.1 * (index % 3) as f32,
        };
        let tokens: Vec<TimedToken> = tokens.map(timed).collect();
        Alignment { end_samples: 100 * tokens.len(), tokens }
    }

    #[test]
    fn each_segment_gets_its_own_words() {
        let vocabulary = small_vocabulary();
        let mut segments = [segment(&vocabulary, " oh no.", (0, 700)), segment(&vocabulary, "go on", (700, 1_200))];
        let alignment = alignment(&segments, &vocabulary);
        add(&mut segments, &alignment, &vocabulary, "en", 480_000);
        let word = |text: &str, start_samples, end_samples, probability| Word {
            text: text.into(),
            start_samples,
            end_samples,
            probability,
            ..Word::default()
        };
        let numbered = |word: Word, tokens| Word { tokens, ..word };
        let own = [numbered(word(" oh", 0, 300, 0.1), 0..3), numbered(word(" no.", 300, 600, 0.1), 3..7)];
        assert_eq!(segments[0].words, own);
        let words: Vec<_> = segments[1].words.iter().map(|word| (word.text.as_str(), word.start_samples)).collect();
        assert_eq!(words, [("go", 700), (" on", 900)]);
        assert_eq!(segments[1].words[1].end_samples, 1_200);
    }

    #[test]
    fn words_end_within_the_window() {
        let vocabulary = small_vocabulary();
        let mut segments = [segment(&vocabulary, " a b", (0, 250))];
        let alignment = alignment(&segments, &vocabulary);
        add(&mut segments, &alignment, &vocabulary, "en", 250);
        let times: Vec<_> = segments[0].words.iter().map(|word| (word.start_samples, word.end_samples)).collect();
        assert_eq!(times, [(0, 200), (200, 250)]);
    }

    #[test]
    fn without_an_alignment_there_are_no_words() {
        let vocabulary = small_vocabulary();
        let mut segments = [segment(&vocabulary, " a", (0, 250))];
        add(&mut segments, &Alignment::default(), &vocabulary, "en", 250);
        assert_eq!(segments[0].words, []);
    }
}
