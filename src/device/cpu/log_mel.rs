//! Logarithms of mel spectra, as many frames at a time as a vector has lanes.
//!
//! All of it is done alike in every lane, so a frame's values do not depend on its neighbours.
#![allow(
    clippy::needless_range_loop,
    reason = "plain loops of constant length unroll, so that their arrays are registers"
)]

use std::f64::consts::TAU;

use super::fourier::{BANDS, Partial, SAMPLES, SIDE, Turns};
use super::math::log10;
use super::simd::{Isa, Kernel, Simd};
use super::values::Target;
use crate::device::{DeviceError, LOG_MEL_FLOOR};

/// A prepared front end.
pub struct LogMel {
    turns: Turns,
    /// Of sample 20a + b, at [b][a].
    samples: Box<[[Sample; SIDE]; SIDE]>,
    filters: Vec<Filter>,
    hop_samples: usize,
}

/// A sample of a frame.
#[derive(Clone, Copy)]
struct Sample {
    /// Its weight in a Hann window.
    weight: f32,
    /// Its hop from the frame's first, and its place there.
    hop: usize,
    place: usize,
}

/// One row of the filter bank without its zeros.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

/// Buffers of one thread.
#[derive(Default)]
pub struct Scratch {
    /// Samples by their place in a hop: (hop_samples, hops that LANES frames reach into).
    hops: Vec<f32>,
    /// (bins, LANES), bins filled up to whole vectors.
    mel: Vec<f32>,
    /// (LANES, bins), bins filled up to whole vectors.
    rows: Vec<f32>,
}

impl LogMel {
    /// `filters` is (bins, window_samples / 2 + 1), row-major. Errors: a window that is not [`SAMPLES`] long.
    pub fn new(filters: &[f32], window_samples: usize, hop_samples: usize) -> Result<Self, DeviceError> {
        if window_samples != SAMPLES {
            return Err(DeviceError::Transform { expected: SAMPLES, received: window_samples });
        }
        let sample = |n: usize| {
            let weight = 0.5 - 0.5 * (TAU * n as f64 / SAMPLES as f64).cos();
            Sample { weight: weight as f32, hop: n / hop_samples, place: n % hop_samples }
        };
        let samples = std::array::from_fn(|b| std::array::from_fn(|a| sample(SIDE * a + b)));
        let filters = filters.chunks_exact(BANDS).map(Filter::new).collect();
        Ok(Self { turns: Turns::new(), samples: Box::new(samples), filters, hop_samples })
    }

    /// Computes the target's rows: row i of `samples` from i·hop_samples on.
    pub fn run(&self, isa: Isa, samples: &[f32], target: &mut Target<'_>, scratch: &mut Scratch) {
        isa.run(Frames { front: self, samples, target, scratch });
    }
}

struct Frames<'a, 'b> {
    front: &'a LogMel,
    samples: &'a [f32],
    target: &'a mut Target<'b>,
    scratch: &'a mut Scratch,
}

impl Kernel for Frames<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { front, samples, target, scratch } = self;
        let (bins, hop) = (front.filters.len(), front.hop_samples);
        let (width, stride) = (bins.next_multiple_of(S::LANES), S::LANES + (SAMPLES - 1) / hop);
        scratch.hops.resize(hop * stride, 0.0);
        scratch.mel.resize(width * S::LANES, 0.0);
        scratch.rows.resize(width * S::LANES, 0.0);
        let (mut partial, mut power) = (Partial::new(simd), [simd.splat(0.0); BANDS]);
        let rows = target.rows.clone();
        for first in rows.clone().step_by(S::LANES) {
            let lanes = S::LANES.min(rows.end - first);
            spread(simd, &samples[first * hop..][..(lanes - 1) * hop + SAMPLES], hop, &mut scratch.hops);
            for b in 0..SIDE {
                let mut x = [simd.splat(0.0); SIDE];
                for a in 0..SIDE {
                    let Sample { weight, hop, place } = front.samples[b][a];
                    x[a] = simd.mul(simd.load(&scratch.hops[place * stride + hop..]), simd.splat(weight));
                }
                partial.add(simd, &front.turns, b, &x);
            }
            partial.power(simd, &mut power);
            for (filter, mel) in front.filters.iter().zip(scratch.mel.chunks_exact_mut(S::LANES)) {
                simd.store(filter.logarithm(simd, &power), mel);
            }
            for bin in (0..width).step_by(S::LANES) {
                simd.transpose(&scratch.mel[bin * S::LANES..], S::LANES, &mut scratch.rows[bin..], width);
            }
            for lane in 0..lanes {
                target.row(first + lane).copy_from_slice(&scratch.rows[lane * width..][..bins]);
            }
        }
    }
}

/// Puts sample r of hop h to row r and column h of `hops`, so that LANES frames' samples of one index stand side by side.
#[inline(always)]
fn spread<S: Simd>(simd: S, samples: &[f32], hop: usize, hops: &mut [f32]) {
    let stride = hops.len() / hop;
    let blocks = if samples.len() < S::LANES * hop { 0 } else { hop / S::LANES };
    for block in 0..blocks {
        let first = block * S::LANES;
        simd.transpose(&samples[first..], hop, &mut hops[first * stride..], stride);
    }
    for (h, samples) in samples.chunks(hop).enumerate() {
        let first = if h < S::LANES { blocks * S::LANES } else { 0 };
        for (r, x) in samples.iter().enumerate().skip(first) {
            hops[r * stride + h] = *x;
        }
    }
}

impl Filter {
    fn new(row: &[f32]) -> Self {
        let first = row.iter().position(|&w| w != 0.0).unwrap_or(0);
        let end = row.iter().rposition(|&w| w != 0.0).map_or(first, |last| last + 1);
        Self { first, weights: row[first..end].to_vec() }
    }

    /// Of the sum; the least power keeps the logarithm a number and is far below the floor.
    #[inline(always)]
    fn logarithm<S: Simd>(&self, simd: S, power: &[S::F; BANDS]) -> S::F {
        let mut sum = simd.splat(f32::MIN_POSITIVE);
        for (weight, power) in self.weights.iter().zip(&power[self.first..]) {
            sum = simd.mul_add(*power, simd.splat(*weight), sum);
        }
        simd.max(log10(simd, sum), simd.splat(LOG_MEL_FLOOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lengths_are_refused() {
        let error = LogMel::new(&[0.0; 257], 512, 160).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("the device transforms frames of 400 samples, but the program has 512"));
    }
}
