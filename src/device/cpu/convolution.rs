//! One-dimensional convolution of width 3 as a matrix product over overlapping rows.

use std::sync::Arc;

use gemm_common::Parallelism;

use super::gemm::{Matrix, multiply};
use super::linear::finish;
use crate::device::Activation;

/// Kernel width of both of Whisper's convolutions.
pub const WIDTH: usize = 3;

/// Weights of a convolution.
pub struct Convolution {
    /// (output columns, WIDTH, input columns): three consecutive input rows are one row of the product's left matrix.
    pub weight: Arc<[f32]>,
    /// (output columns).
    pub bias: Arc<[f32]>,
    /// Input rows per output row.
    pub stride: usize,
    /// Applied to the biased sum.
    pub activation: Activation,
}

impl Convolution {
    /// Reorders (outputs, inputs, WIDTH), as checkpoints have it.
    pub fn reorder(weight: &[f32], inputs: usize) -> Arc<[f32]> {
        let mut reordered = vec![0.0; weight.len()];
        let filters = weight.chunks_exact(inputs * WIDTH).zip(reordered.chunks_exact_mut(inputs * WIDTH));
        for (from, to) in filters {
            for input in 0..inputs {
                for tap in 0..WIDTH {
                    to[tap * inputs + input] = from[input * WIDTH + tap];
                }
            }
        }
        reordered.into()
    }

    /// Scratch elements that a run over `rows` input rows needs: the input between two rows of zeros.
    pub fn scratch(rows: usize, inputs: usize) -> usize {
        (rows + 2) * inputs
    }

    /// `input` (rows, inputs) to `output` (rows / stride, outputs).
    pub fn run(&self, input: &[f32], inputs: usize, output: &mut [f32], outputs: usize, scratch: &mut [f32]) {
        let scratch = &mut scratch[..input.len() + 2 * inputs];
        scratch[..inputs].fill(0.0);
        scratch[inputs..][..input.len()].copy_from_slice(input);
        scratch[inputs + input.len()..].fill(0.0);
        let rows = output.len() / outputs;
        let windows = Matrix::new(scratch, rows, WIDTH * inputs, self.stride * inputs);
        let filters = Matrix::new(&self.weight, outputs, WIDTH * inputs, WIDTH * inputs).transposed();
        multiply(windows, filters, 1.0, false, output, outputs, Parallelism::Rayon(0));
        finish(output, outputs, Some(&self.bias), self.activation);
    }
}
