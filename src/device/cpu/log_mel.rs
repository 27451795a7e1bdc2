//! Log-mel spectrogram, with the transform in f64 so that rounding stays below the clamp at 8 decades.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

/// Smallest power that the logarithm sees (`log_mel_spectrogram` in openai/whisper `audio.py`).
const FLOOR: f64 = 1e-10;
/// Decades below the maximum that are kept.
const DECADES: f32 = 8.0;

/// A prepared front end.
pub struct LogMel {
    transform: Arc<dyn RealToComplex<f64>>,
    hann: Vec<f64>,
    filters: Vec<Filter>,
    hop_samples: usize,
}

/// One row of the filter bank without its zeros.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

/// Buffers of one thread.
pub struct Scratch {
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    transform: Vec<Complex<f64>>,
    power: Vec<f64>,
}

impl LogMel {
    /// `filters` is (bins, window_samples / 2 + 1), row-major.
    pub fn new(filters: &[f32], window_samples: usize, hop_samples: usize) -> Self {
        let transform = RealFftPlanner::<f64>::new().plan_fft_forward(window_samples);
        let hann = (0..window_samples).map(|n| 0.5 - 0.5 * (TAU * n as f64 / window_samples as f64).cos()).collect();
        let filters = filters.chunks_exact(window_samples / 2 + 1).map(Filter::new).collect();
        Self { transform, hann, filters, hop_samples }
    }

    /// Buffers of one thread.
    pub fn scratch(&self) -> Scratch {
        Scratch {
            frame: self.transform.make_input_vec(),
            spectrum: self.transform.make_output_vec(),
            transform: self.transform.make_scratch_vec(),
            power: vec![0.0; self.hann.len() / 2 + 1],
        }
    }

    /// Logarithms (bins) of frame `index` of `samples`, to base 10.
    pub fn frame(&self, samples: &[f32], index: usize, row: &mut [f32], scratch: &mut Scratch) {
        let centre = (index * self.hop_samples) as isize;
        if !fill_frame(samples, centre - (self.hann.len() / 2) as isize, &self.hann, &mut scratch.frame) {
            return row.fill(FLOOR.log10() as f32);
        }
        let result =
            self.transform.process_with_scratch(&mut scratch.frame, &mut scratch.spectrum, &mut scratch.transform);
        debug_assert!(result.is_ok(), "the buffers were made by the transform itself");
        for (power, value) in scratch.power.iter_mut().zip(&scratch.spectrum) {
            *power = value.norm_sqr();
        }
        for (value, filter) in row.iter_mut().zip(&self.filters) {
            *value = filter.apply(&scratch.power).max(FLOOR).log10() as f32;
        }
    }

    /// Clamps the logarithms of all frames to [`DECADES`] below the greatest and scales them.
    pub fn finish(mel: &mut [f32]) {
        let least = mel.iter().copied().fold(f32::NEG_INFINITY, f32::max) - DECADES;
        mel.iter_mut().for_each(|value| *value = (value.max(least) + 4.0) / 4.0);
    }
}

impl Filter {
    fn new(row: &[f32]) -> Self {
        let first = row.iter().position(|&w| w != 0.0).unwrap_or(0);
        let end = row.iter().rposition(|&w| w != 0.0).map_or(first, |last| last + 1);
        Self { first, weights: row[first..end].iter().map(|&w| w as f64).collect() }
    }

    fn apply(&self, power: &[f64]) -> f64 {
        self.weights.iter().zip(&power[self.first..]).map(|(w, p)| w * p).sum()
    }
}

/// Windows the samples from `first` on, mirrored at both ends; says whether any is not zero.
fn fill_frame(samples: &[f32], first: isize, hann: &[f64], frame: &mut [f64]) -> bool {
    let length = samples.len() as isize;
    let mut sounding = false;
    for (offset, (y, w)) in frame.iter_mut().zip(hann).enumerate() {
        let mut index = (first + offset as isize).abs();
        if index >= length {
            index = (2 * (length - 1) - index).max(0);
        }
        let sample = samples[index as usize];
        sounding |= sample != 0.0;
        *y = sample as f64 * w;
    }
    sounding
}
