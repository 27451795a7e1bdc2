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
        let keys = self.head.count.next_multiple_of(S::LANES * S::VECTORS);
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
        let keys = head.count.next_multiple_of(panel_columns);
        let panel_lines = groups * panel_columns / Line::GROUPS;
        for panel in 0..keys / panel_columns {
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
            let scores = &scores[index * keys..][..head.count];
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

/// Writes 2^(scale·(score − maximum)) times ONE as elements of `probabilities`; gives the sum of the powers.
#[inline(always)]
fn soft_maximum<S: Simd, E: Attend>(simd: S, scores: &[f32], scale: f32, probabilities: &mut [u32]) -> f32 {
    let whole = scores.len() / S::LANES * S::LANES;
    let (mut most, mut first) = (simd.splat(f32::NEG_INFINITY), 0);
    while first < whole {
        most = simd.max(most, simd.load(&scores[first..]));
        first += S::LANES;
    }
    if whole < scores.len() {
        most = simd.max(most, simd.load_some(&scores[whole..], f32::NEG_INFINITY));
    }
    let offset = simd.splat(E::ONE.log2() - scale * simd.greatest(most));
    let (factor, mut sum, mut first) = (simd.splat(scale), simd.splat(0.0), 0);
    while first < whole {
        let power = exp2(simd, simd.mul_add(simd.load(&scores[first..]), factor, offset));
        sum = simd.add(sum, power);
        E::store(simd, power, probabilities, first);
        first += S::LANES;
    }
    if whole < scores.len() {
        let power = exp2(simd, simd.mul_add(simd.load_some(&scores[whole..], f32::NEG_INFINITY), factor, offset));
        sum = simd.add(sum, power);
        E::store(simd, power, probabilities, whole);
    }
    simd.sum(sum) / E::ONE
}
