//! The toy model held to what PyTorch makes of it (`tests/golden/README.md`): every stage, without weights to install.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod recording;
mod toy;

use std::path::Path;
use std::sync::Arc;

use gstwhispernpu::decoder::{Decoder, Language, Options, Task};
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::FrontEnd;
use gstwhispernpu::model::Model;
use gstwhispernpu::transcript::segments;
use recording::{Json, decode, golden, integers, logits_agree, number, window_mel, words_agree, worst_difference};
use toy::{Phrase, RATE, Timbre, add_noise, beeps_at};

#[test]
fn english_beeps() {
    agrees("toy-en");
}

#[test]
fn german_beeps_cut_by_the_end_of_the_window() {
    agrees("toy-de-cut");
}

#[test]
fn german_beeps_in_english() {
    agrees("toy-de-translate");
}

#[test]
fn noise_alone() {
    agrees("toy-silence");
}

fn agrees(name: &str) {
    let golden = golden(name);
    let samples = synthesise(&golden["clip"]);
    let stride = golden["sample_stride"].as_u64().unwrap() as usize;
    for (index, expected) in golden["every_sample"].as_array().unwrap().iter().enumerate() {
        let difference = (f64::from(samples[index * stride]) - number(expected)).abs();
        assert!(difference < 1e-6, "{name}: sample {} is off by {difference}", index * stride);
    }

    let (model, cpu) = (Arc::new(Model::open(Path::new(toy::MODEL)).unwrap()), Cpu::new(0, Precision::F32).unwrap());
    let front = FrontEnd::new(&cpu, model.config.mel_bins).unwrap();
    let mel = window_mel(&front, model.config.mel_bins, &samples);
    let worst = worst_difference(&mel, model.config.mel_bins, &golden["mel"]);
    assert!(worst < 1e-4, "{name}: log-mel is off by {worst}");
    let mut encoder = Encoder::new(&cpu, &model.config, &model.weights).unwrap().session();
    let states = encoder.encode(&mel).unwrap();
    let worst = worst_difference(states, model.config.width, &golden["encoder"]);
    assert!(worst < 5e-3, "{name}: states are off by {worst}");

    let expected = &golden["greedy"];
    let decoder = Decoder::new(&cpu, &model).unwrap();
    let mut network = decoder.session(1);
    logits_agree(&mut network, states, expected, name);
    let clip = &golden["clip"];
    let task = if clip["task"] == "translate" { Task::Translate } else { Task::Transcribe };
    let options =
        Options { language: Language::parse(clip["language"].as_str().unwrap()).unwrap(), task, ..Options::default() };
    let decoding = decode(&model, network, states, &options);
    let mut tokens = integers(&expected["tokens"]);
    assert_eq!(tokens.pop(), Some(model.vocabulary.special.end_of_text));
    assert_eq!(decoding.tokens, tokens, "{name}");

    let (mut segments, _) = segments(&decoding, &model.vocabulary, samples.len());
    let expected = golden["segments"].as_array().unwrap();
    assert!(segments.len() <= expected.len() && segments.len() + 1 >= expected.len(), "{name}: {segments:?}");
    for (segment, expected) in segments.iter().zip(expected) {
        assert_eq!(segment.text, expected["text"].as_str().unwrap().trim());
        assert_eq!(segment.start_samples, (number(&expected["start"]) * RATE as f64).round() as usize);
    }
    let spoken = (decoding.language.as_str(), options.task);
    let alignment = &golden["alignment"];
    words_agree(&model, decoder.session(1), states, spoken, &mut segments, samples.len(), alignment);
}

fn synthesise(clip: &Json) -> Vec<f32> {
    let timbre = if clip["language"] == "de" { Timbre::German } else { Timbre::English };
    let phrase = |phrase: &Json| {
        let tones = integers(&phrase[1]).into_iter().map(|tone| tone as usize).collect();
        Phrase { at: number(&phrase[0]), tones, timbre }
    };
    let phrases: Vec<Phrase> = clip["phrases"].as_array().unwrap().iter().map(phrase).collect();
    let seconds = number(&clip["samples"]) / RATE as f64;
    let mut samples = beeps_at(&phrases, seconds, RATE as u32, number(&clip["level"]));
    add_noise(&mut samples, number(&clip["noise"]));
    samples
}
