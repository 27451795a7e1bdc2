//! The oracle: every operation in f32, with exact functions and no rounding of operands.

mod attention;
mod gelu;
mod gemm;
mod log_mel;

use attention::{attend_row, attend_rows, probabilities};
use gelu::gelu;
use gemm::{Matrix, multiply};
use log_mel::LogMel;

use super::arithmetic::{Arithmetic, Finish, Seen, Source};
use super::simd::Isa;
use super::store::Store;
use super::values::{Reader, Target};
use crate::device::{Activation, DeviceError, Value};
use crate::math::dot;

/// Layer normalisation's epsilon, as in PyTorch.
pub const EPSILON: f32 = 1e-5;

/// f32 throughout.
pub struct Exact;

/// A matrix (rows, columns), row-major.
#[derive(Default)]
pub struct Rows {
    data: Vec<f32>,
    columns: usize,
}

/// Keys and values of one head, (count, width) each.
pub struct Head {
    keys: Vec<f32>,
    values: Vec<f32>,
    width: usize,
}

impl Arithmetic for Exact {
    const IS_PACKED: bool = false;

    type Weight = Rows;
    type Left = Rows;
    type Head = Head;
    type Scores = Vec<f32>;
    type Front = LogMel;
    type Spectrum = log_mel::Scratch;

    fn weight(_: &mut Store<'_>, _: &str, outputs: usize, inputs: usize, source: Source<'_>) -> Rows {
        let mut data = vec![0.0; outputs * inputs];
        source(0, &mut data);
        Rows { data, columns: inputs }
    }

    fn row(weight: &Rows, row: usize, out: &mut [f32]) {
        out.copy_from_slice(&weight.data[row * weight.columns..][..weight.columns]);
    }

    fn left() -> Rows {
        Rows::default()
    }

    fn begin(left: &mut Rows, rows: usize, inputs: usize, _: bool) {
        left.columns = inputs;
        left.data.resize(rows * inputs, 0.0);
    }

    fn set(_: Isa, left: &mut Rows, row: usize, x: &[f32]) {
        left.data[row * left.columns..][..left.columns].copy_from_slice(x);
    }

    fn multiply(_: Isa, weight: &Rows, finish: &Finish, left: &Rows, target: &mut Target<'_>) {
        let (inputs, rows, columns) = (weight.columns, target.rows.clone(), target.columns.clone());
        let weights = &weight.data[columns.start * inputs..columns.end * inputs];
        let mut product = vec![0.0; rows.len() * columns.len()];
        if rows.len() == 1 {
            // A matrix of one row would be packed by the product for a single use.
            product.iter_mut().zip(weights.chunks_exact(inputs)).for_each(|(y, weight)| *y = dot(&left.data, weight));
        } else {
            let left = Matrix::new(&left.data, rows.len(), inputs, inputs);
            let right = Matrix::new(weights, columns.len(), inputs, inputs).transposed();
            multiply(left, right, 1.0, &mut product, columns.len());
        }
        let bias = &finish.bias[columns.clone()];
        for (product, row) in product.chunks_exact_mut(columns.len()).zip(rows) {
            product.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            if finish.activation == Activation::Gelu {
                gelu(product);
            }
            let output = target.row(row);
            if finish.residual {
                output.iter_mut().zip(&*product).for_each(|(output, y)| *output += y);
            } else {
                output.copy_from_slice(product);
            }
        }
    }

    fn layer_norm(_: Isa, input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
        let width = input.len() as f32;
        let mean = input.iter().sum::<f32>() / width;
        let variance = input.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width;
        let scale = 1.0 / (variance + EPSILON).sqrt();
        for (((y, x), w), b) in output.iter_mut().zip(input).zip(weight).zip(bias) {
            *y = (x - mean) * scale * w + b;
        }
    }

    fn head(_: Isa, limit: usize, width: usize) -> Head {
        Head { keys: Vec::with_capacity(limit * width), values: Vec::with_capacity(limit * width), width }
    }

    fn fill(head: &mut Head, keys: &[f32], values: &[f32], stride: usize, count: usize) {
        head.keys.clear();
        head.values.clear();
        for row in 0..count {
            head.keys.extend_from_slice(&keys[row * stride..][..head.width]);
            head.values.extend_from_slice(&values[row * stride..][..head.width]);
        }
    }

    fn attend(_: Isa, head: &Head, query: Value, reader: Reader<'_>, target: &mut Target<'_>, scores: &mut Vec<f32>) {
        let (rows, columns) = (target.rows.clone(), target.columns.clone());
        if rows.len() == 1 {
            let seen = Seen {
                keys: &head.keys,
                values: &head.values,
                stride: head.width,
                visible: head.keys.len() / head.width,
            };
            let query = &reader.row(query, rows.start)[columns];
            return attend_row(query, seen, target.row(rows.start), scores);
        }
        let mut queries = Vec::with_capacity(rows.len() * head.width);
        rows.clone().for_each(|row| queries.extend_from_slice(&reader.row(query, row)[columns.clone()]));
        let output = attend_rows(&queries, &head.keys, &head.values, head.width, scores);
        rows.zip(output.chunks_exact(head.width)).for_each(|(row, output)| target.row(row).copy_from_slice(output));
    }

    fn probabilities(_: Isa, head: &Head, query: &[f32], output: &mut [f32], _: &mut Vec<f32>) {
        let (visible, rest) = output.split_at_mut(head.keys.len() / head.width);
        probabilities(query, &head.keys, head.width, visible);
        rest.fill(0.0);
    }

    fn front(filters: &[f32], window_samples: usize, hop_samples: usize) -> Result<LogMel, DeviceError> {
        Ok(LogMel::new(filters, window_samples, hop_samples))
    }

    fn log_mel(_: Isa, front: &LogMel, samples: &[f32], target: &mut Target<'_>, scratch: &mut log_mel::Scratch) {
        target.rows.clone().for_each(|row| front.frame(samples, row, target.row(row), scratch));
    }

    fn attend_row(_: Isa, query: &[f32], seen: Seen<'_>, output: &mut [f32], scores: &mut Vec<f32>) {
        attend_row(query, seen, output, scores);
    }
}
