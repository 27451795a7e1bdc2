//! Recordings of independent implementations (`tests/golden/README.md`) and how values are held to them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use gstwhispernpu::decoder::{Batch, DecoderSession, Decoding, Options, POSITION_SAMPLES, Task};
use gstwhispernpu::mel::{FRAME_SAMPLES, FrontEnd, WINDOW_FRAMES, WINDOW_SAMPLES, normalise};
use gstwhispernpu::model::{Model, Token};
use gstwhispernpu::transcript::{Segment, add_words, text_tokens};
pub use serde_json::Value as Json;

pub fn golden(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Largest difference between `values`, of `columns` columns, and the recorded rows and columns.
pub fn worst_difference(values: &[f32], columns: usize, golden: &Json) -> f64 {
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

/// What the encoder sees of a window (WINDOW_FRAMES, bins) that is a stream of its own.
pub fn window_mel(front: &FrontEnd, bins: usize, samples: &[f32]) -> Vec<f32> {
    let mut spectrogram = front.spectrogram();
    spectrogram.push(samples).unwrap();
    // The recorded values are of the window alone, which is mirrored at its end if it is full.
    if samples.len() == WINDOW_SAMPLES {
        let mirrored: Vec<f32> = samples.iter().rev().skip(1).take(FRAME_SAMPLES / 2).copied().collect();
        spectrogram.push(&mirrored).unwrap();
    }
    spectrogram.end().unwrap();
    let mut mel = vec![0.0; WINDOW_FRAMES * bins];
    normalise(spectrogram.window(&(0..samples.len() as u64)).unwrap(), &mut mel);
    mel
}

/// Feeds the recorded tokens and compares the logits after each of the first 20.
pub fn logits_agree(network: &mut DecoderSession, states: &[f32], expected: &Json, what: &str) {
    network.listen(0, states).unwrap();
    let mut input = integers(&expected["prompt"]);
    let stride = expected["logit_stride"].as_u64().unwrap() as usize;
    let steps = expected["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for (index, step) in steps.iter().take(20).enumerate() {
        let logits = network.step([(0, input.as_slice())].into_iter()).unwrap();
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

/// What comes of a window's states.
pub fn decode(model: &Arc<Model>, network: DecoderSession, states: &[f32], options: &Options) -> Decoding {
    let mut batch = Batch::new(model.clone(), network);
    batch.begin(0, states, options, 0).unwrap();
    loop {
        if let Some((_, decoding)) = batch.step().unwrap().pop() {
            return decoding;
        }
    }
}

/// Aligns the text of `segments` with the window and compares tokens and words with what openai/whisper makes of them.
pub fn words_agree(
    model: &Arc<Model>,
    network: DecoderSession,
    states: &[f32],
    (language, task): (&str, Task),
    segments: &mut [Segment],
    window_samples: usize,
    expected: &Json,
) {
    let vocabulary = &model.vocabulary;
    let text: Vec<Token> = segments.iter().flat_map(|segment| text_tokens(segment, vocabulary)).collect();
    let mut batch = Batch::new(model.clone(), network);
    batch.listen(0, states).unwrap();
    let mut align =
        |given| batch.align(0, (&text, given), (language, task), window_samples / POSITION_SAMPLES).unwrap();
    let alignment = align(0);
    let given = text.len() / 2;
    let mut sure = alignment.clone();
    sure.tokens[..given].iter_mut().for_each(|token| token.probability = 1.0);
    assert_eq!(align(given), sure, "what was given has no doubt, and nothing else changes");
    let tokens = expected["tokens"].as_array().unwrap();
    assert_eq!(alignment.tokens.len(), tokens.len());
    for (timed, expected) in alignment.tokens.iter().zip(tokens) {
        assert_eq!(u64::from(timed.token), expected[0].as_u64().unwrap());
        same_time(timed.start_samples, &expected[1]);
        assert!((f64::from(timed.probability) - number(&expected[2])).abs() < 1e-3, "{timed:?}, not {expected}");
    }
    same_time(alignment.end_samples, &expected["end"]);
    let written = if task == Task::Translate { "en" } else { language };
    add_words(segments, &alignment, vocabulary, written, window_samples);
    for (segment, expected) in segments.iter().zip(expected["words"].as_array().unwrap()) {
        let expected = expected.as_array().unwrap();
        assert_eq!(segment.words.len(), expected.len(), "{:?}, not {expected:?}", segment.words);
        for (word, expected) in segment.words.iter().zip(expected) {
            assert_eq!(word.text, expected[0].as_str().unwrap());
            same_time(word.start_samples, &expected[1]);
            same_time(word.end_samples, &expected[2]);
            assert!((f64::from(word.probability) - number(&expected[3])).abs() < 1e-3, "{word:?}, not {expected}");
        }
    }
}

/// Within one position of the sound.
fn same_time(samples: usize, seconds: &Json) {
    let difference = samples as f64 / 16e3 - number(seconds);
    assert!(difference.abs() < 0.0205, "{samples} samples are not {seconds} s");
}

pub fn number(json: &Json) -> f64 {
    json.as_f64().unwrap()
}

pub fn integers(json: &Json) -> Vec<u32> {
    json.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as u32).collect()
}
