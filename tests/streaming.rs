//! Streams through the scheduler on the toy model: what a caller of the engine notices.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod toy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstwhispernpu::Error;
use gstwhispernpu::commit::Policy;
use gstwhispernpu::decoder::{DecodeError, Language, Options, Task};
use gstwhispernpu::scheduler::{Engine, Placement, ScheduleError, Urgency};
use gstwhispernpu::segment::{Limits, Window};
use gstwhispernpu::stream::{Cue, Stream};
use proptest::prelude::*;
use toy::{Phrase, RATE, Timbre, beeps, talk};

fn engine() -> Arc<Engine> {
    Engine::open(toy::MODEL, Placement::default()).unwrap()
}

/// Feeds `samples` in pieces of the given lengths, again and again, and collects the text.
fn transcribe(engine: &Engine, samples: &[f32], pieces: &[usize], options: Options) -> Vec<Cue> {
    let stream = Stream::new(Limits::default(), Policy::Segment, None, engine.spectrogram());
    transcribe_with(stream, engine, samples, pieces, options)
}

fn transcribe_with(
    mut stream: Stream,
    engine: &Engine,
    samples: &[f32],
    pieces: &[usize],
    mut options: Options,
) -> Vec<Cue> {
    let (mut cues, mut rest) = (Vec::new(), samples);
    let mut drain = |stream: &mut Stream| {
        while let Some(window) = stream.window() {
            let transcript = engine.submit(window, options.clone(), Urgency::Background).wait().unwrap();
            transcript.settle(&mut options);
            cues.extend(stream.accept(transcript).finals);
        }
    };
    for &piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at(piece.clamp(1, rest.len().max(1)).min(rest.len()));
        stream.push(now).unwrap();
        drain(&mut stream);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    stream.end().unwrap();
    drain(&mut stream);
    assert!(stream.is_done());
    cues
}

/// A window that is a stream of its own.
fn window(engine: &Engine, samples: &[f32]) -> Window {
    let mut stream = Stream::new(Limits::default(), Policy::Segment, None, engine.spectrogram());
    stream.push(samples).unwrap();
    stream.end().unwrap();
    stream.window().unwrap()
}

fn texts(cues: &[Cue]) -> Vec<&str> {
    cues.iter().map(|cue| cue.text.as_str()).collect()
}

fn english() -> Options {
    Options::default()
}

/// Every word once, in order, and every phrase at its time. One that a window's end cuts may be written in two cues, and the
/// first of a window begins within the window's first second, by Whisper's rule.
#[track_caller]
fn assert_said(cues: &[Cue], phrases: &[Phrase]) {
    assert_eq!(texts(cues).join(" "), phrases.iter().map(Phrase::text).collect::<Vec<_>>().join(" "));
    let seconds = |samples: u64| samples as f64 / RATE as f64;
    for phrase in phrases {
        let begun = |cue: &Cue| seconds(cue.start_samples) < phrase.at + 0.15 && seconds(cue.end_samples) > phrase.at;
        assert!(cues.iter().any(begun), "{phrase:?} begins late: {cues:?}");
        let ended = |cue: &Cue| (seconds(cue.end_samples) - phrase.end()).abs() < 0.15;
        assert!(cues.iter().any(ended), "{phrase:?} does not end in time: {cues:?}");
    }
    assert!(cues.windows(2).all(|pair| pair[0].end_samples <= pair[1].start_samples), "{cues:?}");
}

#[test]
fn a_long_recording_is_written_once_and_whole() {
    let phrases = talk(100.0, 4.1);
    let cues = transcribe(&engine(), &beeps(&phrases, 100.0), &[usize::MAX], english());
    assert_said(&cues, &phrases);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_buffers_give_the_same_text(pieces in prop::collection::vec(1usize..200_000, 1..6)) {
        let phrases = talk(45.0, 3.7);
        let samples = beeps(&phrases, 45.0);
        let engine = engine();
        let whole = transcribe(&engine, &samples, &[usize::MAX], english());
        prop_assert_eq!(&transcribe(&engine, &samples, &pieces, english()), &whole);
        assert_said(&whole, &phrases);
    }

    #[test]
    fn any_buffers_give_the_same_text_of_windows_that_grow(
        pieces in prop::collection::vec(1usize..100_000, 1..6),
        policy in prop::sample::select(vec![Policy::Segment, Policy::LocalAgreement, Policy::AlignAtt]),
    ) {
        let samples = beeps(&talk(14.0, 3.7), 14.0);
        let engine = engine();
        let limits = Limits::streaming(std::time::Duration::from_secs(4));
        let limits = if policy == Policy::AlignAtt { limits.often() } else { limits };
        let options = Options { words: true, ..english() };
        let said = |pieces: &[usize]| {
            let stream = Stream::new(limits, policy, None, engine.spectrogram());
            transcribe_with(stream, &engine, &samples, pieces, options.clone())
        };
        let whole = said(&[usize::MAX]);
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(&said(&pieces), &whole);
    }
}

#[test]
fn words_have_their_times_and_do_not_change_the_text() {
    // Longer than a window, so that words of several windows, decoded together, are put in order.
    let phrases = talk(70.0, 4.1);
    let samples = beeps(&phrases, 70.0);
    let with_words = Options { words: true, ..english() };
    let cues = transcribe(&engine(), &samples, &[30_000], with_words);
    let plain: Vec<Cue> = cues.iter().map(|cue| Cue { words: Vec::new(), ..cue.clone() }).collect();
    assert_eq!(plain, transcribe(&engine(), &samples, &[usize::MAX], english()));
    for cue in &cues {
        assert_eq!(cue.words.iter().map(|word| word.text.as_str()).collect::<String>().trim(), cue.text);
    }
    let words: Vec<_> = cues.iter().flat_map(|cue| &cue.words).collect();
    assert!(words.iter().all(|word| word.start_samples <= word.end_samples));
    assert!(words.iter().all(|word| (0.0..=1.0).contains(&word.probability)));
    assert!(words.windows(2).all(|pair| pair[0].end_samples <= pair[1].start_samples));
    assert_eq!(words.len(), phrases.iter().map(|phrase| phrase.tones.len()).sum::<usize>());
}

#[test]
fn silence_and_nothing_say_nothing() {
    let engine = engine();
    for samples in [vec![], vec![0.0], vec![0.0; 17], vec![0.0; 40 * RATE]] {
        assert_eq!(transcribe(&engine, &samples, &[usize::MAX], english()), []);
    }
}

#[test]
fn the_language_is_heard_or_given_and_can_be_translated() {
    let phrase = Phrase { at: 0.5, tones: vec![4, 0, 2], timbre: Timbre::German };
    let samples = beeps(std::slice::from_ref(&phrase), 4.0);
    let said = |language: &str, task| {
        let options = Options { language: Language::parse(language).unwrap(), task, ..Options::default() };
        transcribe(&engine(), &samples, &[usize::MAX], options).remove(0)
    };
    let heard = said("auto", Task::Transcribe);
    assert_eq!((heard.text.as_str(), heard.language.as_str()), ("fünf eins drei", "de"));
    assert_eq!(said("de-AT", Task::Transcribe).text, "fünf eins drei");
    assert_eq!(said("de", Task::Translate).text, "so do mi");
}

#[test]
fn a_language_that_the_model_lacks_is_refused_with_what_it_has() {
    let options = Options { language: Language::parse("fr").unwrap(), ..english() };
    let engine = engine();
    let error = engine.submit(window(&engine, &[0.1; 800]), options, Urgency::Background).wait().unwrap_err();
    assert!(matches!(error, Error::Decode(DecodeError::UnknownLanguage { .. })), "{error}");
    assert!(error.to_string().contains("en de"), "{error}");
}

#[test]
fn who_asks_for_the_same_model_gets_the_same_engine() {
    let (first, second) = (engine(), engine());
    assert!(Arc::ptr_eq(&first, &second));
    let third = Engine::open(&format!("{}/../toy", toy::MODEL), Placement::default()).unwrap();
    assert!(Arc::ptr_eq(&first, &third), "another spelling of the path is the same model");
}

#[test]
fn streams_do_not_disturb_one_another() {
    let engine = engine();
    let talks: Vec<Vec<Phrase>> = (0..3).map(|index| talk(40.0, 3.0 + index as f64 * 0.7)).collect();
    std::thread::scope(|scope| {
        for phrases in &talks {
            let engine = &engine;
            scope.spawn(move || {
                let cues = transcribe(engine, &beeps(phrases, 40.0), &[5_000], english());
                assert_said(&cues, phrases);
            });
        }
    });
}

#[test]
fn a_cancelled_window_answers_at_once_and_the_engine_goes_on() {
    let engine = engine();
    let window = || window(&engine, &beeps(&talk(29.0, 2.9), 29.9));
    let before = engine.counters();
    let tickets: Vec<_> = (0..8).map(|_| engine.submit(window(), english(), Urgency::Background)).collect();
    let cancelled = Instant::now();
    for ticket in tickets {
        ticket.canceller().cancel();
        assert!(matches!(ticket.wait(), Err(Error::Schedule(ScheduleError::Cancelled))));
    }
    assert!(cancelled.elapsed() < Duration::from_millis(100), "{:?}", cancelled.elapsed());
    assert!(engine.submit(window(), english(), Urgency::Background).wait().is_ok());
    assert!(engine.counters().windows > before.windows);
}

#[test]
fn short_windows_are_cut_in_pauses() {
    let phrases = talk(60.0, 4.1);
    let samples = beeps(&phrases, 60.0);
    let limits = Limits { window_samples: 6 * RATE, cut_search_samples: 2 * RATE, ..Limits::default() };
    let (engine, mut cues) = (engine(), Vec::new());
    let mut stream = Stream::new(limits, Policy::Segment, None, engine.spectrogram());
    stream.push(&samples).unwrap();
    stream.end().unwrap();
    while let Some(window) = stream.window() {
        assert!(window.length_samples <= limits.window_samples);
        cues.extend(stream.accept(engine.submit(window, english(), Urgency::Background).wait().unwrap()).finals);
    }
    assert_eq!(texts(&cues).join(" "), phrases.iter().map(Phrase::text).collect::<Vec<_>>().join(" "));
}
