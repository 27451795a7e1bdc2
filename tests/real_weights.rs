//! Real weights on real speech, held to what PyTorch makes of the same (`tests/golden/README.md`).
//!
//! Needs the models tiny.en and base and Debian's pocketsphinx-testdata, which the set-up installs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use gstwhispernpu::decoder::{self, Decoder, Options};
use gstwhispernpu::device::cpu::Cpu;
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::FrontEnd;
use gstwhispernpu::model::{self, Model};
use gstwhispernpu::transcript::segments;
use serde_json::Value as Json;

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

#[test]
fn log_mel_agrees() {
    let cpu = Cpu::new(0).unwrap();
    for clip in ["0870", "0880"] {
        let golden = golden(&format!("{clip}.mel"));
        let mut front = FrontEnd::new(&cpu, 80).unwrap().session();
        let mel = front.of(&speech(clip)).unwrap();
        let worst = worst_difference(mel, 80, &golden);
        assert!(worst < 1e-4, "log-mel of {clip} is off by {worst}");
    }
}

#[test]
fn tiny_en_agrees() {
    agrees("tiny.en", "0870");
    agrees("tiny.en", "0880");
}

#[test]
fn base_agrees() {
    agrees("base", "0870");
    agrees("base", "0880");
}

fn agrees(name: &str, clip: &str) {
    let golden = golden(&format!("{clip}.{name}"));
    let path = model::find(name).unwrap_or_else(|error| panic!("{error}"));
    let model = Model::open(&path).unwrap();
    let cpu = Cpu::new(0).unwrap();
    let samples = speech(clip);
    let mut front = FrontEnd::new(&cpu, model.config.mel_bins).unwrap().session();
    let mut encoder = Encoder::new(&cpu, &model.config, &model.weights).unwrap().session();
    let states = encoder.encode(front.of(&samples).unwrap()).unwrap();
    let worst = worst_difference(states, model.config.width, &golden["encoder"]);
    assert!(worst < 5e-3, "{name}: states of {clip} are off by {worst}");

    let expected = &golden["greedy"];
    let tokens = integers(&expected["tokens"]);
    let mut network = Decoder::new(&cpu, &model.config, &model.weights).unwrap().session();
    logits_agree(&mut network, states, expected, &format!("{name}: {clip}"));

    let decoding = decoder::decode(&model, &mut network, states, &Options::default(), &AtomicBool::new(false)).unwrap();
    let text: Vec<u32> =
        tokens.iter().copied().filter(|&token| token != model.vocabulary.special.end_of_text).collect();
    assert_eq!(decoding.tokens, text, "{name}: tokens of {clip}");
    let average = number(&expected["sum_log_probability"]) / (text.len() + 1) as f64;
    assert!((decoding.average_log_probability as f64 - average).abs() < 1e-3, "{name}: {decoding:?} but {average}");
    let no_speech = number(&expected["no_speech_probability"]);
    assert!((decoding.no_speech_probability as f64 - no_speech).abs() < 1e-3, "{name}: {decoding:?} but {no_speech}");

    let (segments, _) = segments(&decoding, &model.vocabulary, samples.len());
    let expected = golden["segments"].as_array().unwrap();
    assert_eq!(segments.len(), expected.len());
    for (segment, expected) in segments.iter().zip(expected) {
        assert_eq!(segment.text, expected["text"].as_str().unwrap().trim());
        let (start, end) = (number(&expected["start"]) * 16e3, number(&expected["end"]) * 16e3);
        assert_eq!(segment.start_samples, start.round() as usize);
        assert_eq!(segment.end_samples, (end.round() as usize).min(samples.len()));
    }
}

/// Feeds the recorded tokens and compares the logits after each of the first 20.
fn logits_agree(network: &mut decoder::DecoderSession, states: &[f32], expected: &Json, what: &str) {
    network.listen(states).unwrap();
    let mut input = integers(&expected["prompt"]);
    let stride = expected["logit_stride"].as_u64().unwrap() as usize;
    let steps = expected["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for (index, step) in steps.iter().take(20).enumerate() {
        let logits = network.step(&input).unwrap();
        for (position, expected) in step["logits"].as_array().unwrap().iter().enumerate() {
            let difference = (logits[position * stride] as f64 - number(expected)).abs();
            assert!(difference < 1e-2, "{what}: step {index}: logit {} is off by {difference}", position * stride);
        }
        for pair in step["top"].as_array().unwrap() {
            let difference = (logits[pair[0].as_u64().unwrap() as usize] as f64 - number(&pair[1])).abs();
            assert!(difference < 1e-2, "{what}: step {index}: logit {} is off by {difference}", pair[0]);
        }
        input = vec![step["token"].as_u64().unwrap() as u32];
    }
}

/// Largest difference between `values`, of `columns` columns, and the recorded rows and columns.
fn worst_difference(values: &[f32], columns: usize, golden: &Json) -> f64 {
    let recorded = golden["values"].as_array().unwrap();
    let (at_rows, at_columns) = (integers(&golden["rows"]), integers(&golden["columns"]));
    assert_eq!(recorded.len(), at_rows.len() * at_columns.len());
    let mut worst = 0.0f64;
    for (i, &row) in at_rows.iter().enumerate() {
        for (j, &column) in at_columns.iter().enumerate() {
            let value = values[row as usize * columns + column as usize] as f64;
            worst = worst.max((value - number(&recorded[i * at_columns.len() + j])).abs());
        }
    }
    worst
}

fn golden(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn speech(clip: &str) -> Vec<f32> {
    let path = format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{clip}.wav");
    let mut reader = hound::WavReader::open(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; install the Debian package pocketsphinx-testdata"));
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (16_000, 1));
    reader.samples::<i16>().map(|sample| sample.unwrap() as f32 / 32_768.0).collect()
}

fn number(json: &Json) -> f64 {
    json.as_f64().unwrap()
}

fn integers(json: &Json) -> Vec<u32> {
    json.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}
