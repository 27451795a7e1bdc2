//! Logits in two steps: all of them over weights of 4 bits, then the few that matter over those of 8.
//!
//! A decoder's step for one stream is as long as it takes to read the weights, and the logits' are half of a small model's.

use std::sync::Arc;

use super::arithmetic::Source;
use super::linear::Left;
use super::packed::{Packed, Panel, Panels};
use super::simd::{Int8, Isa, Kernel, Kind, Line, Rows, Simd, each_height, product_of_nibbles};
use super::store::{Form, Matrix, Store};
use super::team::Team;
use super::values::Target;

/// Logits so far below the greatest are not computed again: several times the error of the first step, which is some 0.4
/// (standard deviation) by estimate.
const MARGIN: f32 = 3.0;
/// At most so many are computed again.
const MOST_CANDIDATES: usize = 256;
/// Greatest magnitude of a 4-bit weight.
const MOST: f32 = 7.0;
/// Added to a weight so that it is not negative.
const MIDDLE: i32 = 8;
/// Elements of the inner dimension in a group of 32 bits.
const GROUP: usize = 8;
/// Weights are clipped at so many standard deviations: the mean square error of a normal distribution is least there.
const CLIP: f32 = 2.8;

/// A right matrix in 4 bits. A group's low nibbles are its first four elements.
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
        let matrix = Matrix { name: name.to_owned(), form: Form::Int4, columns, inner };
        Self { panels: store.panels(matrix, groups, pack) }
    }

    /// The first step, over the first parts of rows of `left`, the first of which is the target's first row, into the target, whose columns begin at
    /// a panel.
    pub fn run(&self, isa: Isa, left: &Left<Int8>, target: &mut Target<'_>) {
        isa.run(Run { coarse: self, left, target });
    }

    /// The second step: computes those of `logits` again that are near the greatest of the first `count`.
    pub fn refine(isa: Isa, weight: &Packed<Int8>, left: &Left<Int8>, row: usize, logits: &mut [f32], count: usize) {
        let span = count.div_ceil(SPANS).max(1);
        let mut greatest = [f32::NEG_INFINITY; SPANS];
        for (greatest, logits) in greatest.iter_mut().zip(logits[..count].chunks(span)) {
            *greatest = isa.run(Greatest(logits));
        }
        let least = greatest.iter().copied().fold(f32::NEG_INFINITY, f32::max) - MARGIN;
        let mut left_to_do = MOST_CANDIDATES;
        for (index, logits) in logits[..count].chunks_mut(span).enumerate() {
            if greatest[index] <= least {
                continue;
            }
            for (column, logit) in logits.iter_mut().enumerate() {
                if *logit > least && left_to_do > 0 {
                    left_to_do -= 1;
                    *logit = weight.dot(index * span + column, left, row);
                }
            }
        }
    }
}

/// Spans of the logits, each looked through one by one if its greatest is near enough.
const SPANS: usize = 64;

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

/// Encodes the rows of weights that are a panel's columns.
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
        let mut bytes = vec![0; self.inner.next_multiple_of(4 * Line::GROUPS)];
        for (place, row) in self.rows.chunks_exact(self.inner).enumerate() {
            self.panel.set_scale(place, encode(simd, row, &mut bytes));
            for (group, bytes) in bytes.as_chunks::<GROUP>().0[..self.inner.div_ceil(GROUP)].iter().enumerate() {
                let bytes = u64::from_le_bytes(*bytes);
                self.panel.set(place, group, bytes as u32 | (bytes >> 32 << 4) as u32);
            }
        }
    }
}

/// Writes a column's integers, [`MIDDLE`] added, as bytes, zeros behind them; gives what a step is worth and the sum of the
/// integers times that.
#[inline(always)]
fn encode<S: Simd>(simd: S, column: &[f32], bytes: &mut [u8]) -> (f32, f32) {
    let most = greatest_magnitude(simd, column);
    let deviation = (sum_of_squares(simd, column) / column.len() as f32).sqrt();
    let scale = (most.min(CLIP * deviation) / MOST).max(f32::MIN_POSITIVE);
    let (factor, middle) = (simd.splat(1.0 / scale), simd.splat(MIDDLE as f32));
    let (least, most) = (simd.splat(-MOST), simd.splat(MOST));
    let mut first = 0;
    while first < column.len() {
        // Not fused, so that every instruction set rounds alike.
        let x = simd.mul(simd.load_some(&column[first..], 0.0), factor);
        let x = simd.add(simd.min(simd.max(x, least), most), middle);
        simd.store_u8(simd.round(x), &mut bytes[first..]);
        first += S::LANES;
    }
    bytes[column.len()..].fill(0);
    let sum: i32 = bytes.iter().map(|byte| i32::from(*byte)).sum();
    (scale, (sum - MIDDLE * column.len() as i32) as f32 * scale)
}

/// The greatest magnitude.
#[inline(always)]
fn greatest_magnitude<S: Simd>(simd: S, column: &[f32]) -> f32 {
    let (mut most, mut first) = (simd.splat(0.0), 0);
    while first < column.len() {
        let x = simd.load_some(&column[first..], 0.0);
        most = simd.max(most, simd.max(x, simd.sub(simd.splat(0.0), x)));
        first += S::LANES;
    }
    simd.greatest(most)
}

/// In as many partial sums as the widest vector has lanes, and not fused, so that every instruction set rounds alike.
#[inline(always)]
fn sum_of_squares<S: Simd>(simd: S, column: &[f32]) -> f32 {
    let mut sums = [simd.splat(0.0); Line::GROUPS];
    for x in column.chunks(Line::GROUPS) {
        for (x, sum) in x.chunks(S::LANES).zip(&mut sums) {
            let x = simd.load_some(x, 0.0);
            *sum = simd.add(*sum, simd.mul(x, x));
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
        let mut offsets = [0.0; ROWS];
        let parts = left.parts();
        for (index, offset) in offsets.iter_mut().enumerate() {
            let bytes = left.rows((row + index) * parts)[..left.stride()].iter().flat_map(|group| group.to_le_bytes());
            *offset = (bytes.map(i32::from).sum::<i32>() * MIDDLE) as f32;
        }
        let first_row = self.target.rows.start + row;
        let mut first = columns.start;
        while first < columns.end {
            let (lines, groups) = (panels.lines_of(first), panels.groups);
            let (left_rows, stride) = (left.rows(row * parts), left.stride() * parts);
            let tile = product_of_nibbles::<S, ROWS, VECTORS>(simd, left_rows, stride, lines, groups);
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
            encode(simd, self.0, self.1)
        }
    }

    #[test]
    fn every_instruction_set_encodes_alike() {
        for length in 1..150_usize {
            let column: Vec<f32> = (0..length).map(|index| (index as f32 * 1.7).sin() * 0.3 + 0.01).collect();
            let encoded = |isa: Isa| {
                let mut bytes = vec![0xff; length.next_multiple_of(4 * Line::GROUPS)];
                let (scale, sum) = isa.run(Encoded(&column, &mut bytes));
                (scale.to_bits(), sum.to_bits(), bytes)
            };
            let all = Isa::all();
            let (scale, sum, bytes) = encoded(all[0]);
            let (scale_f32, most) = (f32::from_bits(scale), MOST + MIDDLE as f32);
            assert!(bytes[length..].iter().all(|byte| *byte == 0), "{length}");
            for (x, byte) in column.iter().zip(&bytes) {
                let integer = (x / scale_f32 + MIDDLE as f32).clamp(1.0, most);
                assert!((f32::from(*byte) - integer).abs() <= 0.501, "{length}: {x} is {byte}");
            }
            for isa in &all[1..] {
                assert_eq!(encoded(*isa), (scale, sum, bytes.clone()), "{isa:?}, {length}");
            }
        }
    }
}
