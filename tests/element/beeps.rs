//! Sounds that the model under test knows, and the words it hears in them.

use std::f32::consts::TAU;

/// The model that knows these sounds.
pub const MODEL: &str = "tiny.en";
/// Another model that knows them.
pub const OTHER_MODEL: &str = "base";

/// A model that knows them and takes its time, if there is one.
pub const SLOW_MODEL: &str = "slow";

/// What a model of many languages writes when it is told that this is German.
pub fn in_german(tone: Tone) -> String {
    format!("de {}", tone.word())
}

/// How long a beep lasts.
pub const LENGTH_S: f64 = 0.5;

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
            Self::Low => 400.0,
            Self::Middle => 1000.0,
            Self::High => 2000.0,
        }
    }

    /// What the model writes when it hears this.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Middle => "middle",
            Self::High => "high",
        }
    }
}

/// `length_s` of silence at `rate` with beeps that start at these seconds.
pub fn beeps(beeps: &[(Tone, f64)], length_s: f64, rate: u32) -> Vec<f32> {
    let count = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
    let mut samples = vec![0.0; count(length_s)];
    for &(tone, at_s) in beeps {
        let beep = &mut samples[count(at_s)..count(at_s + LENGTH_S)];
        for (index, sample) in beep.iter_mut().enumerate() {
            *sample = 0.5 * (TAU * tone.hertz() * index as f32 / rate as f32).sin();
        }
    }
    samples
}
