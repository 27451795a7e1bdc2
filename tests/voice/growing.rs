//! Windows that grow, by the real voice and real speech, with a recogniser that makes its words up from where they stand.

use gstwhispernpu::commit::Policy;
use gstwhispernpu::segment::voice::{self, Voice};
use gstwhispernpu::segment::{Limits, Purpose, Window};
use gstwhispernpu::stream::{self, Stream};
use gstwhispernpu::transcript::{Segment, WindowTranscript, Word};
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::windows::{RATE, Talk, play, sentences, spectrogram};

/// A word begins at each half second and lasts 0.4 s; its token is how many came before it.
const WORD_EVERY: u64 = RATE as u64 / 2;
const WORD: u64 = WORD_EVERY * 4 / 5;
const TIMESTAMP_BEGIN: u32 = 10_000;

/// What happens to a stream between two pieces of sound.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Its windows are written at once.
    Write,
    /// They wait.
    Wait,
    /// Windows that still grow are dropped, or all but the last of them.
    Hurry(bool),
    /// What was heard is given up but for so many of its last samples.
    Skip(u64),
}

fn voice() -> Arc<Voice> {
    static VOICE: OnceLock<Arc<Voice>> = OnceLock::new();
    VOICE.get_or_init(|| Voice::open(&voice::find().unwrap_or_else(|error| panic!("{error}"))).unwrap()).clone()
}

/// Speech for longer than any window, a pause within a sentence's, one behind which nothing is remembered, and speech again.
fn talk() -> &'static Talk {
    static TALK: OnceLock<Talk> = OnceLock::new();
    TALK.get_or_init(|| {
        sentences(
            RATE,
            &[
                ("0870", 0),
                ("0880", 0),
                ("0890", 0),
                ("0920", 0),
                ("0930", 0),
                ("0870", RATE),
                ("0880", 5 * RATE),
                ("0890", 2 * RATE),
            ],
        )
    })
}

/// The words within a window, behind those that it has to begin with.
fn written(window: &Window) -> WindowTranscript {
    let (start, end) = (window.start_samples, window.start_samples + window.length_samples as u64);
    let first = start.div_ceil(WORD_EVERY);
    // What is final may have been written to a pause of which this window has less.
    let given = window.prefix.len().saturating_sub(1) as u64;
    let words = (first..).take_while(|word| word * WORD_EVERY + WORD <= end || *word < first + given);
    let tokens: Vec<u32> = std::iter::once(TIMESTAMP_BEGIN).chain(words.clone().map(|word| word as u32)).collect();
    if given > 0 {
        assert!(tokens[1..].starts_with(&window.prefix[1..]), "{:?} does not begin {tokens:?}", window.prefix);
    }
    let words: Vec<Word> = words
        .enumerate()
        .map(|(index, word)| {
            let start_samples = (word * WORD_EVERY - start) as usize;
            let end_samples = start_samples + WORD as usize;
            Word {
                text: format!(" {word}"),
                start_samples,
                end_samples,
                looked_samples: end_samples,
                probability: 1.0,
                tokens: index + 1..index + 2,
            }
        })
        .collect();
    let segment = Segment { end_samples: window.length_samples, first_token: 1, words, ..Segment::default() };
    WindowTranscript {
        segments: vec![segment],
        consumed_samples: window.length_samples,
        written: "en".into(),
        tokens,
        timestamp_begin: TIMESTAMP_BEGIN,
        ..WindowTranscript::default()
    }
}

/// The same by a decoder that ends its text at one word or another, as it does at pauses: always at the same one of the same window.
fn begun(window: &Window) -> WindowTranscript {
    let mut transcript = written(window);
    let given = window.prefix.len().saturating_sub(1);
    let more = 2 + (window.start_samples as usize / 160 * 7 + window.length_samples / 160 * 3 + given * 13) % 40;
    let words = &mut transcript.segments[0].words;
    if given + more < words.len() {
        words.truncate(given + more);
        transcript.consumed_samples = words[words.len() - 1].end_samples;
        transcript.segments[0].end_samples = transcript.consumed_samples;
        transcript.tokens.truncate(1 + given + more);
    }
    transcript
}

/// The words that are final in the end, and up to where the stream was given up.
fn said(limits: Limits, policy: Policy, pieces: &[usize], fates: &[Fate]) -> (Vec<u64>, u64) {
    let (samples, _) = talk();
    let mut stream = Stream::new(limits, policy, Some(&voice()), spectrogram());
    let (mut said, mut skipped, mut position) = (Vec::new(), 0, 0);
    let mut fates = fates.iter().cycle();
    play(&mut stream, samples, pieces, |stream, heard| {
        let fate = if heard == samples.len() { Fate::Write } else { *fates.next().unwrap() };
        match fate {
            Fate::Wait => return,
            Fate::Write => {}
            Fate::Hurry(drops_all) => stream.hurry(drops_all),
            Fate::Skip(left) => {
                let place = (heard as u64).saturating_sub(left).max(stream.position_samples());
                // As if a window had not been written in time.
                let _ = stream.window();
                stream.skip(place);
                skipped = skipped.max(place);
            }
        }
        while let Some(window) = stream.window() {
            assert!(window.length_samples > 0 && window.length_samples <= 30 * RATE);
            let text = stream.accept(written(&window));
            said.extend(
                text.finals.iter().flat_map(|cue| &cue.words).map(|word| word.text.trim().parse::<u64>().unwrap()),
            );
        }
        assert!(stream.position_samples() >= position, "what was final is not");
        position = stream.position_samples();
        assert!(position <= heard as u64);
    });
    assert_eq!(stream.position_samples(), samples.len() as u64, "all is final at the end");
    (said, skipped)
}

fn limits(policy: Policy, latency_ms: u64) -> Limits {
    stream::limits(policy, Duration::from_millis(latency_ms))
}

fn policies() -> impl Strategy<Value = Policy> {
    prop::sample::select(vec![Policy::Segment, Policy::LocalAgreement, Policy::AlignAtt])
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Write),
        2 => Just(Fate::Wait),
        1 => any::<bool>().prop_map(Fate::Hurry),
        1 => (0u64..160_000).prop_map(Fate::Skip),
    ]
}

/// Words that begin and end within a sentence, where nobody can doubt that somebody speaks.
fn spoken() -> impl Iterator<Item = u64> {
    talk().1.iter().flat_map(|&(start, end)| {
        let (start, end) = ((start + RATE / 2) as u64, (end - RATE) as u64);
        (start.div_ceil(WORD_EVERY)..).take_while(move |word| word * WORD_EVERY + WORD <= end)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn each_word_is_said_once_and_in_order(
        policy in policies(),
        latency_ms in 2_000u64..20_000,
        pieces in prop::collection::vec(1usize..40_000, 1..6),
        fates in prop::collection::vec(prop_oneof![Just(Fate::Write), Just(Fate::Wait), Just(Fate::Hurry(false)), Just(Fate::Hurry(true))], 1..6),
    ) {
        let (said, _) = said(limits(policy, latency_ms), policy, &pieces, &fates);
        prop_assert!(said.is_sorted_by(|one, next| one < next), "{:?}", said);
        for word in spoken() {
            prop_assert!(said.contains(&word), "{} of {:?}", word, said);
        }
    }

    #[test]
    fn what_is_given_up_leaves_the_rest_in_order(
        policy in policies(),
        latency_ms in 2_000u64..20_000,
        pieces in prop::collection::vec(1usize..40_000, 1..6),
        fates in prop::collection::vec(fates(), 1..12),
    ) {
        let (said, skipped) = said(limits(policy, latency_ms), policy, &pieces, &fates);
        prop_assert!(said.is_sorted_by(|one, next| one < next), "{:?}", said);
        // Who speaks on at a cut is heard again where the voice is next noticed.
        for word in spoken().filter(|word| word * WORD_EVERY > skipped + 2 * RATE as u64) {
            prop_assert!(said.contains(&word), "{} of {:?}, skipped to {}", word, said, skipped);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn how_many_samples_come_at_a_time_does_not_matter_where_texts_end_too_soon(
        policy in policies(),
        latency_ms in 4_000u64..20_000,
        is_told in any::<bool>(),
        pieces in prop::collection::vec(1usize..60_000, 1..6),
    ) {
        let limits = limits(policy, latency_ms);
        let limits = if is_told { limits.told() } else { limits };
        let cues = |pieces: &[usize]| {
            let mut stream = Stream::new(limits, policy, Some(&voice()), spectrogram());
            let mut cues = Vec::new();
            play(&mut stream, &talk().0, pieces, |stream, _| {
                while let Some(window) = stream.window() {
                    cues.extend(stream.accept(begun(&window)).finals);
                }
            });
            cues
        };
        let expected = cues(&[320]);
        let said: Vec<u64> =
            expected.iter().flat_map(|cue| &cue.words).map(|word| word.text.trim().parse().unwrap()).collect();
        prop_assert!(said.len() > 30 && said.is_sorted_by(|one, next| one < next), "{:?}", said);
        prop_assert_eq!(&cues(&[usize::MAX]), &expected);
        prop_assert_eq!(&cues(&pieces), &expected);
    }
}

#[test]
fn what_was_given_up_within_a_pause_does_not_come_back() {
    let pieces = [320];
    let (_, sentences) = talk();
    let pause = sentences[6].1;
    for place in [pause + RATE * 3 / 2, pause + 2 * RATE, pause + 4 * RATE] {
        let mut fates = vec![Fate::Write; talk().0.len() / pieces[0] + 1];
        fates[place / pieces[0]] = Fate::Skip(0);
        let (said, _) = said(limits(Policy::Segment, 8_000), Policy::Segment, &pieces, &fates);
        assert!(said.is_sorted_by(|one, next| one < next), "{said:?}");
    }
}

/// A window that is not written in time may reach further than what is given up with it.
#[test]
fn what_a_window_has_behind_the_place_that_is_skipped_to_is_said() {
    let fates = [Fate::Skip(133_551)];
    let (said, skipped) = said(limits(Policy::Segment, 8_977), Policy::Segment, &[11_400], &fates);
    let missing: Vec<u64> =
        spoken().filter(|word| word * WORD_EVERY > skipped + 2 * RATE as u64 && !said.contains(word)).collect();
    assert!(missing.is_empty(), "{missing:?}, skipped to {skipped}");
}

/// A window that has grown takes long to encode, so what is said behind a pause is first heard by itself.
#[test]
fn who_speaks_again_is_told_of_soon() {
    let (samples, sentences) = sentences(RATE, &[("0870", RATE * 3 / 2), ("0880", RATE)]);
    let again = sentences[1].0 as u64;
    for policy in [Policy::LocalAgreement, Policy::AlignAtt] {
        let mut stream = Stream::new(limits(policy, 8_000).told(), policy, Some(&voice()), spectrogram());
        let mut told = Vec::new();
        for piece in samples.chunks(320) {
            stream.push(piece).unwrap();
            while let Some(window) = stream.window() {
                let text = stream.accept(written(&window));
                let end = window.start_samples + window.length_samples as u64;
                if (again + RATE as u64 / 5..again + RATE as u64).contains(&end) {
                    told.push((window, text));
                }
            }
        }
        assert!(told.len() >= 3, "{}", told.len());
        for (window, text) in told {
            assert!(window.start_samples + RATE as u64 / 2 > again);
            assert!(window.purpose == Purpose::Glance && window.prefix.is_empty());
            assert!(text.finals.is_empty() && text.tail.is_some());
        }
    }
}

/// A slow device is asked for no more than it was when nothing was transcribed more often than each 0.5 s.
#[test]
fn what_takes_long_is_transcribed_less_often() {
    let drafts = |limits: Limits, inference_samples| {
        let mut stream = Stream::new(limits, Policy::AlignAtt, Some(&voice()), spectrogram());
        stream.expect(inference_samples);
        let mut drafts = 0;
        for piece in talk().0.chunks(320) {
            stream.push(piece).unwrap();
            while let Some(window) = stream.window() {
                drafts += usize::from(window.purpose == Purpose::Draft);
                stream.accept(written(&window));
            }
        }
        drafts
    };
    let seldom = Limits::streaming(Duration::from_secs(8));
    let [quick, busy, slow] = [0, 3_400, 16_000].map(|inference_samples| drafts(seldom.often(), inference_samples));
    assert!(quick > busy && busy > slow, "{quick}, {busy}, {slow}");
    assert!(quick * 4 > slow * 5, "each 0.35 s {quick}, each 0.5 s {slow}");
    assert_eq!(slow, drafts(seldom, 0));
}

/// Somebody who watches partials reads the same text in the end as somebody who does not.
#[test]
fn partials_are_short_and_change_nothing_that_is_final() {
    let windows = |limits: Limits, policy: Policy| {
        let mut stream = Stream::new(limits, policy, Some(&voice()), spectrogram());
        let (mut finals, mut glances) = (Vec::new(), 0);
        for piece in talk().0.chunks(RATE / 10) {
            stream.push(piece).unwrap();
            while let Some(window) = stream.window() {
                if window.purpose == Purpose::Glance {
                    glances += 1;
                    assert!(window.length_samples <= 10 * RATE, "{} samples", window.length_samples);
                } else {
                    finals.push((window.start_samples, window.length_samples, window.prefix.clone()));
                }
                stream.accept(written(&window));
            }
        }
        (finals, glances)
    };
    for (policy, least) in [(Policy::Segment, 50), (Policy::LocalAgreement, 10), (Policy::AlignAtt, 10)] {
        let without = limits(policy, 8_000);
        let ((quiet, none), (told, some)) = (windows(without, policy), windows(without.told(), policy));
        assert_eq!(quiet, told);
        assert!(none == 0 && some > least, "{policy:?}: {none}, {some}");
    }
}

/// A sentence that follows on another is encoded as the model was trained, one that stands alone as it can be.
#[test]
fn what_goes_on_from_what_is_final_is_encoded_to_its_full_length() {
    let (samples, _) = sentences(RATE, &[("0880", 2 * RATE), ("0880", 2 * RATE)]);
    let mut stream = Stream::new(limits(Policy::Segment, 8_000), Policy::Segment, Some(&voice()), spectrogram());
    let mut windows = Vec::new();
    for piece in samples.chunks(RATE / 10) {
        stream.push(piece).unwrap();
        while let Some(window) = stream.window() {
            windows.push((window.prefix.is_empty(), window.purpose.frames_to_encode(window.length_samples) == 3_000));
            stream.accept(written(&window));
        }
    }
    assert_eq!(windows, [(true, false), (false, true)]);
}

/// Behind a short silence a word is as whole as behind a pause.
#[test]
fn the_last_word_before_a_pause_is_final_before_the_pause_is_one() {
    let (samples, sentences) = sentences(RATE, &[("0870", 3 * RATE)]);
    let spoken = sentences[0].1 as u64 - WORD_EVERY;
    for policy in [Policy::LocalAgreement, Policy::AlignAtt] {
        let mut stream = Stream::new(limits(policy, 8_000), policy, Some(&voice()), spectrogram());
        let mut last = None;
        for piece in samples.chunks(320) {
            stream.push(piece).unwrap();
            while let Some(window) = stream.window() {
                let mut transcript = written(&window);
                transcript.segments[0].words.retain(|word| window.start_samples + (word.start_samples as u64) < spoken);
                let purpose = window.purpose;
                let finals = stream.accept(transcript).finals;
                last =
                    finals.iter().flat_map(|cue| &cue.words).last().map(|word| (word.text.clone(), purpose)).or(last);
            }
        }
        let (word, purpose) = last.unwrap();
        assert_eq!(word.trim().parse::<u64>().unwrap(), spoken.div_ceil(WORD_EVERY) - 1);
        assert_eq!(purpose, Purpose::Draft, "{policy:?}");
    }
}

/// Who was kept waiting by one window hears in the next all that was said meanwhile, and then not the same again at once.
#[test]
fn a_window_that_waited_has_all_that_was_heard() {
    let (samples, _) = talk();
    for policy in [Policy::LocalAgreement, Policy::AlignAtt] {
        let mut stream = Stream::new(limits(policy, 8_000), policy, Some(&voice()), spectrogram());
        let (mut heard, mut last, mut updates) = (0, 0, 0);
        // While each window is written, 0.7 s are said.
        for piece in samples[..12 * RATE].chunks(RATE * 7 / 10) {
            for samples in piece.chunks(320) {
                stream.push(samples).unwrap();
                heard += samples.len() as u64;
            }
            stream.hurry(false);
            while let Some(window) = stream.window() {
                let end = window.start_samples + window.length_samples as u64;
                if window.purpose == Purpose::Draft {
                    assert!(end + RATE as u64 / 20 >= heard, "{end} of {heard}");
                    assert!(end >= last + RATE as u64 / 2, "{end} after {last}");
                    (last, updates) = (end, updates + 1);
                }
                stream.accept(written(&window));
            }
        }
        assert!(updates > 10, "{updates}");
    }
}

/// Where a long window's text ends too soon whatever it begins with, what follows is heard in a shorter one, with what was said before.
#[test]
fn what_a_text_leaves_of_a_long_window_is_heard_with_what_was_said_before() {
    let mut stream = Stream::new(limits(Policy::Segment, 8_000), Policy::Segment, Some(&voice()), spectrogram());
    let (mut windows, mut said) = (Vec::<(u64, usize, u64)>::new(), Vec::new());
    for piece in talk().0.chunks(320) {
        stream.push(piece).unwrap();
        while let Some(window) = stream.window() {
            let mut transcript = written(&window);
            if window.length_samples > 16 * RATE {
                let words = &mut transcript.segments[0].words;
                words.retain(|word| word.end_samples < 14 * RATE);
                transcript.consumed_samples = words[words.len() - 1].end_samples;
                transcript.tokens.truncate(1 + words.len());
            }
            windows.push((
                window.start_samples,
                window.prefix.len(),
                window.start_samples + transcript.consumed_samples as u64,
            ));
            said.extend(stream.accept(transcript).finals.into_iter().flat_map(|cue| cue.words).map(|word| word.text));
        }
    }
    // Heard, heard without its beginning, begun anew.
    let again = windows.windows(3).find(|three| three[0].0 == three[1].0 && three[2].0 > three[1].0 && three[1].1 == 0);
    let [_, (_, _, left_at), (start, given, _)] = again.unwrap() else { panic!() };
    assert!((4 * RATE as u64..=8 * RATE as u64).contains(&(left_at - start)), "{left_at} from {start}");
    assert!(*given > 4, "{given} tokens");
    let said: Vec<u64> = said.iter().map(|word| word.trim().parse().unwrap()).collect();
    assert!(said.is_sorted_by(|one, next| one < next), "{said:?}");
}

/// A decoder may take the beginning that it is given for the whole text, again and again.
#[test]
fn a_text_whose_beginning_keeps_it_from_going_on_is_soon_begun_anew() {
    for policy in [Policy::LocalAgreement, Policy::AlignAtt] {
        let mut stream = Stream::new(limits(policy, 20_000), policy, Some(&voice()), spectrogram());
        let mut delays = Vec::new();
        for piece in talk().0.chunks(320) {
            stream.push(piece).unwrap();
            while let Some(window) = stream.window() {
                let mut transcript = written(&window);
                if window.purpose == Purpose::Draft && !window.prefix.is_empty() {
                    transcript.segments[0].words.truncate(window.prefix.len() - 1);
                    transcript.tokens.truncate(window.prefix.len());
                }
                let end = window.start_samples + window.length_samples as u64;
                let finals = stream.accept(transcript).finals;
                delays
                    .extend(finals.iter().flat_map(|cue| &cue.words).map(|word| end.saturating_sub(word.end_samples)));
            }
        }
        let (count, most) = (delays.len(), delays.into_iter().max().unwrap());
        assert!(count > 60 && most < 6 * RATE as u64, "{policy:?}: {count} words, at most {most} samples late");
    }
}
