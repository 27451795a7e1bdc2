//! Samples → magnitudes: the network's first layer, which is a Fourier transform under a Hann window.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};

/// Length of a frame in samples.
pub(super) const FRAME_SAMPLES: usize = 256;
/// Frequencies of a frame.
pub(super) const BINS: usize = FRAME_SAMPLES / 2 + 1;

/// The prepared transform.
pub(super) struct Spectrum {
    transform: Arc<dyn RealToComplex<f32>>,
    hann: [f32; FRAME_SAMPLES],
}

/// Buffers of one user.
pub(super) struct Scratch {
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    transform: Vec<Complex<f32>>,
}

impl Spectrum {
    pub fn new() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(FRAME_SAMPLES);
        Self { transform, hann: std::array::from_fn(|n| hann(n) as f32) }
    }

    pub fn scratch(&self) -> Scratch {
        Scratch {
            frame: self.transform.make_input_vec(),
            spectrum: self.transform.make_output_vec(),
            transform: self.transform.make_scratch_vec(),
        }
    }

    /// `samples` (FRAME_SAMPLES) to `magnitudes` (BINS).
    #[inline(always)]
    pub fn run(&self, samples: &[f32], magnitudes: &mut [f32], scratch: &mut Scratch) {
        for ((y, x), w) in scratch.frame.iter_mut().zip(samples).zip(&self.hann) {
            *y = x * w;
        }
        let result =
            self.transform.process_with_scratch(&mut scratch.frame, &mut scratch.spectrum, &mut scratch.transform);
        debug_assert!(result.is_ok(), "the buffers were made by the transform itself");
        for (y, z) in magnitudes.iter_mut().zip(&scratch.spectrum) {
            *y = (z.re * z.re + z.im * z.im).sqrt();
        }
    }
}

/// Weight of sample `n` in row `row` of the layer as Silero stores it: the real parts' rows, then the imaginary ones'.
pub(super) fn weight(row: usize, n: usize) -> f64 {
    let turn = TAU * ((row % BINS) * n % FRAME_SAMPLES) as f64 / FRAME_SAMPLES as f64;
    hann(n) * if row < BINS { turn.cos() } else { -turn.sin() }
}

fn hann(n: usize) -> f64 {
    0.5 - 0.5 * (TAU * n as f64 / FRAME_SAMPLES as f64).cos()
}
