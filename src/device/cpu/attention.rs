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
        self.scores.make_room::<S, E>(self.head, TILE_ROWS);
        each_height(simd, self.target.rows.clone(), &mut self);
    }
}

impl<E: Attend> Rows for Attention<'_, '_, E> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize) {
        let head = self.head;
        let panel_columns = VECTORS * S::LANES;
        let columns = self.target.columns.clone();
        let queries = std::array::from_fn(|index| &self.reader.row(self.query, row + index)[columns.clone()]);
        let scales = score::<S, E, ROWS, VECTORS>(simd, head, queries, self.scores);
        let Scores { scores, probabilities, .. } = &mut *self.scores;
        let keys = padded::<S>(head.count);
        let key_groups = keys / E::GROUP;
        let mut sums = [0.0; ROWS];
        for (index, sum) in sums.iter_mut().enumerate() {
            let scores = &mut scores[index * keys..][..keys];
            let probabilities = &mut probabilities[index * key_groups..][..key_groups];
            *sum = soft_maximum::<S, E>(simd, scores, scales[index], probabilities);
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

/// The probabilities by which one row would weigh the values of `head`.
pub struct Probabilities<'a, E> {
    pub head: &'a Head<E>,
    /// The head's columns of the query.
    pub query: &'a [f32],
    /// At least as many as the head has keys; zeros behind them.
    pub output: &'a mut [f32],
    pub scores: &'a mut Scores,
}

impl<E: Attend> Kernel for Probabilities<'_, E> {
    type Output = ();
    const ELEMENT: Option<Kind> = Some(E::KIND);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.scores.make_room::<S, E>(self.head, 1);
        let [scale] = match S::VECTORS {
            2 => score::<S, E, 1, 2>(simd, self.head, [self.query], self.scores),
            _ => score::<S, E, 1, 4>(simd, self.head, [self.query], self.scores),
        };
        let scores = &mut self.scores.scores[..padded::<S>(self.head.count)];
        let (mut most, mut total) = (simd.splat(LEAST), simd.splat(0.0));
        for scores in scores.chunks_exact(S::LANES) {
            most = simd.max(most, simd.load(scores));
        }
        let (factor, offset) = (simd.splat(scale), simd.splat(-scale * simd.greatest(most)));
        for scores in scores.chunks_exact_mut(S::LANES) {
            let power = exp2(simd, simd.mul_add(simd.load(scores), factor, offset));
            total = simd.add(total, power);
            simd.store(power, scores);
        }
        let share = 1.0 / simd.sum(total);
        let (visible, rest) = self.output.split_at_mut(self.head.count);
        visible.iter_mut().zip(&*scores).for_each(|(probability, power)| *probability = power * share);
        rest.fill(0.0);
    }
}

/// Writes the scores of ROWS queries with all keys of `head`, as many apart as [`padded`] says, and [`LEAST`] behind them; gives
/// for each query what its scores are to be multiplied by, so that 2 to this power is e to the scaled score.
#[inline(always)]
fn score<S: Simd, E: Attend, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    head: &Head<E>,
    rows: [&[f32]; ROWS],
    scratch: &mut Scores,
) -> [f32; ROWS] {
    let Scores { queries, scores, .. } = scratch;
    let panel_columns = VECTORS * S::LANES;
    let groups = head.width.div_ceil(E::GROUP);
    let stride = groups.next_multiple_of(Line::GROUPS);
    let root = (head.width as f32).sqrt();
    let mut scales = [0.0; ROWS];
    for (index, (scale, query)) in scales.iter_mut().zip(rows).enumerate() {
        let step = E::encode_query(simd, query, &mut queries[index * stride..][..stride]);
        *scale = step * std::f32::consts::LOG2_E / root;
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
    for row in 0..ROWS {
        scores[row * keys..][head.count..keys].fill(LEAST);
    }
    scales
}

impl Scores {
    /// Room for so many queries of `head`.
    #[inline(always)]
    fn make_room<S: Simd, E: Attend>(&mut self, head: &Head<E>, rows: usize) {
        let keys = padded::<S>(head.count);
        let query_stride = head.width.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS);
        self.queries.resize(self.queries.len().max(rows * query_stride), 0);
        self.scores.resize(self.scores.len().max(rows * keys), 0.0);
        self.probabilities.resize(self.probabilities.len().max(rows * keys / E::GROUP), 0);
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
