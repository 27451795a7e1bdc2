//! Linear layer with fused bias, activation and residual.

use gemm_common::Parallelism;
use rayon::prelude::*;

use super::gelu::gelu;
use super::gemm::{Matrix, multiply};
use super::math::dot;
use crate::device::Activation;

/// Weights of a linear layer.
pub struct Linear {
    /// (output columns, input columns), row-major.
    pub weight: std::sync::Arc<[f32]>,
    /// (output columns).
    pub bias: Option<std::sync::Arc<[f32]>>,
    /// Applied before the residual is added.
    pub activation: Activation,
    /// Whether the result is added to the output.
    pub residual: bool,
}

impl Linear {
    /// `input` (rows, inputs) to `output` (rows, outputs).
    pub fn run(&self, input: &[f32], inputs: usize, output: &mut [f32], outputs: usize) {
        if input.len() == inputs {
            self.run_row(input, output);
        } else {
            self.run_rows(input, inputs, output, outputs);
        }
    }

    /// One row reads each weight once, so it is a dot product for each output.
    fn run_row(&self, input: &[f32], output: &mut [f32]) {
        let inputs = input.len();
        // Enough work for a task to outweigh its hand-over to another thread, some 5 µs.
        let block = (1 << 16) / inputs.max(1) + 1;
        output.par_chunks_mut(block).enumerate().for_each(|(index, output)| {
            let first = index * block;
            for (j, y) in output.iter_mut().enumerate() {
                let mut sum = dot(input, &self.weight[(first + j) * inputs..][..inputs]);
                if let Some(bias) = &self.bias {
                    sum += bias[first + j];
                }
                let mut sum = [sum];
                if self.activation == Activation::Gelu {
                    gelu(&mut sum);
                }
                *y = if self.residual { *y + sum[0] } else { sum[0] };
            }
        });
    }

    fn run_rows(&self, input: &[f32], inputs: usize, output: &mut [f32], outputs: usize) {
        let rows = input.len() / inputs;
        debug_assert!(!(self.residual && self.activation != Activation::None), "the executor refuses this combination");
        let weight = Matrix::new(&self.weight, outputs, inputs, inputs).transposed();
        let input = Matrix::new(input, rows, inputs, inputs);
        multiply(input, weight, 1.0, self.residual, output, outputs, Parallelism::Rayon(0));
        finish(output, outputs, self.bias.as_deref(), self.activation);
    }
}

/// Adds `bias` to each row of `output` and applies `activation`.
pub fn finish(output: &mut [f32], columns: usize, bias: Option<&[f32]>, activation: Activation) {
    output.par_chunks_mut(columns).with_min_len(16).for_each(|row| {
        if let Some(bias) = bias {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += b;
            }
        }
        if activation == Activation::Gelu {
            gelu(row);
        }
    });
}
