//! Words beside a pause are shortened: an alignment gives the pause to one of them (`add_word_timestamps` in openai/whisper
//! `timing.py`).

use super::Word;
use super::punctuation::ends_sentence;
use crate::transcript::Segment;

/// The usual word is taken for no longer than this: 0.7 s.
const LONGEST_MEDIAN_SAMPLES: usize = 11_200;
/// A word may go so far beyond its segment's times: 0.5 s.
const TOLERANCE_SAMPLES: usize = 8_000;

/// How long the words of a window are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    median_samples: usize,
    most_samples: usize,
}

impl Durations {
    /// The median of those that have a duration, and twice that; 0 where none has.
    pub fn of<'a>(words: impl Iterator<Item = &'a Word>) -> Self {
        let mut durations: Vec<usize> = words.map(Word::samples).filter(|samples| *samples > 0).collect();
        durations.sort_unstable();
        let (low, high) = (durations.len().saturating_sub(1) / 2, durations.len() / 2);
        let median = durations.get(low).zip(durations.get(high)).map_or(0, |(low, high)| (low + high) / 2);
        let median_samples = median.min(LONGEST_MEDIAN_SAMPLES);
        Self { median_samples, most_samples: 2 * median_samples }
    }

    /// Shortens marks that end a sentence, and the words behind them, before the marks are joined to words.
    pub fn shorten_at_sentences<'a>(&self, words: impl Iterator<Item = &'a mut Word>) {
        let mut is_behind_end = None;
        for word in words {
            let is_end = ends_sentence(word);
            if let Some(is_behind_end) = is_behind_end
                && word.samples() > self.most_samples
                && self.most_samples > 0
            {
                if is_end {
                    word.end_samples = word.start_samples + self.most_samples;
                } else if is_behind_end {
                    word.start_samples = word.end_samples - self.most_samples;
                }
            }
            is_behind_end = Some(is_end);
        }
    }

    /// Shortens the first two and the last of a segment's `words`, whose first comes after speech that ended at `spoken`, which
    /// becomes where these end.
    pub fn shorten_at_segment(&self, words: &mut [Word], segment: &Segment, spoken: &mut usize) {
        let Self { median_samples, most_samples } = *self;
        if let [first, rest @ ..] = &mut *words {
            let second = rest.first_mut();
            let is_long = first.samples() > most_samples;
            let are_long =
                second.as_ref().is_some_and(|word| word.end_samples - first.start_samples > 2 * most_samples);
            if first.end_samples.saturating_sub(*spoken) > 4 * median_samples && (is_long || are_long) {
                if let Some(second) = second.filter(|word| word.samples() > most_samples) {
                    let boundary = (second.end_samples / 2).max(second.end_samples - most_samples);
                    (first.end_samples, second.start_samples) = (boundary, boundary);
                }
                first.start_samples = first.end_samples.saturating_sub(most_samples);
            }
            let begins_early = first.start_samples + TOLERANCE_SAMPLES < segment.start_samples;
            if begins_early && segment.start_samples < first.end_samples {
                first.start_samples = first.end_samples.saturating_sub(median_samples).min(segment.start_samples);
            }
        }
        if let Some(last) = words.last_mut() {
            let ends_late = segment.end_samples + TOLERANCE_SAMPLES < last.end_samples;
            if ends_late && segment.end_samples > last.start_samples {
                last.end_samples = (last.start_samples + median_samples).max(segment.end_samples);
            }
            *spoken = last.end_samples;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, usize, usize)]) -> Vec<Word> {
        let word = |&(text, start_samples, end_samples): &(&str, usize, usize)| Word {
            text: text.into(),
            start_samples,
            end_samples,
            probability: 1.0,
            ..Word::default()
        };
        words.iter().map(word).collect()
    }

    fn segment(start_samples: usize, end_samples: usize) -> Segment {
        Segment { start_samples, end_samples, text: "text".into(), ..Segment::default() }
    }

    fn times(words: &[Word]) -> Vec<(usize, usize)> {
        words.iter().map(|word| (word.start_samples, word.end_samples)).collect()
    }

    const USUAL: Durations = Durations { median_samples: 4_000, most_samples: 8_000 };

    #[test]
    fn durations_are_those_of_words_that_have_one() {
        let of = |ends: &[usize]| {
            let words: Vec<_> = ends.iter().map(|&end| ("w", 0, end)).collect();
            Durations::of(self::words(&words).iter()).median_samples
        };
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[0, 0]), 0);
        assert_eq!(of(&[0, 900, 300]), 600);
        assert_eq!(of(&[900, 300, 500]), 500);
        assert_eq!(of(&[90_000]), LONGEST_MEDIAN_SAMPLES);
    }

    #[test]
    fn a_pause_at_the_end_of_a_sentence_belongs_to_no_word() {
        let mut long =
            words(&[(" a", 0, 20_000), (".", 20_000, 40_000), (" B", 40_000, 60_000), (" c", 60_000, 80_000)]);
        USUAL.shorten_at_sentences(long.iter_mut());
        assert_eq!(times(&long), [(0, 20_000), (20_000, 28_000), (52_000, 60_000), (60_000, 80_000)]);
        let mut untimed = words(&[(".", 0, 0), (" a", 0, 0)]);
        Durations::of([].iter()).shorten_at_sentences(untimed.iter_mut());
        assert_eq!(times(&untimed), [(0, 0), (0, 0)]);
    }

    #[test]
    fn a_pause_before_a_segment_belongs_to_no_word() {
        let mut spoken = 0;
        let mut long = words(&[(" a", 0, 40_000), (" b", 40_000, 44_000)]);
        USUAL.shorten_at_segment(&mut long, &segment(30_000, 44_000), &mut spoken);
        assert_eq!((times(&long), spoken), (vec![(32_000, 40_000), (40_000, 44_000)], 44_000));
        let mut second = words(&[(" a", 0, 2_000), (" b", 2_000, 42_000)]);
        spoken = 0;
        USUAL.shorten_at_segment(&mut second, &segment(30_000, 42_000), &mut spoken);
        assert_eq!(times(&second), [(0, 2_000), (2_000, 42_000)], "the first one ends soon after the last speech");
        let mut both = words(&[(" a", 0, 20_000), (" b", 20_000, 60_000)]);
        USUAL.shorten_at_segment(&mut both, &segment(50_000, 60_000), &mut 0);
        assert_eq!(times(&both), [(44_000, 52_000), (52_000, 60_000)]);
        let mut soon = words(&[(" a", 0, 40_000)]);
        USUAL.shorten_at_segment(&mut soon, &segment(0, 40_000), &mut 30_000);
        assert_eq!(times(&soon), [(0, 40_000)]);
    }

    #[test]
    fn words_far_outside_their_segment_keep_to_it() {
        let mut outside = words(&[(" a", 10_000, 17_000), (" b", 17_000, 40_000)]);
        USUAL.shorten_at_segment(&mut outside, &segment(18_500, 30_000), &mut 9_000);
        assert_eq!(times(&outside), [(10_000, 17_000), (17_000, 30_000)], "the first ends before its segment begins");
        let mut early = words(&[(" a", 10_000, 19_000)]);
        USUAL.shorten_at_segment(&mut early, &segment(18_500, 19_000), &mut 9_000);
        assert_eq!(times(&early), [(15_000, 19_000)]);
        let mut within = words(&[(" a", 10_000, 17_000)]);
        USUAL.shorten_at_segment(&mut within, &segment(17_000, 10_000), &mut 9_000);
        assert_eq!(times(&within), [(10_000, 17_000)]);
    }
}
