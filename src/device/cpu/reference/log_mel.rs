//! Logarithms of mel spectra, frame by frame, in f64.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

use crate::device::LOG_MEL_FLOOR;

/// A prepared front end.
pub struct LogMel {
    transform: Arc<dyn RealToComplex<f64>>,
    hann: Vec<f64>,
    filters: Vec<f64>,
    hop_samples: usize,
}

/// Buffers of one thread.
#[derive(Default)]
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
        Self { transform, hann, filters: filters.iter().map(|&w| w as f64).collect(), hop_samples }
    }

    /// Logarithms (bins) of the frame that begins at sample `index` · hop_samples.
    pub fn frame(&self, samples: &[f32], index: usize, row: &mut [f32], scratch: &mut Scratch) {
        let Scratch { frame, spectrum, transform, power } = scratch;
        frame.clear();
        frame.extend(samples[index * self.hop_samples..].iter().zip(&self.hann).map(|(&x, w)| x as f64 * w));
        spectrum.resize(self.hann.len() / 2 + 1, Complex::default());
        transform.resize(self.transform.get_scratch_len(), Complex::default());
        let result = self.transform.process_with_scratch(frame, spectrum, transform);
        debug_assert!(result.is_ok(), "the buffers are as long as the transform says");
        power.clear();
        power.extend(spectrum.iter().map(|value| value.norm_sqr()));
        for (y, filter) in row.iter_mut().zip(self.filters.chunks_exact(power.len())) {
            let energy: f64 = filter.iter().zip(&*power).map(|(w, p)| w * p).sum();
            *y = (energy.log10() as f32).max(LOG_MEL_FLOOR);
        }
    }
}
