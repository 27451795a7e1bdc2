//! Real weights on real speech, held to what PyTorch makes of the same (`tests/golden/README.md`).
//!
//! Needs the models tiny.en, base and silero-vad and Debian's pocketsphinx-testdata, which the set-up installs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod recording;

use std::sync::Arc;

use gstwhispernpu::commit::Policy;
use gstwhispernpu::decoder::{Decoder, Options, Task};
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::FrontEnd;
use gstwhispernpu::model::{self, Model};
use gstwhispernpu::scheduler::{Engine, Placement, Urgency};
use gstwhispernpu::segment::Limits;
use gstwhispernpu::segment::voice::{self, Voice};
use gstwhispernpu::stream::Stream;
use gstwhispernpu::transcript::segments;
use recording::{decode, golden, integers, logits_agree, number, window_mel, words_agree, worst_difference};

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

#[test]
fn log_mel_agrees() {
    for precision in [Precision::F32, Precision::Int8] {
        let front = FrontEnd::new(&Cpu::new(0, precision).unwrap(), 80).unwrap();
        for clip in ["0870", "0880"] {
            let mel = window_mel(&front, 80, &speech(clip));
            let worst = worst_difference(&mel, 80, &golden(&format!("{clip}.mel")));
            assert!(worst < 1e-4, "log-mel of {clip} in {precision:?} is off by {worst}");
        }
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

/// Two sentences with a second of zeros between them; room noise begins and ends with each. Where the level of speech begins was
/// read off 10 ms at a time.
#[test]
fn words_begin_with_the_voice() {
    let (first, second) = (speech("0870"), speech("0880"));
    let begins = [0.24, first.len() as f64 / 16e3 + 1.0 + 0.26];
    let samples = [first, vec![0.0; 16_000], second].concat();
    let engine = Engine::open("tiny.en", Placement::default()).unwrap();
    let voice = Voice::open(&voice::find().unwrap()).unwrap();
    let mut stream = Stream::new(Limits::default(), Policy::Segment, Some(&voice), engine.spectrogram());
    stream.push(&samples).unwrap();
    stream.end().unwrap();
    let (options, mut words) = (Options { words: true, ..Options::default() }, Vec::new());
    while let Some(window) = stream.window() {
        let transcript = engine.submit(window, options.clone(), Urgency::Background).wait().unwrap();
        words.extend(stream.accept(transcript).finals.into_iter().flat_map(|cue| cue.words));
    }
    for (text, begins) in ["And", "He"].into_iter().zip(begins) {
        let word = words.iter().find(|word| word.text.trim() == text).unwrap_or_else(|| panic!("{text}: {words:?}"));
        let start = word.start_samples as f64 / 16e3;
        assert!((start - begins).abs() < 0.12, "{text} begins at {start} s, not {begins} s");
    }
    let end = words.iter().find(|word| word.text.trim() == "them.").unwrap().end_samples as f64 / 16e3;
    assert!(end < begins[1] - 1.0, "the pause is no part of the first sentence's last word, which ends at {end} s");
}

fn agrees(name: &str, clip: &str) {
    let golden = golden(&format!("{clip}.{name}"));
    let path = model::find(name).unwrap_or_else(|error| panic!("{error}"));
    let model = Arc::new(Model::open(&path).unwrap());
    let cpu = Cpu::new(0, Precision::F32).unwrap();
    let samples = speech(clip);
    let front = FrontEnd::new(&cpu, model.config.mel_bins).unwrap();
    let mut encoder = Encoder::new(&cpu, &model.config, &model.weights).unwrap().session();
    let states = encoder.encode(&window_mel(&front, model.config.mel_bins, &samples)).unwrap();
    let worst = worst_difference(states, model.config.width, &golden["encoder"]);
    assert!(worst < 5e-3, "{name}: states of {clip} are off by {worst}");

    let expected = &golden["greedy"];
    let tokens = integers(&expected["tokens"]);
    let decoder = Decoder::new(&cpu, &model).unwrap();
    let mut network = decoder.session(1);
    logits_agree(&mut network, states, expected, &format!("{name}: {clip}"));

    let decoding = decode(&model, network, states, &Options::default());
    let text: Vec<u32> =
        tokens.iter().copied().filter(|&token| token != model.vocabulary.special.end_of_text).collect();
    assert_eq!(decoding.tokens, text, "{name}: tokens of {clip}");
    let average = number(&expected["sum_log_probability"]) / (text.len() + 1) as f64;
    assert!((decoding.average_log_probability as f64 - average).abs() < 1e-3, "{name}: {decoding:?} but {average}");
    let no_speech = number(&expected["no_speech_probability"]);
    assert!((decoding.no_speech_probability as f64 - no_speech).abs() < 1e-3, "{name}: {decoding:?} but {no_speech}");

    let (mut segments, _) = segments(&decoding, &model.vocabulary, samples.len());
    let expected = golden["segments"].as_array().unwrap();
    assert_eq!(segments.len(), expected.len());
    for (segment, expected) in segments.iter().zip(expected) {
        assert_eq!(segment.text, expected["text"].as_str().unwrap().trim());
        let (start, end) = (number(&expected["start"]) * 16e3, number(&expected["end"]) * 16e3);
        assert_eq!(segment.start_samples, start.round() as usize);
        assert_eq!(segment.end_samples, (end.round() as usize).min(samples.len()));
    }
    let (spoken, alignment) = (("en", Task::Transcribe), &golden["alignment"]);
    words_agree(&model, decoder.session(1), states, spoken, &mut segments, samples.len(), alignment);
}

fn speech(clip: &str) -> Vec<f32> {
    let path = format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{clip}.wav");
    let mut reader = hound::WavReader::open(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; install the Debian package pocketsphinx-testdata"));
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (16_000, 1));
    reader.samples::<i16>().map(|sample| sample.unwrap() as f32 / 32_768.0).collect()
}
