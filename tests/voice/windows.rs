//! Where windows are cut, by the real voice and real speech.

use std::path::Path;
use std::sync::LazyLock;

use gstwhispernpu::commit::Policy;
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::mel::{FrontEnd, Spectrogram};
use gstwhispernpu::segment::voice::{self, Thresholds, Voice};
use gstwhispernpu::segment::{Limits, Owner, Window};
use gstwhispernpu::stream::Stream;
use gstwhispernpu::transcript::WindowTranscript;

pub const RATE: usize = 16_000;
const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

static OWNER: LazyLock<Owner> = LazyLock::new(Owner::default);

/// Samples, and where the sentences in them stand.
pub type Talk = (Vec<f32>, Vec<(usize, usize)>);

/// Sentences and silences by turns: the samples, and where the sentences stand.
fn talk() -> Talk {
    let clips = [("0870", 1), ("0880", 20), ("0890", 2), ("0920", 1), ("0930", 1), ("0870", 40), ("0880", 0)];
    sentences(7 * RATE, &clips.map(|(clip, silence_s)| (clip, silence_s * RATE)))
}

/// So many samples of silence and then recorded sentences, each with what silence is behind it; and where the sentences stand.
pub fn sentences(lead: usize, clips: &[(&str, usize)]) -> Talk {
    let (mut samples, mut sentences) = (vec![0.0; lead], Vec::new());
    for (clip, silence) in clips {
        let path = format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{clip}.wav");
        let mut reader = hound::WavReader::open(Path::new(&path)).unwrap();
        let start = samples.len();
        samples.extend(reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0));
        sentences.push((start, samples.len()));
        samples.resize(samples.len() + silence, 0.0);
    }
    (samples, sentences)
}

pub fn spectrogram() -> Spectrogram {
    FrontEnd::new(&Cpu::new(1, Precision::Int8).unwrap(), 80).unwrap().spectrogram()
}

/// Gives a stream samples in pieces; `then` is told how many it has and takes what there is, until it is done.
pub fn play(stream: &mut Stream, samples: &[f32], pieces: &[usize], mut then: impl FnMut(&mut Stream, usize)) {
    let (mut rest, mut pieces) = (samples, pieces.iter().cycle());
    while !stream.is_done() {
        let (now, later) = rest.split_at((*pieces.next().unwrap()).min(rest.len()));
        rest = later;
        stream.push(now).unwrap();
        if rest.is_empty() {
            stream.end().unwrap();
        }
        then(stream, samples.len() - rest.len());
    }
}

/// Windows, accepted as soon as they come, of a stream that gets its samples in pieces.
fn windows(samples: &[f32], pieces: &[usize], limits: Limits) -> Vec<Window> {
    let voice = Voice::open(&voice::find().unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let mut stream = Stream::new(limits, Policy::Segment, Some(&voice), spectrogram());
    let mut windows = Vec::<Window>::new();
    play(&mut stream, samples, pieces, |stream, _| {
        while let Some(window) = stream.window() {
            let consumed_samples = window.length_samples;
            stream.accept(WindowTranscript { consumed_samples, ..WindowTranscript::default() });
            windows.push(window);
        }
        let known = windows.last().map_or(0, |window| window.start_samples + window.length_samples as u64);
        assert!(stream.position_samples() >= known);
    });
    assert_eq!(stream.position_samples(), samples.len() as u64, "all is final at the end");
    // Each stream's are its own.
    windows.iter_mut().for_each(|window| window.stream = OWNER.clone());
    windows
}

/// 45 dB less is what a microphone gives that is turned down.
#[test]
fn windows_hold_all_speech_and_little_silence_however_loud() {
    let (loud, sentences) = talk();
    for factor in [1.0, 0.0056] {
        let samples: Vec<f32> = loud.iter().map(|sample| sample * factor).collect();
        let windows = windows(&samples, &[usize::MAX], Limits::default());
        for &(start, end) in &sentences {
            // Recordings begin and end with some silence of their own.
            let (start, end) = (start + RATE / 2, end - RATE / 2);
            let holds = |window: &Window| {
                let first = window.start_samples as usize;
                first <= start && first + window.length_samples >= end
            };
            assert!(windows.iter().any(holds), "no window holds {start} to {end} whole");
        }
        let held: usize = windows.iter().map(|window| window.length_samples).sum();
        let spoken: usize = sentences.iter().map(|(start, end)| end - start).sum();
        assert!(held < spoken + 6 * RATE, "{held} samples for {spoken} of speech");
        assert!(windows.iter().all(|window| window.length_samples <= 30 * RATE));
        let overlap = |pair: &[Window]| pair[0].start_samples + pair[0].length_samples as u64 > pair[1].start_samples;
        assert!(!windows.windows(2).any(overlap));
    }
}

#[test]
fn how_many_samples_come_at_a_time_does_not_matter() {
    let (samples, _) = talk();
    let live = Limits {
        window_samples: 6 * RATE,
        cut_search_samples: RATE,
        pause_samples: RATE / 2,
        windows_at_a_time: 1,
        ..Limits::default()
    };
    for limits in [Limits::default(), live] {
        let whole = windows(&samples, &[usize::MAX], limits);
        for pieces in [&[1_600][..], &[511], &[1, 77_777, 512, 13]] {
            let pieced = windows(&samples, pieces, limits);
            let places = |windows: &[Window]| -> Vec<(u64, usize)> {
                windows.iter().map(|window| (window.start_samples, window.length_samples)).collect()
            };
            assert_eq!(places(&pieced), places(&whole), "{pieces:?}");
            assert!(pieced == whole, "{pieces:?}: the spectrogram is another");
        }
    }
}

#[test]
fn silence_gives_no_window_and_is_final_soon() {
    let voice = Voice::open(&voice::find().unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let mut stream = Stream::new(Limits::default(), Policy::Segment, Some(&voice), spectrogram());
    for second in 1..=60 {
        stream.push(&vec![0.0; RATE]).unwrap();
        assert_eq!(stream.window(), None);
        assert!(stream.position_samples() + 2 * RATE as u64 > second * RATE as u64, "at {second} s");
    }
    stream.end().unwrap();
    assert_eq!(stream.window(), None);
    assert!(stream.is_done());
}

/// What speech must be decides what is heard at all, and however long it has to last, its beginning is kept.
#[test]
fn thresholds_decide_what_is_heard() {
    let (samples, sentences) = talk();
    let limits = |voice| Limits { voice, ..Limits::default() };
    let deaf = Thresholds { speech: 1.1, silence: 1.1, ..Thresholds::default() };
    assert!(windows(&samples, &[usize::MAX], limits(deaf)).is_empty());
    // Every sentence has a second of voice without a break of half a second.
    let slow = Thresholds { min_speech_samples: 16_000, min_silence_samples: 8_000, ..Thresholds::default() };
    let windows = windows(&samples, &[usize::MAX], limits(slow));
    for &(start, end) in &sentences {
        let (start, end) = (start + RATE / 2, end - RATE / 2);
        let held = |window: &Window| {
            let first = window.start_samples as usize;
            first <= start && first + window.length_samples >= end
        };
        assert!(windows.iter().any(held), "no window holds {start} to {end} whole");
    }
}

/// A decoder may close its text early, with somebody speaking on.
#[test]
fn what_is_said_behind_a_text_is_heard_again() {
    let (samples, sentences) = sentences(RATE, &[("0870", 4 * RATE)]);
    let voice = Voice::open(&voice::find().unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let rest = |text_end: usize| {
        let mut stream = Stream::new(Limits::default(), Policy::Segment, Some(&voice), spectrogram());
        stream.push(&samples).unwrap();
        stream.end().unwrap();
        let window = stream.window().unwrap();
        let consumed_samples = text_end - window.start_samples as usize;
        stream.accept(WindowTranscript { consumed_samples, ..WindowTranscript::default() });
        stream.window().map(|rest| (rest.start_samples as usize, rest.start_samples as usize + rest.length_samples))
    };
    let (_, end) = sentences[0];
    let said_to = end - 2 * RATE;
    let (rest_start, rest_end) = rest(said_to).unwrap();
    assert!(rest_start.abs_diff(said_to) < 160 && rest_end + RATE > end, "{rest_start} to {rest_end}");
    assert_eq!(rest(end - RATE * 2 / 5), None, "the last sound of a text is no rest");
}
