//! The real weights, held to what the original computes.

use gstwhispernpu::segment::voice::{self, Speech, Thresholds, Voice};

use serde_json::Value as Json;

use crate::synthetic::Random;

const SPEECH: &str = "/usr/share/pocketsphinx/test/data/librivox";

#[test]
fn probabilities_and_stretches_are_those_of_the_original() {
    let path = voice::find().unwrap_or_else(|error| panic!("{error}"));
    let voice = Voice::open(&path).unwrap();
    let golden: Json = serde_json::from_str(include_str!("../golden/voice.json")).unwrap();
    let settings: Vec<Thresholds> = golden["settings"].as_array().unwrap().iter().map(thresholds).collect();
    let clips = golden["clips"].as_object().unwrap();
    assert_eq!(clips.len(), 6);
    for (name, expected) in clips {
        let samples = samples(name);
        assert_eq!(samples.len() as u64, expected["samples"].as_u64().unwrap(), "{name}");
        let mut probabilities = Vec::new();
        let mut listener = voice.listener();
        listener.push(&samples, &mut probabilities);
        listener.finish(&mut probabilities);
        let recorded: Vec<f64> =
            expected["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        assert_eq!(probabilities.len(), recorded.len(), "{name}");
        let worst = probabilities.iter().zip(&recorded).map(|(p, q)| (*p as f64 - q).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4, "{name}: the worst probability is off by {worst}");
        let expected: Vec<Vec<[u64; 2]>> = serde_json::from_value(expected["speech"].clone()).unwrap();
        assert_eq!(expected.len(), settings.len());
        for (thresholds, expected) in settings.iter().zip(expected) {
            assert_eq!(stretches(*thresholds, &probabilities, samples.len()), expected, "{name}: {thresholds:?}");
        }
    }
}

fn stretches(thresholds: Thresholds, probabilities: &[f32], length: usize) -> Vec<[u64; 2]> {
    let mut speech = Speech::new(thresholds);
    let mut stretches: Vec<_> = probabilities.iter().filter_map(|p| speech.push(*p)).collect();
    stretches.extend(speech.finish(length as u64));
    let spoken = stretches.iter().filter(|stretch| stretch.is_speech);
    spoken.map(|stretch| [stretch.start_samples, stretch.end_samples]).collect()
}

/// The original's arguments in our terms; what is not given has its default there.
fn thresholds(arguments: &Json) -> Thresholds {
    let default = Thresholds::default();
    let level = |name: &str, default: f32| arguments.get(name).map_or(default, |value| value.as_f64().unwrap() as f32);
    let samples = |name: &str, default: u64| arguments.get(name).map_or(default, |ms| ms.as_u64().unwrap() * 16);
    Thresholds {
        speech: level("threshold", default.speech),
        silence: level("neg_threshold", default.silence),
        min_speech_samples: samples("min_speech_duration_ms", default.min_speech_samples),
        min_silence_samples: samples("min_silence_duration_ms", default.min_silence_samples),
        padding_samples: samples("speech_pad_ms", default.padding_samples),
    }
}

/// A clip by its name in the recording.
fn samples(name: &str) -> Vec<f32> {
    match name {
        "silence" => vec![0.0; 32_000],
        "noise" => noise(32_000, 0.05),
        "0870 in noise" => {
            let speech = spoken("0870");
            speech.iter().zip(noise(speech.len(), 0.02)).map(|(speech, noise)| speech + noise).collect()
        }
        "0870 twice, with a pause" => [spoken("0870"), vec![0.0; 16_000], spoken("0870")].concat(),
        sentence => spoken(sentence),
    }
}

fn noise(count: usize, level: f32) -> Vec<f32> {
    let mut random = Random(1);
    (0..count).map(|_| level * random.next()).collect()
}

fn spoken(sentence: &str) -> Vec<f32> {
    let path = format!("{SPEECH}/sense_and_sensibility_01_austen_64kb-{sentence}.wav");
    let mut reader = hound::WavReader::open(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; install the Debian package pocketsphinx-testdata"));
    reader.samples::<i16>().map(|sample| sample.unwrap() as f32 / 32_768.0).collect()
}
