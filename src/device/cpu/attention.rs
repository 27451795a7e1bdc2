//! Scaled dot-product attention (Vaswani et al., arXiv 1706.03762) over packed keys and values.
//!
//! The scores of a few queries against all keys stay in the first-level cache: their exact maximum is known before the first
//! exponential, and nothing is rescaled.

use super::math::exp2;
use super::memory::{Attend, Head};
use super::simd::{Kernel, Kind, Line, Rows, Simd, TILE_ROWS, each_height, product};
use super::values::{Reader, Target};
use crate::device::Value;

/// Scratch of one thread.
#[derive(Default)]
pub struct Scores {
    queries: Vec<u32>,
    pub(super) scores: Vec<f32>,
    probabilities: Vec<u32>,
}

/// Attends from the target's rows of `query` to `head`; the target's columns are the head's.
pub struct Attention<'a, 'b, E> {
    pub head: &'a Head<E>,
    pub query: Value,
    pub reader: Reader<'a>,
    pub target: &'a mut Target<'b>,
    pub scores: &'a mut Scores,
}

impl<E: Attend> Kernel for Attention<'_, '_, E> {
    type Output = ();
    const ELEMENT: Option<Kind> = Some(E::KIND);

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let keys = padded::<S>(self.head.count);
        let query_stride = self.head.width.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS);
        let scores = &mut *self.scores;
        scores.queries.resize(scores.queries.len().max(TILE_ROWS * query_stride), 0);
        scores.scores.resize(scores.scores.len().max(TILE_ROWS * keys), 0.0);
        scores.probabilities.resize(scores.probabilities.len().max(TILE_ROWS * keys / E::GROUP), 0);
        each_height(simd, self.target.rows.clone(), &mut self);
    }
}

impl<E: Attend> Rows for Attention<'_, '_, E> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize) {
        let head = self.head;
        let Scores { queries, scores, probabilities } = &mut *self.scores;
        let panel_columns = VECTORS * S::LANES;
        let groups = head.width.div_ceil(E::GROUP);
        let stride = groups.next_multiple_of(Line::GROUPS);
        let columns = self.target.columns.clone();
        let mut scales = [0.0; ROWS];
        for (index, scale) in scales.iter_mut().enumerate() {
            let query = &self.reader.row(self.query, row + index)[columns.clone()];
            *scale = E::encode_query(simd, query, &mut queries[index * stride..][..stride]);
        }
        let keys = padded::<S>(head.count);
        let panel_lines = groups * panel_columns / Line::GROUPS;
        for panel in 0..head.count.div_ceil(panel_columns) {
            let first = panel * panel_columns;
            let lines = &head.keys[panel * panel_lines..][..panel_lines];
            let offsets = &head.key_offsets[first..];
            let tile = product::<S, E, ROWS, VECTORS>(simd, queries, stride, lines, groups, Some(offsets));
            for (index, tile) in tile.iter().enumerate() {
                let scores = &mut scores[index * keys + first..];
                for (vector, sum) in tile.iter().enumerate() {
                    let scale = simd.load(&head.key_scales[first + vector * S::LANES..]);
                    simd.store(simd.mul(*sum, scale), &mut scores[vector * S::LANES..]);
                }
            }
        }
        let (key_groups, root) = (keys / E::GROUP, (head.width as f32).sqrt());
        let mut sums = [0.0; ROWS];
        for (index, sum) in sums.iter_mut().enumerate() {
            let scores = &mut scores[index * keys..][..keys];
            scores[head.count..].fill(LEAST);
            let probabilities = &mut probabilities[index * key_groups..][..key_groups];
            // 2 to this power is e to the scaled score.
            let scale = scales[index] * std::f32::consts::LOG2_E / root;
            *sum = soft_maximum::<S, E>(simd, scores, scale, probabilities);
        }
        let value_groups = head.count.div_ceil(E::GROUP);
        let panel_lines = value_groups * panel_columns / Line::GROUPS;
        let mut first = 0;
        while first < head.width {
            let lines = &head.values[first / panel_columns * panel_lines..][..panel_lines];
            let tile = product::<S, E, ROWS, VECTORS>(simd, probabilities, key_groups, lines, value_groups, None);
            for (index, tile) in tile.iter().enumerate() {
                let output = &mut self.target.row(row + index)[first..];
                let share = simd.splat(1.0 / sums[index]);
                for (vector, sum) in tile.iter().enumerate() {
                    let place = vector * S::LANES;
                    if place >= output.len() {
                        break;
                    }
                    let scale = simd.mul(simd.load(&head.value_scales[first + place..]), share);
                    let y = simd.mul_add(*sum, scale, simd.load(&head.value_means[first + place..]));
                    simd.store_some(y, &mut output[place..]);
                }
            }
            first += panel_columns;
        }
    }
}

/// Vectors that are written at a time.
const WRITTEN: usize = 4;
/// What stands in place of the score of a key that there is not.
const LEAST: f32 = -1e30;

/// Keys with what fills them up to whole writes and panels.
#[inline(always)]
fn padded<S: Simd>(keys: usize) -> usize {
    keys.next_multiple_of(S::LANES * WRITTEN)
}

/// Writes 2^(scale·(score − maximum)) times ONE as elements of `probabilities`; gives the sum of the powers. There are as many
/// scores as [`padded`] says, and `scale` is positive.
#[inline(always)]
fn soft_maximum<S: Simd, E: Attend>(simd: S, scores: &[f32], scale: f32, probabilities: &mut [u32]) -> f32 {
    let mut most = [simd.splat(LEAST); WRITTEN];
    for scores in scores.chunks_exact(WRITTEN * S::LANES) {
        for (vector, most) in most.iter_mut().enumerate() {
            *most = simd.max(*most, simd.load(&scores[vector * S::LANES..]));
        }
    }
    let most = simd.greatest(simd.max(simd.max(most[0], most[1]), simd.max(most[2], most[3])));
    let (factor, offset) = (simd.splat(scale), simd.splat(E::ONE.log2() - scale * most));
    let (mut sums, mut first) = ([simd.splat(0.0); WRITTEN], 0);
    for scores in scores.chunks_exact(WRITTEN * S::LANES) {
        let mut powers = [simd.splat(0.0); WRITTEN];
        for vector in 0..WRITTEN {
            let score = simd.load(&scores[vector * S::LANES..]);
            powers[vector] = exp2(simd, simd.mul_add(score, factor, offset));
            sums[vector] = simd.add(sums[vector], powers[vector]);
        }
        E::store(simd, powers, probabilities, first);
        first += WRITTEN * S::LANES;
    }
    simd.sum(simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]))) / E::ONE
}
