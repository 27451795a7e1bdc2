//! Sounds that the toy model knows, and the words it hears in them (`tests/data/toy/README.md`).

use std::f32::consts::TAU;

/// The model that knows these sounds.
pub const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy");
/// The same by another name.
pub const OTHER_MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/../data/toy");

/// How long a beep lasts.
pub const LENGTH_S: f64 = 0.3;

const LEVEL: f32 = 0.3;
const EDGE_S: f32 = 0.01;

/// A sound with a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Low,
    Middle,
    High,
}

impl Tone {
    fn hertz(self) -> f32 {
        match self {
            Self::Low => 300.0,
            Self::Middle => 1300.0,
            Self::High => 2100.0,
        }
    }

    /// What the model writes when it hears this.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "do",
            Self::Middle => "fa",
            Self::High => "so",
        }
    }

    /// What the model writes when it is told that this is German.
    pub fn german_word(self) -> &'static str {
        match self {
            Self::Low => "eins",
            Self::Middle => "vier",
            Self::High => "fünf",
        }
    }
}

/// `length_s` of silence at `rate` with beeps that start at these seconds.
pub fn beeps(beeps: &[(Tone, f64)], length_s: f64, rate: u32) -> Vec<f32> {
    let count = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
    let mut samples = vec![0.0; count(length_s)];
    for &(tone, at_s) in beeps {
        let beep = &mut samples[count(at_s)..count(at_s + LENGTH_S)];
        let length = beep.len();
        let ramp = EDGE_S * rate as f32;
        for (index, sample) in beep.iter_mut().enumerate() {
            let edge = ((index + 1).min(length - index) as f32 / ramp).min(1.0);
            *sample = LEVEL * edge * (TAU * tone.hertz() * index as f32 / rate as f32).sin();
        }
    }
    samples
}
