//! Logits in two steps: all of them over weights of 4 bits, then the few that matter over those of 8.
//!
//! A decoder's step for one stream is as long as it takes to read the weights, and the logits' are half of a small model's.

use std::sync::{Mutex, PoisonError};

use super::arithmetic::Source;
use super::linear::Left;
use super::packed::Packed;
use super::simd::{Int8, Isa, Kernel, Kind, Line, MOST_ROWS, Simd, product_of_nibbles};
use super::team::Team;
use super::values::Target;

/// Logits so far below the greatest are not computed again. The error of the first step is some 0.4 (standard deviation), so
/// that the greatest of all is missed about once in a million steps.
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

/// A right matrix in 4 bits, in panels as [`Packed`]. A group's low nibbles are its first four elements.
pub struct Coarse {
    lines: Vec<Line>,
    scales: Vec<f32>,
    sums: Vec<f32>,
    groups: usize,
    panel_columns: usize,
}

impl Coarse {
    /// Packs a matrix (columns, inner) of weights.
    pub fn new(isa: Isa, team: &Team, columns: usize, inner: usize, source: Source<'_>) -> Self {
        let panel_columns = isa.panel_columns();
        let (groups, panels) = (inner.div_ceil(GROUP), columns.div_ceil(panel_columns));
        let panel_lines = groups * panel_columns / LINE;
        let mut coarse = Self {
            lines: vec![Line::default(); panels * panel_lines],
            scales: vec![0.0; panels * panel_columns],
            sums: vec![0.0; panels * panel_columns],
            groups,
            panel_columns,
        };
        let scales = coarse.scales.chunks_mut(panel_columns).zip(coarse.sums.chunks_mut(panel_columns));
        let panels: Vec<_> = coarse.lines.chunks_mut(panel_lines).zip(scales).map(Mutex::new).collect();
        team.run(panels.len(), &|index, _| {
            let first = index * panel_columns;
            let mut rows = vec![0.0; panel_columns.min(columns - first) * inner];
            source(first, &mut rows);
            let (lines, (scales, sums)) = &mut *panels[index].lock().unwrap_or_else(PoisonError::into_inner);
            for (place, row) in rows.chunks_exact(inner).enumerate() {
                (scales[place], sums[place]) = pack(row, |group, nibbles| {
                    let index = group * panel_columns + place;
                    lines[index / LINE].0[index % LINE] = nibbles;
                });
            }
        });
        drop(panels);
        coarse
    }

    /// The first step: rows of `left`, the first of which is the target's first row, into the target, whose columns begin at
    /// a panel.
    pub fn run(&self, isa: Isa, left: &Left<Int8>, target: &mut Target<'_>) {
        isa.run(Run { coarse: self, left, target });
    }

    /// The second step: computes those of `logits` again that are near the greatest of the first `count`.
    pub fn refine(weight: &Packed<Int8>, left: &Left<Int8>, row: usize, logits: &mut [f32], count: usize) {
        let most = logits[..count].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut left_to_do = MOST_CANDIDATES;
        for (column, logit) in logits[..count].iter_mut().enumerate() {
            if *logit > most - MARGIN && left_to_do > 0 {
                left_to_do -= 1;
                *logit = weight.dot(column, left, row);
            }
        }
    }
}

/// Groups in a line.
const LINE: usize = 16;

/// Gives the groups of a column one by one; returns what a step is worth and the sum of the column's integers times that.
fn pack(column: &[f32], mut put: impl FnMut(usize, u32)) -> (f32, f32) {
    let most = column.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let deviation = (column.iter().map(|x| x * x).sum::<f32>() / column.len() as f32).sqrt();
    let scale = (most.min(CLIP * deviation) / MOST).max(f32::MIN_POSITIVE);
    let (factor, mut sum) = (1.0 / scale, 0);
    for (group, elements) in column.chunks(GROUP).enumerate() {
        let mut nibbles = 0u32;
        for (index, x) in elements.iter().enumerate() {
            // Adding and subtracting 1.5·2²³ rounds, without a call where the target has no instruction for it.
            const ROUND: f32 = 12_582_912.0;
            let integer = ((x * factor).clamp(-MOST, MOST) + ROUND - ROUND) as i32;
            sum += integer;
            // Byte index % 4, low nibble for the first four.
            nibbles |= ((integer + MIDDLE) as u32) << (index % 4 * 8 + index / 4 * 4);
        }
        put(group, nibbles);
    }
    (scale, sum as f32 * scale)
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
        let panel_columns = S::LANES * S::VECTORS;
        let mut column = self.target.columns.start;
        while column < self.target.columns.end {
            let rows = self.target.rows.len();
            let mut row = 0;
            while row < rows {
                row += match rows - row {
                    left if left >= MOST_ROWS => self.tile::<S, MOST_ROWS>(simd, column, row),
                    1 => self.tile::<S, 1>(simd, column, row),
                    _ => self.tile::<S, 2>(simd, column, row),
                };
            }
            column += panel_columns;
        }
    }
}

impl Run<'_, '_> {
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize>(&mut self, simd: S, column: usize, row: usize) -> usize {
        match S::VECTORS {
            2 => self.finish::<S, ROWS, 2>(simd, column, row),
            _ => self.finish::<S, ROWS, 4>(simd, column, row),
        }
        ROWS
    }

    #[inline(always)]
    fn finish<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, first: usize, row: usize) {
        let Coarse { lines, scales, sums, groups, panel_columns } = self.coarse;
        let panel_lines = groups * panel_columns / LINE;
        let panel = &lines[first / panel_columns * panel_lines..][..panel_lines];
        let tile =
            product_of_nibbles::<S, ROWS, VECTORS>(simd, self.left.rows(row), self.left.stride(), panel, *groups);
        let begin = first - self.target.columns.start;
        let first_row = self.target.rows.start + row;
        for (index, tile) in tile.iter().enumerate() {
            let range = self.left.range(row + index);
            let bytes = self.left.rows(row + index)[..self.left.stride()].iter().flat_map(|group| group.to_le_bytes());
            let total: i32 = bytes.map(i32::from).sum();
            let (scale, least) = (simd.splat(range.scale), simd.splat(range.least));
            let offset = simd.splat((total * MIDDLE) as f32);
            let output = &mut self.target.row(first_row + index)[begin..];
            for (vector, sum) in tile.iter().enumerate() {
                let place = vector * S::LANES;
                if place >= output.len() {
                    break;
                }
                let column = first + place;
                let sum = simd.mul(simd.sub(*sum, offset), scale);
                let y = simd.mul(sum, simd.load(&scales[column..]));
                let y = simd.mul_add(least, simd.load(&sums[column..]), y);
                simd.store_some(y, &mut output[place..]);
            }
        }
    }
}
