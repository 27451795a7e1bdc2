//! The text of a window that grows: each transcript of it goes on from what is final already.

use std::ops::Range;

use super::Policy;
use super::policy::{ends_sentence, plain};
use crate::model::Token;
use crate::transcript::{Segment, TIMESTAMP_SAMPLES, WindowTranscript, Word, has_spaces, has_words};

/// A word that is looked for so far before the end of what is final is not what comes next: 2 s.
const LEAST_LOOK_BACK_SAMPLES: usize = 32_000;
/// A few words may be looked for anywhere, more in a row are not.
const LOOKS_BACK: usize = 3;

/// A transcript of hardly more than the one before says the same, whatever is said: 0.25 s.
const LEAST_GROWTH_SAMPLES: usize = 4_000;

/// Two words that end so close to each other may be the same one: 0.06 s, the step of word times being 0.02 s.
const ONE_PLACE_SAMPLES: usize = 960;

/// A word that was written anew stands up to so far from where it was: 0.3 s.
const SHIFT_SAMPLES: usize = 4_800;

/// Text that takes more tokens is not what transcripts begin with: the decoder has to have room behind it.
const MOST_GIVEN_TOKENS: usize = 320;

/// A line of text goes on behind a shorter pause: 0.3 s.
const BREATH_SAMPLES: usize = 4_800;

/// One window's text so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    policy: Policy,
    /// Tokens that are final, with which every further transcript begins.
    prefix: Vec<Token>,
    /// Words that are final.
    said: Vec<Said>,
    /// The token of the time 0; timestamps are the last tokens of the vocabulary.
    timestamp_begin: Token,
    /// Up to here of the window everything said is final.
    said_samples: usize,
    /// The last word of that, as two transcripts may agree in it; empty if it ends long before the window.
    last_said: String,
    /// What followed in the last transcript that the next one may agree with, and how much that heard.
    before: Vec<String>,
    before_samples: usize,
}

/// A word that is final.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    text: String,
    start_samples: usize,
    /// Which of the prefix's tokens it is.
    tokens: Range<usize>,
}

/// What a transcript adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drafted {
    /// Text that is final now, in order.
    pub finals: Vec<Segment>,
    /// Text behind it that may change.
    pub tail: Vec<Segment>,
    /// Where the last word ends that was heard, in samples of the window; None if there is none.
    pub end_samples: Option<usize>,
}

/// How much of a transcript is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What the policy says, of a voice that has paused at the end or not.
    Policy {
        /// Whether it has.
        has_paused: bool,
    },
    /// That, and the words that are said before this place of the window, in samples.
    Until(usize),
    /// All of it: the speech ends.
    Whole,
}

impl Draft {
    /// A window of which nothing was heard.
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// What the next transcript has to begin with.
    pub fn prefix(&self) -> &[Token] {
        &self.prefix
    }

    /// Up to here of the window everything said is final.
    pub fn said_samples(&self) -> usize {
        self.said_samples
    }

    /// Lets the next transcript begin as it likes. Whether it could not before.
    pub fn forget_prefix(&mut self) -> bool {
        let had_prefix = !self.prefix.is_empty();
        self.prefix.clear();
        self.said.clear();
        had_prefix
    }

    /// Ends the window at `end_samples`: words that begin behind it are taken out. They become the next window's, whose text begins
    /// with them.
    pub fn split(&mut self, end_samples: usize) -> Self {
        let mut next = Self::new(self.policy);
        next.said_samples = self.said_samples.saturating_sub(end_samples);
        if self.said_samples + SHIFT_SAMPLES > end_samples {
            next.last_said.clone_from(&self.last_said);
        }
        let kept = self.said.iter().take_while(|word| word.start_samples < end_samples).count();
        if kept == self.said.len() {
            return next;
        }
        let (first, last) = (&self.said[kept], &self.said[self.said.len() - 1]);
        let (from, to) = (first.tokens.start, last.tokens.end.min(self.prefix.len()));
        let begin = self.timestamp_begin + ((first.start_samples - end_samples) / TIMESTAMP_SAMPLES) as Token;
        let steps = (end_samples / TIMESTAMP_SAMPLES) as Token;
        let earlier = |&token: &Token| match token.checked_sub(self.timestamp_begin) {
            Some(step) => self.timestamp_begin + step.saturating_sub(steps),
            None => token,
        };
        next.timestamp_begin = self.timestamp_begin;
        let moved = self.prefix.get(from..to).unwrap_or_default().iter().map(earlier);
        next.prefix = std::iter::once(begin).chain(moved).collect();
        next.said.extend(self.said.drain(kept..).map(|word| Said {
            start_samples: word.start_samples - end_samples,
            tokens: word.tokens.start - from + 1..word.tokens.end - from + 1,
            ..word
        }));
        self.prefix.truncate(self.said.last().map_or(0, |word| word.tokens.end));
        next
    }

    /// Takes a transcript of the window's first `window_samples`, which begins with [`Draft::prefix`]. Its segments have words.
    pub fn take(&mut self, transcript: WindowTranscript, window_samples: usize, extent: Extent) -> Drafted {
        let WindowTranscript { mut segments, tokens, written, timestamp_begin, .. } = transcript;
        self.timestamp_begin = timestamp_begin;
        segments.iter_mut().for_each(keep_within);
        self.drop_said(&mut segments);
        let mut words: Vec<&Word> = segments.iter().flat_map(|segment| &segment.words).collect();
        words.truncate(repeated(&words, self.said_samples));
        words.truncate(words.len() - words.iter().rev().take_while(|word| is_incomplete(word)).count());
        let end_samples =
            words.last().map(|word| word.end_samples).or((self.said_samples > 0).then_some(self.said_samples));
        let has_grown = window_samples >= self.before_samples + LEAST_GROWTH_SAMPLES;
        let before = if has_grown { &self.before[..] } else { &[] };
        let by_policy = |has_paused| self.policy.finals(&words, before, window_samples, has_paused);
        let count = match extent {
            Extent::Policy { has_paused } => by_policy(has_paused),
            Extent::Until(place) => by_policy(false).max(words.iter().take_while(|word| word.middle() < place).count()),
            Extent::Whole => words.len(),
        };
        let count = if has_spaces(&written) { whole(&words, count) } else { count };
        if has_grown {
            self.before = words[count..].iter().map(|word| plain(&word.text)).collect();
            self.before_samples = window_samples;
        } else {
            self.before.drain(..count.min(self.before.len()));
        }
        words[..count].iter().for_each(|word| say(&mut self.said, word));
        let given = std::mem::take(&mut self.prefix);
        if let Some(last) = self.said.last() {
            self.prefix = tokens.get(..last.tokens.end).map_or(given, <[Token]>::to_vec);
        }
        if self.prefix.len() > MOST_GIVEN_TOKENS {
            self.forget_prefix();
        }
        if let Some(last) = words[..count].last() {
            (self.said_samples, self.last_said) = (last.end_samples, plain(&last.text));
        }
        let mut drafted = Drafted { end_samples, ..Drafted::default() };
        let (mut left, mut open_left) = (count, words.len() - count);
        for (index, segment) in segments.iter().enumerate() {
            let breath = index.checked_sub(1).map(|before| segments[before].end_samples + BREATH_SAMPLES);
            let goes_on = breath.is_some_and(|breath| segment.start_samples < breath);
            let finals = left.min(segment.words.len());
            left -= finals;
            let (said, open) = segment.words.split_at(finals);
            let open = &open[..open_left.min(open.len())];
            open_left -= open.len();
            append(&mut drafted.finals, part(said), goes_on);
            append(&mut drafted.tail, part(open), goes_on);
        }
        drafted
    }

    /// Takes out words that are final: those that the transcript had to begin with, or, if it began as it liked, those that were heard
    /// before the end of what is. If there are less of these than are final, nothing can begin with them.
    fn drop_said(&mut self, segments: &mut [Segment]) {
        let (given, last) = (self.prefix.len(), self.said.last().map(|word| word.text.clone()).unwrap_or_default());
        let (mut has_begun, mut heard_samples) = (false, 0);
        for segment in segments {
            segment.words.retain_mut(|word| {
                if given > 0 {
                    return word.tokens.start >= given || go_on(word, given, &last);
                }
                // A word that is looked for too early is behind those before it all the same.
                let said_samples = self.said_samples;
                let is_behind = said_samples == 0 || word.middle() >= said_samples && word.end_samples > said_samples;
                // The last word may be heard later than it was.
                let is_near = word.start_samples < said_samples + SHIFT_SAMPLES;
                has_begun |= is_behind && !(is_near && plain(&word.text) == self.last_said);
                if !has_begun {
                    say(&mut self.said, word);
                    heard_samples = word.end_samples;
                }
                has_begun
            });
        }
        if given == 0 && !has_begun && heard_samples + ONE_PLACE_SAMPLES < self.said_samples {
            self.said.clear();
        }
    }
}

/// Takes a word for final, behind those that are. Times may be out of order.
fn say(said: &mut Vec<Said>, Word { text, start_samples, tokens, .. }: &Word) {
    let start_samples = said.last().map_or(0, |last| last.start_samples).max(*start_samples);
    said.push(Said { text: text.clone(), start_samples, tokens: tokens.clone() });
}

/// The times that the model writes around a text bound those that it looks for its words at.
fn keep_within(Segment { start_samples, end_samples, words, .. }: &mut Segment) {
    for word in words.iter_mut() {
        word.start_samples = word.start_samples.clamp(*start_samples, *end_samples);
        word.end_samples = word.end_samples.clamp(*start_samples, *end_samples);
    }
    if let Some(last) = words.last_mut().filter(|last| last.start_samples == last.end_samples) {
        last.end_samples = *end_samples;
    }
}

/// Whether something is left of a word that was final in part, behind its first tokens up to `given`: not if that is punctuation.
fn go_on(word: &mut Word, given: usize, said: &str) -> bool {
    let rest = word.text.strip_prefix(said).filter(|_| word.tokens.end > given && !said.is_empty());
    let Some(rest) = rest.filter(|rest| has_words(rest)) else { return false };
    word.text = rest.to_owned();
    word.tokens.start = given;
    true
}

/// Whether a character of the word is not whole, because there was no room for more tokens.
fn is_incomplete(word: &Word) -> bool {
    word.text.ends_with(char::REPLACEMENT_CHARACTER)
}

/// How many of the `words` come before the first that say again what was said before `said_samples`: the model looks back for these.
fn repeated(words: &[&Word], said_samples: usize) -> usize {
    let is_back = |word: &&Word| word.looked_samples + LEAST_LOOK_BACK_SAMPLES <= said_samples;
    words.windows(LOOKS_BACK).position(|words| words.iter().all(is_back)).unwrap_or(words.len())
}

/// At most `count` of the words, none of which goes on behind them: `-hearted` is no word.
fn whole(words: &[&Word], count: usize) -> usize {
    let goes_on = |count: &usize| words.get(*count).is_some_and(|word| !word.text.starts_with(char::is_whitespace));
    (0..=count).rev().find(|count| !goes_on(count)).unwrap_or_default()
}

/// A model that is given the beginning of a text ends its segments anywhere: those that end no sentence and no breath are one with
/// the next. Signs alone are no line.
fn append(segments: &mut Vec<Segment>, part: Option<Segment>, goes_on: bool) {
    let Some(part) = part else { return };
    match segments.last_mut() {
        Some(last) if goes_on && !ends_sentence(&last.text) => {
            last.words.extend(part.words);
            last.text = text(&last.words);
            last.end_samples = part.end_samples.max(last.end_samples);
        }
        _ if has_words(&part.text) => segments.push(part),
        _ => {}
    }
}

fn text(words: &[Word]) -> String {
    let text: String = words.iter().map(|word| word.text.as_str()).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The part of a segment that has these words.
fn part(words: &[Word]) -> Option<Segment> {
    let (first, last) = (words.first()?, words.last()?);
    let text = text(words);
    let end_samples = last.end_samples.max(first.start_samples + 1);
    let segment = Segment { start_samples: first.start_samples, end_samples, text, ..Segment::default() };
    (!segment.text.is_empty()).then(|| Segment { words: words.to_vec(), ..segment })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timestamps are the tokens from 100 on; each word is a token that no other word is.
    const BEGIN: Token = 100;

    /// A transcript of one segment: words with their ends, each 0.2 s long.
    fn transcript(words: &[(&str, usize)], first: Token) -> WindowTranscript {
        let word = |(index, &(text, end_samples)): (usize, &(&str, usize))| Word {
            text: text.into(),
            start_samples: end_samples - 3_200,
            end_samples,
            probability: 1.0,
            tokens: index + 1..index + 2,
            looked_samples: end_samples,
        };
        let words: Vec<Word> = words.iter().enumerate().map(word).collect();
        let tokens = std::iter::once(BEGIN).chain((0..words.len()).map(|index| first + index as Token)).collect();
        let segment = Segment { end_samples: 480_000, first_token: 1, words, ..Segment::default() };
        WindowTranscript {
            segments: vec![segment],
            tokens,
            written: "en".into(),
            timestamp_begin: BEGIN,
            ..WindowTranscript::default()
        }
    }

    fn texts(segments: &[Segment]) -> Vec<&str> {
        segments.iter().map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn signs_alone_are_no_line_and_begin_the_next_transcript_all_the_same() {
        let mut draft = Draft::new(Policy::Segment);
        let signs = [(" So", 16_000), (" &", 32_000), (" on", 48_000), (" ♪", 64_000)];
        let drafted = draft.take(transcript(&signs[..2], 1), 40_000, Extent::Until(20_000));
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec!["So"], vec![]));
        let drafted = draft.take(transcript(&signs, 1), 60_000, Extent::Until(50_000));
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec!["& on"], vec![]));
        let drafted = draft.take(transcript(&signs, 1), 80_000, Extent::Whole);
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec![], vec![]));
        assert_eq!(draft.prefix(), [BEGIN, 1, 2, 3, 4]);
    }

    #[test]
    fn a_character_that_is_not_whole_is_written_when_it_is() {
        let mut draft = Draft::new(Policy::Segment);
        let drafted = draft.take(transcript(&[(" So", 16_000), ("日\u{FFFD}", 32_000)], 1), 40_000, Extent::Whole);
        assert_eq!((texts(&drafted.finals), drafted.end_samples), (vec!["So"], Some(16_000)));
        let drafted = draft.take(transcript(&[(" So", 16_000), ("日本", 32_000)], 1), 60_000, Extent::Whole);
        assert_eq!(texts(&drafted.finals), ["日本"]);
    }

    const SAID: [(&str, usize); 4] = [(" So", 16_000), (" it", 32_000), (" goes", 48_000), (" on", 64_000)];

    #[test]
    fn what_is_said_before_a_place_is_final_and_begins_the_next_transcript() {
        let mut draft = Draft::new(Policy::Segment);
        let drafted = draft.take(transcript(&SAID, 1), 80_000, Extent::Until(40_000));
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec!["So it"], vec!["goes on"]));
        assert_eq!(draft.prefix(), [BEGIN, 1, 2]);
        let drafted = draft.take(transcript(&SAID, 1), 80_000, Extent::Whole);
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec!["goes on"], vec![]));
    }

    #[test]
    fn what_has_to_change_does_not() {
        let mut draft = Draft::new(Policy::LocalAgreement);
        assert_eq!(draft.take(transcript(&SAID, 1), 72_000, Extent::Policy { has_paused: false }).finals, []);
        let drafted = draft.take(transcript(&SAID, 1), 80_000, Extent::Policy { has_paused: false });
        assert_eq!((texts(&drafted.finals), texts(&drafted.tail)), (vec!["So it goes"], vec!["on"]));
        let other = [(" So", 16_000), (" it", 32_000), (" goes", 48_000), (" off", 64_000)];
        assert_eq!(texts(&draft.take(transcript(&other, 1), 72_000, Extent::Whole).finals), ["off"]);
    }

    #[test]
    fn a_transcript_of_hardly_more_does_not_agree_with_the_one_before() {
        let mut draft = Draft::new(Policy::LocalAgreement);
        let policy = Extent::Policy { has_paused: false };
        assert_eq!(draft.take(transcript(&SAID, 1), 72_000, policy).finals, []);
        let drafted = draft.take(transcript(&SAID, 1), 72_960, Extent::Until(20_000));
        assert_eq!(texts(&drafted.finals), ["So"], "what is said before the place alone");
        assert_eq!(texts(&draft.take(transcript(&SAID, 1), 80_000, policy).finals), ["it goes"]);
    }

    #[test]
    fn a_word_without_a_length_is_not_final_twice() {
        let mut draft = Draft::new(Policy::Segment);
        let words = [(" So", 16_000), (" it", 32_000), (" goes", 70_000)];
        let mut transcript = transcript(&words, 1);
        transcript.segments[0].end_samples = 40_000;
        assert_eq!(texts(&draft.take(transcript.clone(), 80_000, Extent::Whole).finals), ["So it goes"]);
        draft.forget_prefix();
        assert_eq!(draft.take(transcript, 80_000, Extent::Whole).finals, []);
    }

    #[test]
    fn a_word_that_goes_on_is_not_final() {
        let words = [(" cold", 16_000), ("-hearted", 32_000), (" man", 64_000)];
        let mut draft = Draft::new(Policy::Segment);
        assert_eq!(draft.take(transcript(&words, 1), 80_000, Extent::Until(20_000)).finals, []);
        let chinese = WindowTranscript { written: "zh".into(), ..transcript(&[("你", 16_000), ("好", 32_000)], 1) };
        assert_eq!(texts(&draft.take(chinese, 80_000, Extent::Until(20_000)).finals), ["你"]);
    }

    #[test]
    fn what_the_model_looks_back_for_is_not_said_again() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID[..2], 1), 80_000, Extent::Whole);
        let again = [SAID[0], (" it", 100_000), (" so", 16_000), (" it", 32_000), (" goes", 48_000)];
        let mut draft_of_more = draft.clone();
        draft_of_more.said_samples = 100_000;
        assert_eq!(draft_of_more.take(transcript(&again, 1), 120_000, Extent::Whole).finals, []);
        assert_eq!(texts(&draft.take(transcript(&SAID, 1), 120_000, Extent::Whole).finals), ["goes on"]);
    }

    #[test]
    fn words_behind_the_end_go_to_the_next_window_with_their_times() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID, 1), 80_000, Extent::Whole);
        let mut next = draft.split(40_000);
        // " goes" begins at 44 800 samples, 4 800 behind the end: 15 steps of 20 ms.
        assert_eq!((draft.prefix(), next.prefix()), (&[BEGIN, 1, 2][..], &[BEGIN + 15, 3, 4][..]));
        let words = [(" goes", 8_000), (" on", 24_000), (" so", 40_000)];
        assert_eq!(texts(&next.take(transcript(&words, 3), 48_000, Extent::Whole).finals), ["so"]);
    }

    #[test]
    fn a_transcript_without_text_changes_nothing_that_is_final() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID, 1), 80_000, Extent::Whole);
        let before = draft.clone();
        let silent = |tokens| WindowTranscript { tokens, timestamp_begin: BEGIN, ..WindowTranscript::default() };
        for tokens in [vec![], vec![BEGIN], vec![BEGIN, 1, 2, 3, 4, BEGIN + 300]] {
            assert_eq!(draft.take(silent(tokens), 100_000, Extent::Whole).finals, []);
            assert_eq!((draft.prefix(), &draft.said), (before.prefix(), &before.said));
        }
        assert_eq!(draft.split(40_000).prefix(), [BEGIN + 15, 3, 4]);
    }

    #[test]
    fn without_its_beginning_a_text_goes_on_by_its_times() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID, 1), 80_000, Extent::Until(40_000));
        assert!(draft.forget_prefix() && !draft.clone().forget_prefix());
        let heard = [(" Sew", 16_000), (" hit", 32_000), (" goes", 48_000), (" on", 64_000)];
        assert_eq!(texts(&draft.take(transcript(&heard, 5), 80_000, Extent::Whole).finals), ["goes on"]);
        assert_eq!(draft.prefix(), [BEGIN, 5, 6, 7, 8]);
    }

    #[test]
    fn a_word_that_is_heard_later_than_before_is_not_said_again() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID, 1), 80_000, Extent::Until(40_000));
        draft.forget_prefix();
        let heard = [(" So", 16_000), (" It,", 35_300), (" it", 46_400), (" goes", 56_000)];
        let mut rest = draft.clone().split(33_000);
        assert_eq!(texts(&draft.take(transcript(&heard, 5), 80_000, Extent::Whole).finals), ["it goes"]);
        let heard = [(" it", 5_000), (" it", 12_000), (" goes", 20_000)];
        assert_eq!(texts(&rest.take(transcript(&heard, 5), 47_000, Extent::Whole).finals), ["it goes"]);
        let mut later = draft.split(76_000);
        let heard = [(" goes", 5_000)];
        assert_eq!(texts(&later.take(transcript(&heard, 5), 20_000, Extent::Whole).finals), ["goes"], "long before");
    }

    #[test]
    fn words_whose_times_are_out_of_order_keep_their_order() {
        let mut draft = Draft::new(Policy::Segment);
        draft.take(transcript(&SAID, 1), 80_000, Extent::Until(40_000));
        draft.forget_prefix();
        let heard = [(" So", 16_000), (" goes", 48_000), (" it", 32_000), (" on", 64_000)];
        let drafted = draft.take(transcript(&heard, 5), 80_000, Extent::Whole);
        assert_eq!(texts(&drafted.finals), ["goes it on"]);
        assert_eq!(draft.split(40_000).prefix(), [BEGIN + 15, 6, 7, 8]);
    }

    #[test]
    fn a_line_ends_where_a_sentence_does() {
        let segment = |words: &[(&str, usize)]| transcript(words, 1).segments.remove(0).words;
        let mut lines = Vec::new();
        append(&mut lines, part(&segment(&[(" So", 16_000)])), false);
        append(&mut lines, part(&segment(&[(" it", 20_000), (" goes.", 32_000)])), true);
        append(&mut lines, part(&segment(&[(" On", 40_000)])), true);
        append(&mut lines, part(&segment(&[(" on", 60_000)])), false);
        assert_eq!(texts(&lines), ["So it goes.", "On", "on"]);
    }
}
