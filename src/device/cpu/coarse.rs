//! Logits in two steps: all of them over weights of 2 bits, then the few that matter over those of 8.
//!
//! A decoder's step for one stream is as long as it takes to read the weights, and the logits' are half of a small model's.

use std::sync::Arc;

use super::arithmetic::Source;
use super::linear::Left;
use super::packed::{Dot, Packed, Panel, Panels};
use super::simd::{Int8, Isa, Kernel, Kind, Line, Rows, Simd, each_height, product_of_pairs};
use super::store::{Form, Matrix, Store};
use super::values::Target;
use crate::device::team::Team;

/// Logits so far below the greatest are not computed again. The first step's error is some 0.85 (standard deviation); the
/// likeliest token was never more than 3.4 below what the first step took for it (217 steps of tiny.en, 236 of base).
const MARGIN: f32 = 5.0;
/// At least so many are computed again, because who asks for the logits may forbid the greatest ones.
const FEWEST_CANDIDATES: usize = 16;
/// At most so many are computed again.
const MOST_CANDIDATES: usize = 1024;
/// What is taken off the integers 0 to 3.
const MIDDLE: f32 = 1.5;
/// Elements of the inner dimension in a group of 32 bits.
const GROUP: usize = 16;
/// A step in standard deviations: the mean square error of a normal distribution in four equal steps is least there (Max,
/// "Quantizing for Minimum Distortion", 1960).
const STEP: f32 = 0.9957;

/// A right matrix in 2 bits. A group's lowest pairs of bits are its first four elements.
pub struct Coarse {
    panels: Arc<Panels>,
}

impl Coarse {
    /// Packs a matrix (columns, inner) of weights, unless the store has it.
    pub fn new(store: &mut Store<'_>, name: &str, columns: usize, inner: usize, source: Source<'_>) -> Self {
        let groups = inner.div_ceil(GROUP);
        let pack = |isa: Isa, team: &Team| {
            let fill = |panel: &mut Panel<'_>, rows: &[f32]| isa.run(Pack { panel, rows, inner });
            Panels::new(isa, team, (columns, inner), groups, source, &fill)
        };
        let matrix = Matrix { name: name.to_owned(), form: Form::Int2, columns, inner };
        Self { panels: store.panels(matrix, groups, pack) }
    }

    /// The first step, over the first parts of rows of `left`, the first of which is the target's first row, into the target,
    /// whose columns begin at a panel.
    pub fn run(&self, isa: Isa, left: &Left<Int8>, target: &mut Target<'_>) {
        isa.run(Run { coarse: self, left, target });
    }

    /// The second step: computes those of `logits` again that are near the greatest of the first `count`, and adds `offset` to
    /// each of them.
    pub fn refine(
        isa: Isa,
        weight: &Packed<Int8>,
        (left, row): (&Left<Int8>, usize),
        offset: f32,
        logits: &mut [f32],
        count: usize,
    ) {
        let span = count.div_ceil(SPANS).max(1);
        let mut greatest = [f32::NEG_INFINITY; SPANS];
        for (greatest, logits) in greatest.iter_mut().zip(logits[..count].chunks(span)) {
            *greatest = isa.run(Greatest(logits));
        }
        let mut ordered = greatest;
        ordered.sort_unstable_by(|a, b| b.total_cmp(a));
        let least = (ordered[0] - MARGIN).min(ordered[FEWEST_CANDIDATES]);
        let mut left_to_do = MOST_CANDIDATES;
        for (index, logits) in logits[..count].chunks_mut(span).enumerate() {
            if greatest[index] <= least {
                continue;
            }
            for (column, logit) in logits.iter_mut().enumerate() {
                if *logit > least && left_to_do > 0 {
                    left_to_do -= 1;
                    let column = index * span + column;
                    *logit = isa.run(Dot { weight, column, left, row }) + offset;
                }
            }
        }
    }
}

/// Spans of the logits, each looked through one by one if its greatest is near enough.
const SPANS: usize = 64;
/// Most columns of a task, so that few of those that are wanted at once are in one with others.
pub const TASK_COLUMNS: usize = 1024;

struct Greatest<'a>(&'a [f32]);

impl Kernel for Greatest<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let mut most = [simd.splat(f32::NEG_INFINITY); 4];
        for x in self.0.chunks(4 * S::LANES) {
            for (x, most) in x.chunks(S::LANES).zip(&mut most) {
                *most = simd.max(*most, simd.load_some(x, f32::NEG_INFINITY));
            }
        }
        simd.greatest(simd.max(simd.max(most[0], most[1]), simd.max(most[2], most[3])))
    }
}

/// Packs the rows of weights that are a panel's columns.
struct Pack<'a, 'b> {
    panel: &'a mut Panel<'b>,
    rows: &'a [f32],
    inner: usize,
}

impl Kernel for Pack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // Whole vectors of the widest set, so that they may be written beyond the last element.
        let mut bytes = vec![0; self.inner.next_multiple_of(Line::GROUPS)];
        let mut levels = vec![0.0; self.inner];
        for (place, row) in self.rows.chunks_exact(self.inner).enumerate() {
            self.panel.set_scale(place, encode(simd, row, &mut bytes, &mut levels));
            for (group, bytes) in bytes.as_chunks::<GROUP>().0.iter().enumerate() {
                let bytes = u128::from_le_bytes(*bytes);
                let quarter = |index: u32| (bytes >> (32 * index)) as u32 & 0x0303_0303;
                self.panel.set(place, group, quarter(0) | quarter(1) << 2 | quarter(2) << 4 | quarter(3) << 6);
            }
        }
    }
}

/// Writes a column's integers, zeros behind them, and what they mean; gives what a step is worth and the sum of what the
/// integers mean times that.
#[inline(always)]
fn encode<S: Simd>(simd: S, column: &[f32], bytes: &mut [u8], levels: &mut [f32]) -> (f32, f32) {
    let deviation = (sum_of_products(simd, column, column) / column.len() as f32).sqrt();
    let factor = simd.splat(1.0 / (STEP * deviation).max(f32::MIN_POSITIVE));
    let (zero, most, middle) = (simd.splat(0.0), simd.splat(3.0), simd.splat(MIDDLE));
    for (index, (x, levels)) in column.chunks(S::LANES).zip(levels.chunks_mut(S::LANES)).enumerate() {
        // Not fused, so that every instruction set rounds alike.
        let x = simd.add(simd.mul(simd.load_some(x, 0.0), factor), middle);
        let integers = simd.round(simd.min(simd.max(x, zero), most));
        simd.store_some(simd.sub(simd.to_f(integers), middle), levels);
        simd.store_u8(integers, &mut bytes[index * S::LANES..]);
    }
    bytes[column.len()..].fill(0);
    // The scale with the least square error for these integers.
    let scale = sum_of_products(simd, levels, column) / sum_of_products(simd, levels, levels);
    let scale = scale.max(f32::MIN_POSITIVE);
    (scale, levels.iter().sum::<f32>() * scale)
}

/// In as many partial sums as the widest vector has lanes, and not fused, so that every instruction set rounds alike.
#[inline(always)]
fn sum_of_products<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [simd.splat(0.0); Line::GROUPS];
    for (a, b) in a.chunks(Line::GROUPS).zip(b.chunks(Line::GROUPS)) {
        for ((a, b), sum) in a.chunks(S::LANES).zip(b.chunks(S::LANES)).zip(&mut sums) {
            *sum = simd.add(*sum, simd.mul(simd.load_some(a, 0.0), simd.load_some(b, 0.0)));
        }
    }
    let mut lanes = [0.0; Line::GROUPS];
    for (lanes, sum) in lanes.chunks_exact_mut(S::LANES).zip(sums) {
        simd.store(sum, lanes);
    }
    lanes.iter().sum()
}

struct Run<'a, 'b> {
    coarse: &'a Coarse,
    left: &'a Left<Int8>,
    target: &'a mut Target<'b>,
}

impl Kernel for Run<'_, '_> {
    type Output = ();
    const ELEMENT: Option<Kind> = Some(Kind::Int8);

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        each_height(simd, 0..self.target.rows.len(), &mut self);
    }
}

impl Rows for Run<'_, '_> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize) {
        let (panels, left, columns) = (&*self.coarse.panels, self.left, self.target.columns.clone());
        let parts = left.parts();
        let mut offsets = [0.0; ROWS];
        for (index, offset) in offsets.iter_mut().enumerate() {
            let mut sum = simd.splat_i(0);
            for groups in left.rows((row + index) * parts)[..left.stride()].chunks_exact(S::LANES) {
                sum = simd.dot_u8(sum, simd.load_u(groups), simd.splat_i(0x0101_0101));
            }
            *offset = simd.sum(simd.to_f(sum)) * MIDDLE;
        }
        let first_row = self.target.rows.start + row;
        let mut first = columns.start;
        while first < columns.end {
            let (lines, groups) = (panels.lines_of(first), panels.groups);
            let (left_rows, stride) = (left.rows(row * parts), left.stride() * parts);
            let tile = product_of_pairs::<S, ROWS, VECTORS>(simd, left_rows, stride, lines, groups);
            for (index, tile) in tile.iter().enumerate() {
                let &[scale] = left.scales((row + index) * parts) else {
                    unreachable!("a row of states has one scale")
                };
                let (scale, least) = (simd.splat(scale), simd.splat(left.least((row + index) * parts)));
                let output = &mut self.target.row(first_row + index)[first - columns.start..];
                for (vector, sum) in tile.iter().enumerate() {
                    let place = vector * S::LANES;
                    if place >= output.len() {
                        break;
                    }
                    let column = first + place;
                    let sum = simd.mul(simd.sub(*sum, simd.splat(offsets[index])), scale);
                    let y = simd.mul(sum, simd.load(&panels.scales[column..]));
                    let y = simd.mul_add(least, simd.load(&panels.sums[column..]), y);
                    simd.store_some(y, &mut output[place..]);
                }
            }
            first += VECTORS * S::LANES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Encoded<'a>(&'a [f32], &'a mut [u8]);

    impl Kernel for Encoded<'_> {
        type Output = (f32, f32);

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> (f32, f32) {
            encode(simd, self.0, self.1, &mut vec![0.0; self.0.len()])
        }
    }

    #[test]
    fn every_instruction_set_encodes_alike_and_as_well_as_two_bits_can() {
        for length in 1..150_usize {
            let column: Vec<f32> = (0..length).map(|index| (index as f32 * 1.7).sin() * 0.3 + 0.01).collect();
            let encoded = |isa: Isa| {
                let mut bytes = vec![0xff; length.next_multiple_of(Line::GROUPS)];
                let (scale, sum) = isa.run(Encoded(&column, &mut bytes));
                (scale.to_bits(), sum.to_bits(), bytes)
            };
            let all = Isa::all();
            let (scale, sum, bytes) = encoded(all[0]);
            assert!(bytes[length..].iter().all(|byte| *byte == 0), "{length}");
            let step = f32::from_bits(scale);
            let error = |(x, byte): (&f32, &u8)| (x - (f32::from(*byte) - MIDDLE) * step).powi(2);
            let errors: f32 = column.iter().zip(&bytes).map(error).sum();
            let squares: f32 = column.iter().map(|x| x * x).sum();
            assert!(errors < 0.12 * squares, "{length}: {errors} of {squares}");
            for isa in &all[1..] {
                assert_eq!(encoded(*isa), (scale, sum, bytes.clone()), "{isa:?}, {length}");
            }
        }
    }
}
