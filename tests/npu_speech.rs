//! Speech with stages of the model on the emulated array: the words that come of it.
//!
//! The real clips need the model tiny.en and Debian's pocketsphinx-testdata, which the set-up installs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod toy;

use std::sync::Arc;

use gstwhispernpu::commit::Policy;
use gstwhispernpu::decoder::Options;
use gstwhispernpu::device::cpu::Precision;
use gstwhispernpu::scheduler::{DeviceChoice, Engine, Placement, Stages, Urgency};
use gstwhispernpu::segment::{Limits, Window};
use gstwhispernpu::stream::Stream;
use toy::{Phrase, Timbre, add_noise, beeps};

/// Two sentences of a reader, 7.1 and 3.0 s.
const CLIPS: [&str; 2] = [
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav",
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0880.wav",
];

const EVERY_STAGE: Stages = Stages { mel: true, encoder: true, decoder: true };

fn array(precision: Precision, stages: Stages) -> Placement {
    Placement { device: DeviceChoice::NpuEmulator, precision: Some(precision), threads: 0, stages }
}

fn window(engine: &Engine, samples: &[f32]) -> Window {
    let mut stream = Stream::new(Limits::default(), Policy::Segment, None, engine.spectrogram());
    stream.push(samples).unwrap();
    stream.end().unwrap();
    stream.window().unwrap()
}

/// The text of each of these windows, all of which are asked for at a time.
fn texts(engine: &Engine, clips: &[Vec<f32>]) -> Vec<String> {
    let submit = |samples: &Vec<f32>| engine.submit(window(engine, samples), Options::default(), Urgency::Background);
    let tickets: Vec<_> = clips.iter().map(submit).collect();
    let text = |transcript: gstwhispernpu::transcript::WindowTranscript| {
        transcript.segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
    };
    tickets.into_iter().map(|ticket| text(ticket.wait().unwrap())).collect()
}

fn speech() -> Vec<f32> {
    let clip = |clip| {
        let mut reader = hound::WavReader::open(clip)
            .unwrap_or_else(|error| panic!("{clip}: {error}; install the Debian package pocketsphinx-testdata"));
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (16_000, 1));
        reader.samples::<i16>().map(|sample| sample.unwrap() as f32 / 32_768.0).collect::<Vec<_>>()
    };
    CLIPS.into_iter().flat_map(clip).collect()
}

/// What tiny.en writes of both.
fn tiny(placement: Placement) -> String {
    texts(&Engine::open("tiny.en", placement).unwrap(), &[speech()]).remove(0)
}

/// The same on the processor in f32.
fn reference() -> String {
    let cpu = Placement { device: DeviceChoice::Cpu, precision: Some(Precision::F32), ..Placement::default() };
    let said = tiny(cpu);
    assert!(said.split_whitespace().count() > 3, "{said:?}");
    said
}

/// Fewest words to change, leave out or put in.
fn errors(said: &str, heard: &str) -> usize {
    let heard: Vec<&str> = heard.split_whitespace().collect();
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (index, said) in said.split_whitespace().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, heard) in heard.iter().enumerate() {
            let changed = diagonal + usize::from(said != *heard);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.pop().unwrap()
}

#[test]
fn every_stage_on_the_array_writes_the_toys_words() {
    let phrases = [vec![0, 1, 2], vec![4], vec![3, 3, 0, 2, 1], vec![1, 4], vec![2, 0]];
    let said: Vec<Phrase> =
        phrases.iter().map(|tones| Phrase { at: 0.6, tones: tones.clone(), timbre: Timbre::English }).collect();
    let clips: Vec<Vec<f32>> = said
        .iter()
        .map(|phrase| {
            let mut samples = beeps(std::slice::from_ref(phrase), 4.0);
            add_noise(&mut samples, 1e-3);
            samples
        })
        .collect();
    for precision in [Precision::Bf16, Precision::Int8] {
        let engine: Arc<Engine> = Engine::open(toy::MODEL, array(precision, EVERY_STAGE)).unwrap();
        assert!(engine.devices().iter().all(|(_, device)| *device == "npu-emulator"), "{:?}", engine.devices());
        let expected: Vec<String> = said.iter().map(Phrase::text).collect();
        assert_eq!(texts(&engine, &clips), expected, "{precision:?}");
        assert_eq!(texts(&engine, &clips[..1]), expected[..1], "{precision:?}, alone");
    }
}

#[test]
fn real_speech_through_an_encoder_of_bf16_is_what_f32_hears() {
    assert_eq!(tiny(array(Precision::Bf16, Stages::default())), reference());
}

#[test]
fn real_speech_through_an_encoder_of_int8_is_off_by_a_word_at_most() {
    let (said, heard) = (reference(), tiny(array(Precision::Int8, Stages::default())));
    assert!(errors(&said, &heard) <= 1, "{heard:?} is not {said:?}");
}

#[test]
fn real_speech_through_every_stage_is_what_f32_hears() {
    assert_eq!(tiny(array(Precision::Bf16, EVERY_STAGE)), reference());
}
