//! Words keep to what is heard: an alignment says to about a tenth of a second where a word is, and nothing of pauses, which it
//! gives to the words beside them.
//!
//! In openai/whisper the limits in `add_word_timestamps` stand for this ("a better segmentation algorithm based on VAD should be
//! able to replace this").

use std::ops::Range;

use super::Word;
use crate::transcript::Segment;

/// Quiet within a word is no pause if it is shorter than this: 0.2 s. Stops are silent for less.
const LEAST_PAUSE_SAMPLES: usize = 3_200;

/// Moves the times of a window's words out of its quiet frames, which are `frame_samples` long, and to where sound begins and
/// ends beside them. Where nothing is quiet nothing is moved.
pub fn keep_to_sound(segments: &mut [Segment], is_quiet: &[bool], frame_samples: usize) {
    let frame = |samples: usize| (samples / frame_samples).min(is_quiet.len());
    let mut words: Vec<&mut Word> = segments.iter_mut().flat_map(|segment| &mut segment.words).collect();
    let mut spans: Vec<Range<usize>> =
        words.iter().map(|word| frame(word.start_samples)..frame(word.end_samples)).collect();
    let before = spans.clone();
    let least_pause = LEAST_PAUSE_SAMPLES.div_ceil(frame_samples);
    (0..spans.len()).for_each(|index| leave_pause(&mut spans, index, is_quiet, least_pause));
    spans.iter_mut().for_each(|span| trim(span, is_quiet));
    (0..spans.len()).for_each(|index| reach_out(&mut spans, index, is_quiet));
    for ((word, span), before) in words.iter_mut().zip(spans).zip(before) {
        if span.start != before.start {
            word.start_samples = span.start * frame_samples;
        }
        if span.end != before.end {
            word.end_samples = span.end * frame_samples;
        }
    }
}

/// A word with a pause in it is the longer of its parts; the other is its neighbour's, if that is next to it.
fn leave_pause(spans: &mut [Range<usize>], index: usize, is_quiet: &[bool], least_pause: usize) {
    let span = spans[index].clone();
    let Some(pause) = longest_pause(&span, is_quiet).filter(|pause| pause.len() >= least_pause) else {
        return;
    };
    let heard = |range: Range<usize>| is_quiet[range].iter().filter(|quiet| !**quiet).count();
    if heard(pause.end..span.end) >= heard(span.start..pause.start) {
        spans[index].start = pause.end;
        if index > 0 && spans[index - 1].end == span.start {
            spans[index - 1].end = pause.start;
        }
    } else {
        spans[index].end = pause.start;
        if let Some(next) = spans.get_mut(index + 1).filter(|next| next.start == span.end) {
            next.start = pause.end;
        }
    }
}

/// The longest quiet in a span that has sound on both of its sides.
fn longest_pause(span: &Range<usize>, is_quiet: &[bool]) -> Option<Range<usize>> {
    let mut inner = span.clone();
    trim(&mut inner, is_quiet);
    let (mut longest, mut begin) = (0..0, inner.start);
    for frame in inner {
        if !is_quiet[frame] {
            begin = frame + 1;
        } else if frame + 1 - begin > longest.len() {
            longest = begin..frame + 1;
        }
    }
    (!longest.is_empty() && !is_quiet[span.clone()].iter().all(|quiet| *quiet)).then_some(longest)
}

/// Takes quiet off both ends, unless there is nothing else.
fn trim(span: &mut Range<usize>, is_quiet: &[bool]) {
    let quiet = &is_quiet[span.clone()];
    if let (Some(first), Some(last)) = (quiet.iter().position(|quiet| !quiet), quiet.iter().rposition(|quiet| !quiet)) {
        *span = span.start + first..span.start + last + 1;
    }
}

/// A word that begins or ends amid a sound takes all of it, if the sound begins or ends between it and its neighbour.
fn reach_out(spans: &mut [Range<usize>], index: usize, is_quiet: &[bool]) {
    let span = spans[index].clone();
    let behind_last = if index > 0 { spans[index - 1].end } else { 0 };
    let before_next = spans.get(index + 1).map_or(is_quiet.len(), |next| next.start);
    let is_heard = |frame: usize| is_quiet.get(frame).is_some_and(|quiet| !quiet);
    if is_heard(span.start)
        && let Some(quiet) = (behind_last..span.start).rev().find(|frame| !is_heard(*frame))
    {
        spans[index].start = quiet + 1;
    }
    if span.end > span.start
        && is_heard(span.end - 1)
        && let Some(quiet) = (span.end..before_next).find(|frame| !is_heard(*frame))
    {
        spans[index].end = quiet;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 160 samples: `#` is heard, `.` is not. Words are places in frames.
    fn kept(sound: &str, words: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let is_quiet: Vec<bool> = sound.chars().map(|frame| frame == '.').collect();
        let word = |&(start, end): &(usize, usize)| Word {
            text: " word".into(),
            start_samples: start * 160,
            end_samples: end * 160,
            probability: 1.0,
            ..Word::default()
        };
        let words = words.iter().map(word).collect();
        let (text, tokens) = (String::new(), Vec::new());
        let mut segments = [Segment { start_samples: 0, end_samples: 1, text, tokens, words, ..Segment::default() }];
        keep_to_sound(&mut segments, &is_quiet, 160);
        segments[0].words.iter().map(|word| (word.start_samples / 160, word.end_samples / 160)).collect()
    }

    #[test]
    fn pauses_belong_to_no_word() {
        assert_eq!(kept("....####....####....", &[(0, 10), (10, 20)]), [(4, 8), (12, 16)]);
        assert_eq!(kept("####################", &[(0, 10), (10, 20)]), [(0, 10), (10, 20)]);
        assert_eq!(kept("....................", &[(0, 10), (10, 20)]), [(0, 10), (10, 20)]);
    }

    #[test]
    fn a_long_pause_within_a_word_divides_it_from_its_neighbour() {
        let pause = ".".repeat(20);
        assert_eq!(kept(&format!("#########{pause}#########"), &[(0, 6), (6, 38)]), [(0, 9), (29, 38)]);
        assert_eq!(kept(&format!("#########{pause}#########"), &[(0, 32), (32, 38)]), [(0, 9), (29, 38)]);
        let stop = ".".repeat(10);
        assert_eq!(kept(&format!("###{stop}###"), &[(0, 16)]), [(0, 16)]);
    }

    #[test]
    fn a_word_has_all_of_its_sound() {
        assert_eq!(kept("##....####....", &[(0, 2), (8, 9)]), [(0, 2), (6, 10)]);
        assert_eq!(kept("##########", &[(0, 2), (8, 10)]), [(0, 2), (8, 10)]);
        assert_eq!(kept("##", &[(0, 1), (2, 5)]), [(0, 1), (2, 5)]);
    }
}
