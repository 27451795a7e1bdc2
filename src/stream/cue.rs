//! Lines of text with their times in the stream.

use std::ops::Range;

use crate::transcript::{Segment, Word, has_spaces};

/// A line that lasts less than 0.1 s is not seen.
const LEAST_CUE_SAMPLES: u64 = 1_600;

/// Text of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// What is final now, in order.
    pub finals: Vec<Cue>,
    /// What follows of a window that still grows, and may change.
    pub tail: Option<Cue>,
    /// Up to here the stream had been heard when this was written.
    pub heard_samples: u64,
    /// Whether the speech pauses or ends here.
    pub is_whole: bool,
}

/// A line of text with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// Not before the last cue's end.
    pub start_samples: u64,
    /// Behind `start_samples`.
    pub end_samples: u64,
    /// One line without spaces around it, never empty.
    pub text: String,
    /// Code of the language that the text is written in.
    pub language: String,
    /// Mean log-probability of its window's tokens.
    pub average_log_probability: f32,
    /// The text's words, if they were asked for; they may begin and end somewhat outside of the cue.
    pub words: Vec<CueWord>,
}

/// A word with its time, as [`crate::transcript::Word`] has it.
#[derive(Clone, Debug, PartialEq)]
pub struct CueWord {
    /// With its punctuation, and the space before it where there is one.
    pub text: String,
    /// Not before the end of the stream's last word.
    pub start_samples: u64,
    /// Not before `start_samples`.
    pub end_samples: u64,
    /// Mean probability of its tokens.
    pub probability: f32,
}

impl Cue {
    /// No text, at this place.
    pub fn nothing(place: u64) -> Self {
        Self {
            start_samples: place,
            end_samples: place,
            text: String::new(),
            language: String::new(),
            average_log_probability: 0.0,
            words: Vec::new(),
        }
    }
}

/// Where the last text ended.
pub(super) struct Said {
    pub said_samples: u64,
    pub word_samples: u64,
}

impl Said {
    /// A segment of the `window`, behind what was said; otherwise like `cue`.
    pub fn cue(&mut self, window: &Range<u64>, segment: Segment, cue: &Cue) -> Cue {
        let start_samples = (window.start + segment.start_samples as u64).max(self.said_samples);
        // A word that is looked for before what was said is said behind it all the same.
        let least = (start_samples + LEAST_CUE_SAMPLES).min(window.end).max(start_samples + 1);
        let end_samples = (window.start + segment.end_samples as u64).max(least);
        self.said_samples = end_samples;
        let mut words: Vec<CueWord> = segment.words.into_iter().map(|word| self.word(window, word)).collect();
        share(&mut words);
        Cue { start_samples, end_samples, text: segment.text, words, ..cue.clone() }
    }

    fn word(&mut self, window: &Range<u64>, word: Word) -> CueWord {
        let start_samples = (window.start + word.start_samples as u64).max(self.word_samples);
        let end_samples = (window.start + word.end_samples as u64).max(start_samples);
        self.word_samples = end_samples;
        CueWord { text: word.text, start_samples, end_samples, probability: word.probability }
    }
}

/// Words of no length, which the alignment finds at one place, take 0.1 s each if nothing is said there, or else share the time of the word
/// behind them, or of the one before if there is none.
fn share(words: &mut [CueWord]) {
    let is_empty = |word: &CueWord| word.end_samples <= word.start_samples;
    let mut first = 0;
    while let Some(found) = words[first..].iter().position(is_empty) {
        first += found;
        let behind = first + words[first..].iter().take_while(|word| is_empty(word)).count();
        let start_samples = words[first].start_samples;
        let most = start_samples + LEAST_CUE_SAMPLES * (behind - first) as u64;
        let (group, end_samples) = match words.get(behind) {
            Some(next) if next.start_samples >= most => (first..behind, most),
            Some(next) => (first..behind + 1, next.end_samples),
            None => (first.saturating_sub(1)..behind, words[behind - 1].end_samples),
        };
        let start_samples = words[group.start].start_samples;
        let (count, span) = (group.len() as u64, end_samples - start_samples);
        for (index, word) in (0..).zip(&mut words[group]) {
            word.start_samples = start_samples + span * index / count;
            word.end_samples = start_samples + span * (index + 1) / count;
        }
        first = behind;
    }
}

/// One cue of several.
pub(super) fn joined(cues: Vec<Cue>) -> Option<Cue> {
    cues.into_iter().reduce(|mut all, cue| {
        let space = if has_spaces(&all.language) { " " } else { "" };
        all.text = [&all.text, space, &cue.text].concat();
        all.end_samples = cue.end_samples;
        all.words.extend(cue.words);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_as_their_language_does() {
        let line = |language: &str| Cue { text: "a".into(), language: language.into(), ..Cue::nothing(0) };
        let text = |language| joined(vec![line(language), line(language)]).map(|cue| cue.text);
        assert_eq!(["en", "ja"].map(text), [Some("a a".into()), Some("aa".into())]);
    }

    /// The times of words that had these.
    fn shared(times: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let word = |&(start_samples, end_samples): &(u64, u64)| CueWord {
            text: " a".into(),
            start_samples,
            end_samples,
            probability: 1.0,
        };
        let mut words: Vec<_> = times.iter().map(word).collect();
        share(&mut words);
        words.iter().map(|word| (word.start_samples, word.end_samples)).collect()
    }

    #[test]
    fn words_at_one_place_are_said_one_after_the_other() {
        assert_eq!(shared(&[(0, 90), (90, 100)]), [(0, 90), (90, 100)]);
        assert_eq!(shared(&[(0, 90), (90, 90), (90, 90), (90, 120)]), [(0, 90), (90, 100), (100, 110), (110, 120)]);
        assert_eq!(shared(&[(0, 90), (90, 90), (9_000, 9_100)]), [(0, 90), (90, 1_690), (9_000, 9_100)]);
        assert_eq!(shared(&[(0, 90), (90, 90), (100, 120)]), [(0, 90), (90, 105), (105, 120)]);
        assert_eq!(shared(&[(0, 90), (90, 90), (90, 90)]), [(0, 30), (30, 60), (60, 90)]);
        assert_eq!(shared(&[(90, 90), (90, 90)]), [(90, 90), (90, 90)]);
        assert_eq!(shared(&[]), []);
    }
}
