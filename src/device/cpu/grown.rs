//! Attention of one row over keys and values in f32, which grow by a row with each token.

use super::arithmetic::Seen;
use super::math::exp2;
use super::simd::{Kernel, Simd};

/// One head's work for one row.
pub struct Grown<'a> {
    /// The head's columns of the query.
    pub query: &'a [f32],
    /// What it may see.
    pub seen: Seen<'a>,
    /// The head's columns of the result.
    pub output: &'a mut [f32],
    /// Scratch, grown as needed.
    pub scores: &'a mut Vec<f32>,
}

impl Kernel for Grown<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (query, Seen { keys, values, stride, visible }) = (self.query, self.seen);
        let width = query.len();
        let scale = std::f32::consts::LOG2_E / (width as f32).sqrt();
        self.scores.resize(self.scores.len().max(visible), 0.0);
        let scores = &mut self.scores[..visible];
        let mut most = f32::NEG_INFINITY;
        for (index, score) in scores.iter_mut().enumerate() {
            let key = &keys[index * stride..][..width];
            let (mut sum, mut first) = (simd.splat(0.0), 0);
            while first < width {
                sum = simd.mul_add(simd.load_some(&query[first..], 0.0), simd.load_some(&key[first..], 0.0), sum);
                first += S::LANES;
            }
            *score = simd.sum(sum) * scale;
            most = most.max(*score);
        }
        let (mut total, mut first) = (simd.splat(0.0), 0);
        while first < visible {
            let power = exp2(simd, simd.sub(simd.load_some(&scores[first..], f32::NEG_INFINITY), simd.splat(most)));
            total = simd.add(total, power);
            simd.store_some(power, &mut scores[first..]);
            first += S::LANES;
        }
        let share = simd.splat(1.0 / simd.sum(total));
        let mut first = 0;
        while first < width {
            let mut sum = simd.splat(0.0);
            for (index, score) in scores.iter().enumerate() {
                let value = simd.load_some(&values[index * stride + first..index * stride + width], 0.0);
                sum = simd.mul_add(simd.splat(*score), value, sum);
            }
            simd.store_some(simd.mul(sum, share), &mut self.output[first..]);
            first += S::LANES;
        }
    }
}
