//! Scaled dot-product attention over several heads (Vaswani et al., arXiv 1706.03762).

use gemm_common::Parallelism;
use rayon::prelude::*;

use super::gemm::{Matrix, multiply};
use super::math::{dot, exp};
use crate::device::Mask;

/// Query rows that one task takes: its scores against 1500 keys stay in a 1 MiB second-level cache.
const BLOCK_ROWS: usize = 64;

/// Scratch elements for `rows` queries against `keys` keys with `heads` heads.
pub fn scratch(rows: usize, keys: usize, heads: usize) -> usize {
    keys * if rows == 1 { heads } else { rows.max(heads) }
}

/// What the queries attend to.
pub struct Memory<'a> {
    /// (key rows, width).
    pub key: &'a [f32],
    /// (key rows, width).
    pub value: &'a [f32],
    /// Columns of key and value.
    pub width: usize,
    /// Heads that the width is divided into.
    pub heads: usize,
    /// Keys that query row i may see; the first query stands at key row `past`.
    pub mask: Mask,
    /// Key row of the first query.
    pub past: usize,
}

impl Memory<'_> {
    /// Attends from `query` (rows, width) into `output` (rows, width).
    pub fn attend(&self, query: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        if query.len() == self.width {
            self.attend_row(query, output, scratch);
        } else {
            self.attend_rows(query, output, scratch);
        }
    }

    fn keys(&self) -> usize {
        self.key.len() / self.width
    }

    fn scale(&self) -> f32 {
        1.0 / ((self.width / self.heads) as f32).sqrt()
    }

    /// Keys that query row `row` sees.
    fn visible(&self, row: usize) -> usize {
        match self.mask {
            Mask::None => self.keys(),
            Mask::Causal => (self.past + row + 1).min(self.keys()),
        }
    }

    fn attend_row(&self, query: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        let (head_width, keys, visible) = (self.width / self.heads, self.keys(), self.visible(0));
        let scratch = &mut scratch[..self.heads * keys];
        let heads = output.par_chunks_mut(head_width).zip(scratch.par_chunks_mut(keys)).enumerate();
        heads.for_each(|(head, (output, scores))| {
            let offset = head * head_width;
            let query = &query[offset..][..head_width];
            let scores = &mut scores[..visible];
            for (score, key) in scores.iter_mut().zip(self.key.chunks_exact(self.width)) {
                *score = dot(query, &key[offset..][..head_width]) * self.scale();
            }
            softmax(scores);
            output.fill(0.0);
            for (score, value) in scores.iter().zip(self.value.chunks_exact(self.width)) {
                for (y, v) in output.iter_mut().zip(&value[offset..][..head_width]) {
                    *y += score * v;
                }
            }
        });
    }

    fn attend_rows(&self, query: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        let (head_width, keys) = (self.width / self.heads, self.keys());
        let rows = query.len() / self.width;
        let scratch = &mut scratch[..rows * keys];
        let blocks = output.par_chunks_mut(BLOCK_ROWS * self.width);
        let blocks = blocks.zip(query.par_chunks(BLOCK_ROWS * self.width));
        let blocks = blocks.zip(scratch.par_chunks_mut(BLOCK_ROWS * keys)).enumerate();
        blocks.for_each(|(block, ((output, query), scores))| {
            let rows = query.len() / self.width;
            for head in 0..self.heads {
                let offset = head * head_width;
                let query = Matrix::new(&query[offset..], rows, head_width, self.width);
                let key = Matrix::new(&self.key[offset..], keys, head_width, self.width).transposed();
                multiply(query, key, self.scale(), false, scores, keys, Parallelism::None);
                for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                    let (seen, hidden) = scores.split_at_mut(self.visible(block * BLOCK_ROWS + row));
                    softmax(seen);
                    hidden.fill(0.0);
                }
                let scores = Matrix::new(scores, rows, keys, keys);
                let value = Matrix::new(&self.value[offset..], keys, head_width, self.width);
                multiply(scores, value, 1.0, false, &mut output[offset..], self.width, Parallelism::None);
            }
        });
    }
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
