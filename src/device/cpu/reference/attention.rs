//! Scaled dot-product attention (Vaswani et al., arXiv 1706.03762).

use super::Seen;
use super::gemm::{Matrix, multiply};
use crate::math::{dot, exp};

/// Attends from one row.
pub fn attend_row(query: &[f32], seen: Seen<'_>, output: &mut [f32], scores: &mut Vec<f32>) {
    let width = query.len();
    scores.clear();
    scores.resize(seen.visible, 0.0);
    probabilities(query, seen.keys, seen.stride, scores);
    output.fill(0.0);
    for (row, score) in scores.iter().enumerate() {
        let value = &seen.values[row * seen.stride..][..width];
        output.iter_mut().zip(value).for_each(|(y, v)| *y += score * v);
    }
}

/// softmax(q·kᵀ/√d) over as many keys, in rows `stride` wide, as there is room for.
pub fn probabilities(query: &[f32], keys: &[f32], stride: usize, output: &mut [f32]) {
    let scale = 1.0 / (query.len() as f32).sqrt();
    for (row, output) in output.iter_mut().enumerate() {
        *output = dot(query, &keys[row * stride..][..query.len()]) * scale;
    }
    softmax(output);
}

/// Attends from rows of queries to all keys; everything is (rows, width).
pub fn attend_rows(query: &[f32], key: &[f32], value: &[f32], width: usize, scores: &mut Vec<f32>) -> Vec<f32> {
    let (rows, keys) = (query.len() / width, key.len() / width);
    scores.clear();
    scores.resize(rows * keys, 0.0);
    let transposed = Matrix::new(key, keys, width, width).transposed();
    multiply(Matrix::new(query, rows, width, width), transposed, 1.0 / (width as f32).sqrt(), scores, keys);
    scores.chunks_exact_mut(keys).for_each(softmax);
    let mut output = vec![0.0; query.len()];
    let value = Matrix::new(value, keys, width, width);
    multiply(Matrix::new(scores, rows, keys, keys), value, 1.0, &mut output, width);
    output
}

/// Exponentials divided by their sum; the maximum is subtracted first so that none overflows.
fn softmax(scores: &mut [f32]) {
    let maximum = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - maximum);
    }
    let sum: f32 = scores.iter().sum();
    let scale = 1.0 / sum;
    for score in scores.iter_mut() {
        *score *= scale;
    }
}
