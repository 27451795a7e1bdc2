//! Windows that grow in the encoder, on the toy model: what is encoded again and what is kept.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::LazyLock;

use gstwhispernpu::device::cpu::{Cpu, Precision};
use gstwhispernpu::encoder::{Encoder, EncoderSession};
use gstwhispernpu::mel::{FrontEnd, normalise};
use gstwhispernpu::model::Model;
use gstwhispernpu::segment::{Owner, Purpose};
use toy::{RATE, beeps, talk};

static STREAM: LazyLock<Owner> = LazyLock::new(Owner::default);
/// Samples of a position.
const POSITION: usize = 320;
/// Positions that are encoded again.
const UNSETTLED: usize = 200;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::open(Path::new(toy::MODEL)).unwrap());
static CPU: LazyLock<Cpu> = LazyLock::new(|| Cpu::new(2, Precision::Int8).unwrap());
static ENCODER: LazyLock<Encoder> = LazyLock::new(|| Encoder::new(&*CPU, &MODEL.config, &MODEL.weights).unwrap());

/// What the encoder sees of the first `seconds` of some talk, and how many positions of that are heard.
fn heard(seconds: f64) -> (Vec<f32>, usize) {
    let bins = MODEL.config.mel_bins;
    let samples = beeps(&talk(20.0, 1.3), 20.0);
    let mut spectrogram = FrontEnd::new(&*CPU, bins).unwrap().spectrogram();
    spectrogram.push(&samples).unwrap();
    spectrogram.end().unwrap();
    let length = (seconds * RATE as f64) as usize;
    let log_mel = spectrogram.window(&(0..length as u64)).unwrap();
    let mut mel = vec![0.0; Purpose::Draft.frames_to_encode(length) * bins];
    normalise(log_mel, &mut mel);
    (mel, length / POSITION)
}

fn extend(session: &mut EncoderSession, stream: &Owner, seconds: f64) -> Vec<f32> {
    let (mel, positions) = heard(seconds);
    session.extend(stream, &mel, positions).unwrap().to_vec()
}

fn encode(seconds: f64) -> Vec<f32> {
    ENCODER.session().encode(&heard(seconds).0).unwrap().to_vec()
}

/// The root mean square of what differs, over that of what is expected.
fn difference(received: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(received.len(), expected.len());
    let error: f32 = received.iter().zip(expected).map(|(x, y)| (x - y) * (x - y)).sum();
    (error / expected.iter().map(|y| y * y).sum::<f32>()).sqrt()
}

#[test]
fn a_window_is_encoded_whole_the_first_time() {
    assert_eq!(extend(&mut ENCODER.session(), &STREAM, 9.0), encode(9.0));
}

#[test]
fn what_was_long_before_the_end_keeps_its_states_and_the_rest_is_encoded_again() {
    let mut session = ENCODER.session();
    let width = MODEL.config.width;
    let before = extend(&mut session, &STREAM, 9.0);
    // Others in between change nothing.
    extend(&mut session, &Owner::default(), 5.0);
    session.encode(&heard(3.0).0).unwrap();
    let after = extend(&mut session, &STREAM, 9.5);
    let kept = (9 * RATE / POSITION - UNSETTLED) * width;
    assert_eq!(after[..kept], before[..kept]);
    let whole = encode(9.5);
    assert_ne!(after[..kept], whole[..kept]);
    // What is encoded again is near what the whole window gives, far nearer than what was there before.
    let (again, stale) =
        (difference(&after[kept..], &whole[kept..]), difference(&before[kept..], &whole[kept..before.len()]));
    assert!(again < 0.1 && again < stale / 4.0, "{again}, {stale}");
}

#[test]
fn a_window_that_does_not_begin_as_the_one_before_is_encoded_whole() {
    let mut session = ENCODER.session();
    extend(&mut session, &STREAM, 9.0);
    assert!(extend(&mut session, &STREAM, 4.0) == encode(4.0), "one that ends before what is kept");
    let (mut mel, positions) = heard(9.0);
    extend(&mut session, &STREAM, 9.0);
    mel[0] += 0.5;
    let other = session.extend(&STREAM, &mel, positions).unwrap().to_vec();
    assert!(other == ENCODER.session().encode(&mel).unwrap(), "one that begins otherwise");
}

/// At a pause a window ends where the speech did, which was heard with some of the pause before.
#[test]
fn a_shorter_window_keeps_what_the_one_before_kept() {
    let mut session = ENCODER.session();
    let before = extend(&mut session, &STREAM, 9.0);
    let after = extend(&mut session, &STREAM, 8.5);
    let kept = (9 * RATE / POSITION - UNSETTLED) * MODEL.config.width;
    let whole = encode(8.5);
    assert!(after[..kept] == before[..kept] && after[..kept] != whole[..kept]);
    assert!(difference(&after[kept..], &whole[kept..]) < 0.1);
}
