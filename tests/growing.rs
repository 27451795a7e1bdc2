//! Windows that grow in the decoder, on the toy model: what a transcript takes from the one before.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use gstwhispernpu::decoder::{Alignment, Batch, Decoder, Decoding, Growing, Options, Task};
use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::mel::{FrontEnd, normalise};
use gstwhispernpu::model::{Model, Token};
use gstwhispernpu::segment::{Owner, Purpose};
use toy::{RATE, beeps, talk};

static WINDOW: LazyLock<Growing> = LazyLock::new(|| Growing { stream: Owner::default(), start_samples: 32_000 });
/// Samples of a position.
const POSITION: usize = 320;

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(Model::open(Path::new(toy::MODEL)).unwrap()));
static CPU: LazyLock<Cpu> = LazyLock::new(|| Cpu::new(2, Precision::Int8).unwrap());

fn other_stream() -> Growing {
    Growing { stream: Owner::default(), ..WINDOW.clone() }
}

/// States of the first `seconds` of some talk.
fn heard(seconds: f64) -> Vec<f32> {
    let bins = MODEL.config.mel_bins;
    let mut spectrogram = FrontEnd::new(&*CPU, bins).unwrap().spectrogram();
    let length = (seconds * RATE as f64) as usize;
    spectrogram.push(&beeps(&talk(20.0, 1.3), 20.0)[..length]).unwrap();
    spectrogram.end().unwrap();
    let log_mel = spectrogram.window(&(0..length as u64)).unwrap();
    let mut mel = vec![0.0; Purpose::Draft.frames_to_encode(length) * bins];
    normalise(log_mel, &mut mel);
    Encoder::new(&*CPU, &MODEL.config, &MODEL.weights).unwrap().session().encode(&mel).unwrap().to_vec()
}

fn batch() -> Batch {
    Batch::new(MODEL.clone(), Decoder::new(&*CPU, &MODEL).unwrap().session(8))
}

/// Decodes and aligns the first `seconds`, with what the text begins with.
fn transcribe(batch: &mut Batch, window: &Growing, seconds: f64, prefix: &[Token]) -> (Decoding, Alignment) {
    batch.begin(0, &heard(seconds), &Options { prefix: prefix.to_vec(), ..Options::default() }, 0).unwrap();
    batch.grow(0, window.clone());
    let decoding = loop {
        if let Some((_, decoding)) = batch.step().unwrap().pop() {
            break decoding;
        }
    };
    let end_of_text = MODEL.vocabulary.special.end_of_text;
    let words =
        |tokens: &[Token]| -> Vec<Token> { tokens.iter().copied().filter(|token| *token < end_of_text).collect() };
    let (text, given) = (words(&decoding.tokens), words(prefix).len());
    let heard = (seconds * RATE as f64) as usize / POSITION;
    let alignment = batch.align(0, (&text, given), (&decoding.language, Task::Transcribe), heard).unwrap();
    (decoding, alignment)
}

/// The first half of what is written of 9 s, in a batch that has just done so.
fn begun() -> (Batch, Vec<Token>) {
    let mut batch = batch();
    let tokens = transcribe(&mut batch, &WINDOW, 9.0, &[]).0.tokens;
    let prefix = tokens[..tokens.len() / 2].to_vec();
    assert!(prefix.len() > 5, "{prefix:?}");
    (batch, prefix)
}

#[test]
fn a_text_that_goes_on_is_what_it_would_be_if_all_were_taken_again() {
    let (mut batch, prefix) = begun();
    // Other streams in between change nothing.
    transcribe(&mut batch, &other_stream(), 4.0, &[]);
    for seconds in [9.5, 10.0, 10.5] {
        let (decoding, alignment) = transcribe(&mut batch, &WINDOW, seconds, &prefix);
        let (anew, aligned_anew) = transcribe(&mut self::batch(), &WINDOW, seconds, &prefix);
        assert_eq!(decoding.tokens, anew.tokens);
        assert!(decoding.tokens.starts_with(&prefix) && decoding.tokens.len() > prefix.len() + 2);
        assert_eq!(alignment.tokens.len(), aligned_anew.tokens.len());
        let timed = alignment.tokens.iter().zip(&aligned_anew.tokens);
        for (timed, anew) in timed.filter(|(_, anew)| anew.probability > 0.9) {
            let differs = timed.looked_samples.abs_diff(anew.looked_samples);
            assert!(
                differs <= 10 * POSITION && (timed.probability - anew.probability).abs() < 0.1,
                "{timed:?}, {anew:?}"
            );
        }
    }
}

/// What is kept is of what was heard by then, so the probabilities are not to the last bit what they would be.
#[test]
fn a_text_goes_on_in_its_own_window_alone() {
    let anew = |prefix: &[Token]| transcribe(&mut batch(), &WINDOW, 9.5, prefix);
    let (mut batch, prefix) = begun();
    let shorter = &prefix[..prefix.len() - 1];
    assert_ne!(transcribe(&mut batch, &WINDOW, 9.5, shorter), anew(shorter));
    for window in [Growing { start_samples: 64_000, ..WINDOW.clone() }, other_stream()] {
        let (mut batch, prefix) = begun();
        assert_eq!(transcribe(&mut batch, &window, 9.5, &prefix), anew(&prefix), "{window:?}");
    }
    let (mut batch, _) = begun();
    assert_eq!(transcribe(&mut batch, &WINDOW, 9.5, &[]), anew(&[]), "without a beginning");
}

#[test]
fn a_window_in_whose_lane_another_was_heard_goes_on_all_the_same() {
    let (mut batch, prefix) = begun();
    let (mut undisturbed, _) = begun();
    batch.begin(0, &heard(5.0), &Options::default(), 0).unwrap();
    while batch.step().unwrap().is_empty() {}
    assert_eq!(transcribe(&mut batch, &WINDOW, 9.5, &prefix), transcribe(&mut undisturbed, &WINDOW, 9.5, &prefix));
}
