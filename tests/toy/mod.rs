//! The toy model and the beeps that it hears (`tests/data/toy/README.md`).
#![allow(dead_code, reason = "each test file uses a part")]

use std::f64::consts::TAU;

/// Folder of the model.
pub const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy");

/// Samples per second.
pub const RATE: usize = 16_000;

/// What beeps say, and in which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timbre {
    /// Sine: do re mi fa so.
    English,
    /// With a third harmonic: eins zwei drei vier fünf.
    German,
}

const HERTZ: [f64; 5] = [300.0, 500.0, 800.0, 1300.0, 2100.0];
const BEEP_SECONDS: f64 = 0.3;
const STEP_SECONDS: f64 = 0.4;
const LEVEL: f64 = 0.3;

/// Beeps in a row, the first of which begins at `at` seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    pub at: f64,
    pub tones: Vec<usize>,
    pub timbre: Timbre,
}

impl Phrase {
    /// A phrase of English words.
    pub fn new(at: f64, tones: &[usize]) -> Self {
        Self { at, tones: tones.to_vec(), timbre: Timbre::English }
    }

    /// What the model writes.
    pub fn text(&self) -> String {
        let words = match self.timbre {
            Timbre::English => ["do", "re", "mi", "fa", "so"],
            Timbre::German => ["eins", "zwei", "drei", "vier", "fünf"],
        };
        self.tones.iter().map(|&tone| words[tone]).collect::<Vec<_>>().join(" ")
    }

    /// Where the last beep ends, in seconds.
    pub fn end(&self) -> f64 {
        self.at + (self.tones.len() - 1) as f64 * STEP_SECONDS + BEEP_SECONDS
    }
}

/// `seconds` of silence at 16 kHz with these phrases.
pub fn beeps(phrases: &[Phrase], seconds: f64) -> Vec<f32> {
    beeps_at(phrases, seconds, RATE as u32, LEVEL)
}

/// `seconds` of silence at any rate with these phrases at this level.
pub fn beeps_at(phrases: &[Phrase], seconds: f64, rate: u32, level: f64) -> Vec<f32> {
    let rate = rate as f64;
    let mut samples = vec![0.0f32; (seconds * rate).round() as usize];
    for phrase in phrases {
        for (index, &tone) in phrase.tones.iter().enumerate() {
            let first = ((phrase.at + index as f64 * STEP_SECONDS) * rate).round() as usize;
            let count = (BEEP_SECONDS * rate).round() as usize;
            for n in 0..count {
                let ramp = 0.01 * rate;
                let edge = 1f64.min((n + 1) as f64 / ramp).min((count - n) as f64 / ramp);
                let angle = TAU * HERTZ[tone] * n as f64 / rate;
                let wave = match phrase.timbre {
                    Timbre::English => angle.sin(),
                    Timbre::German => 0.8 * angle.sin() + 0.4 * (3.0 * angle).sin(),
                };
                if let Some(sample) = samples.get_mut(first + n) {
                    *sample = (level * edge * wave) as f32;
                }
            }
        }
    }
    samples
}

/// Adds white noise of this level.
pub fn add_noise(samples: &mut [f32], level: f64) {
    let mut state = 1u32;
    for sample in samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (f64::from(*sample) + level * (f64::from(state) / f64::from(1u32 << 31) - 1.0)) as f32;
    }
}

/// Phrases of a few words every `period` seconds over `seconds`, none cut by the end.
pub fn talk(seconds: f64, period: f64) -> Vec<Phrase> {
    let count = ((seconds - 3.0) / period) as usize + 1;
    let phrase = |index: usize| {
        let tones: Vec<usize> = (0..1 + index % 4).map(|word| (index * 3 + word * 2) % 5).collect();
        Phrase::new(0.5 + index as f64 * period, &tones)
    };
    (0..count).map(phrase).collect()
}
