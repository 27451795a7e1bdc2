//! Linear layers over packed weights, with fused bias, activation and residual.

use super::arithmetic::Finish;
use super::encode::{self, BLOCK, Encode};
use super::math::gelu;
use super::packed::Packed;
use super::simd::{Kernel, Kind, Line, Rows, Simd, each_height, product, product_of_wide, widen};
use super::values::{LOCAL_ROWS, Target};
use crate::device::Activation;

/// Rows longer than this have a scale for each [`BLOCK`] elements: those that the widest Whisper's layer norm makes have one
/// scale, and those that the narrowest's GELU makes have many.
const MOST_WHOLE: usize = 1280;

/// Rows of a product's left matrix, encoded.
pub struct Left<E> {
    groups: Vec<u32>,
    /// The same, widened, if the instruction set widens and rows have one part: those of several are few, and wait for weights.
    wide: Vec<u32>,
    /// Of each row's blocks.
    scales: Vec<f32>,
    /// What 0 means in each row.
    least: Vec<f32>,
    stride: usize,
    blocks: usize,
    parts: usize,
    /// What the first part of a row leaves.
    rest: Vec<f32>,
    element: std::marker::PhantomData<E>,
}

impl<E: Encode> Left<E> {
    /// Room that grows with use.
    pub fn new() -> Self {
        let (scales, least, rest) = (Vec::new(), Vec::new(), Vec::new());
        let element = std::marker::PhantomData;
        Self { groups: Vec::new(), wide: Vec::new(), scales, least, stride: 0, blocks: 1, parts: 1, rest, element }
    }

    /// Makes room for `rows` rows of `inner` elements. Fine rows have two parts, the second of which is the rounding error
    /// of the first: worth their time where products wait for weights.
    pub fn begin(&mut self, rows: usize, inner: usize, fine: bool) {
        // Whole vectors of the widest set, so that an encoder may write beyond the last element.
        self.stride = inner.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS);
        self.blocks = if E::KIND == Kind::Int8 && inner > MOST_WHOLE { inner.div_ceil(BLOCK) } else { 1 };
        self.parts = if E::KIND == Kind::Int8 && fine { 2 } else { 1 };
        let rows = rows * self.parts;
        if self.groups.len() < rows * self.stride {
            self.groups.resize(rows * self.stride, 0);
        }
        self.scales.resize(rows * self.blocks, 0.0);
        self.least.resize(rows, 0.0);
        if self.parts == 2 && self.rest.len() < inner {
            self.rest.resize(inner, 0.0);
        }
    }

    /// Parts of a row; those of row i are `parts` rows of integers from i·`parts` on, and their sum is the row.
    #[inline(always)]
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// The groups from row `row` of integers on, [`Left::stride`] apart.
    #[inline(always)]
    pub fn rows(&self, row: usize) -> &[u32] {
        &self.groups[row * self.stride..]
    }

    /// Groups from one row of integers to the next, zeros behind a row's last.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// What a row's integers are worth, by block.
    #[inline(always)]
    pub fn scales(&self, row: usize) -> &[f32] {
        &self.scales[row * self.blocks..][..self.blocks]
    }

    /// What 0 means in a row of integers.
    #[inline(always)]
    pub fn least(&self, row: usize) -> f32 {
        self.least[row]
    }

    /// Groups of a block.
    #[inline(always)]
    pub fn block_groups(&self) -> usize {
        if self.blocks == 1 { self.stride } else { BLOCK / E::GROUP }
    }

    /// Encodes a row.
    #[inline(always)]
    pub fn set<S: Simd>(&mut self, simd: S, row: usize, x: &[f32]) {
        self.set_part(simd, row * self.parts, x);
        if self.parts == 2 {
            let mut rest = std::mem::take(&mut self.rest);
            encode::rest(simd, x, self.least[row * 2], self.scales(row * 2), &mut rest[..x.len()]);
            self.set_part(simd, row * 2 + 1, &rest[..x.len()]);
            self.rest = rest;
        }
    }

    #[inline(always)]
    fn set_part<S: Simd>(&mut self, simd: S, row: usize, x: &[f32]) {
        let (groups, scales) = (&mut self.groups[row * self.stride..], &mut self.scales[row * self.blocks..]);
        self.least[row] = E::encode_row(simd, x, &mut groups[..self.stride], &mut scales[..self.blocks]);
        if self.is_wide::<S>() {
            let end = (row + 1) * 2 * self.stride;
            self.wide.resize(self.wide.len().max(end), 0);
            widen(&self.groups[row * self.stride..][..self.stride], &mut self.wide[row * 2 * self.stride..end]);
        }
    }

    #[inline(always)]
    fn is_wide<S: Simd>(&self) -> bool {
        S::WIDENS && E::KIND == Kind::Int8 && self.parts == 1
    }
}

/// The product of rows of `left`, the first of which is the target's first row, into the target, whose columns begin at a
/// panel.
pub struct Linear<'a, 'b, E> {
    pub weight: &'a Packed<E>,
    pub finish: &'a Finish,
    pub left: &'a Left<E>,
    pub target: &'a mut Target<'b>,
}

impl<E: Encode> Kernel for Linear<'_, '_, E> {
    type Output = ();
    const ELEMENT: Option<Kind> = Some(E::KIND);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (columns, blocks) = (self.target.columns.clone(), self.left.blocks);
        let rows = self.target.rows.len() * self.left.parts;
        let mut room;
        let sums: &mut [_] = if blocks == 1 {
            &mut []
        } else {
            room = [Sums([0.0; Line::GROUPS]); LOCAL_ROWS * MOST_VECTORS];
            &mut room
        };
        let mut part = Part { linear: self, first: columns.start, first_row: 0, block: 0, sums };
        while part.first < columns.end {
            for first_row in (0..rows).step_by(LOCAL_ROWS) {
                part.first_row = first_row;
                for block in 0..blocks {
                    part.block = block;
                    each_height(simd, first_row..rows.min(first_row + LOCAL_ROWS), &mut part);
                }
            }
            part.first += S::LANES * S::VECTORS;
        }
    }
}

/// Vectors that a row of the widest tile has.
const MOST_VECTORS: usize = 4;

/// A vector of sums, at its place for aligned access.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Sums([f32; Line::GROUPS]);

/// The columns of one panel over one block of the inner dimension, whose lines stay in the first-level cache for all rows.
struct Part<'a, 'b, 'c, E> {
    linear: Linear<'a, 'b, E>,
    /// First column.
    first: usize,
    /// Row that the first of `sums` belongs to.
    first_row: usize,
    block: usize,
    /// Over the blocks before this one; (rows, vectors of the panel).
    sums: &'c mut [Sums],
}

impl<E: Encode> Rows for Part<'_, '_, '_, E> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize) {
        let (left, panels) = (self.linear.left, &*self.linear.weight.panels);
        let begin = self.block * left.block_groups();
        let groups = left.block_groups().min(panels.groups - begin);
        let lines = &panels.lines_of(self.first)[begin * S::LANES * VECTORS / Line::GROUPS..];
        let tile = if left.is_wide::<S>() {
            let rows = &left.wide[2 * (row * left.stride + begin)..];
            product_of_wide::<S, ROWS, VECTORS>(simd, rows, 2 * left.stride, lines, groups)
        } else {
            product::<S, E, ROWS, VECTORS>(simd, &left.rows(row)[begin..], left.stride, lines, groups, None)
        };
        if left.parts == 2 {
            for index in (0..ROWS - 1).step_by(2) {
                let scales = [0, 1].map(|part| left.scales(row + index + part)[self.block]);
                let mut sums = [simd.splat(0.0); VECTORS];
                for vector in 0..VECTORS {
                    let first = simd.mul(tile[index][vector], simd.splat(scales[0]));
                    sums[vector] = simd.mul_add(tile[index + 1][vector], simd.splat(scales[1]), first);
                }
                self.finish(simd, (row + index) / 2, sums, simd.splat(1.0));
            }
        } else {
            for (index, tile) in tile.iter().enumerate() {
                self.finish(simd, row + index, *tile, simd.splat(left.scales(row + index)[self.block]));
            }
        }
    }
}

impl<E: Encode> Part<'_, '_, '_, E> {
    /// Takes the sums of a block of row `row`, which are in units of `scale`.
    #[inline(always)]
    fn finish<S: Simd, const VECTORS: usize>(&mut self, simd: S, row: usize, tile: [S::F; VECTORS], scale: S::F) {
        let (first, Linear { weight, finish, left, target }) = (self.first, &mut self.linear);
        let (panels, Finish { bias, activation, residual }) = (&*weight.panels, finish);
        let sums = (row - self.first_row / left.parts) * VECTORS;
        if self.block + 1 < left.blocks {
            for (vector, sum) in tile.iter().enumerate() {
                let sums = &mut self.sums[sums + vector].0;
                let so_far = if self.block == 0 { simd.splat(0.0) } else { simd.load(sums) };
                simd.store(simd.mul_add(*sum, scale, so_far), sums);
            }
            return;
        }
        let begin = first - target.columns.start;
        let least = simd.splat(left.least[row * left.parts..][..left.parts].iter().sum());
        let bias = &bias[first..];
        let output = &mut target.row(target.rows.start + row)[begin..];
        for (vector, sum) in tile.iter().enumerate() {
            let place = vector * S::LANES;
            if place >= output.len() {
                break;
            }
            // Σ (scale·a + least)·w·b = scale·b·Σ a·w + least·b·Σ w, with b·Σ w ready as the column's sum.
            let y = if self.block == 0 {
                simd.mul(*sum, scale)
            } else {
                simd.mul_add(*sum, scale, simd.load(&self.sums[sums + vector].0))
            };
            let y = simd.mul(y, simd.load(&panels.scales[first + place..]));
            let offset = simd.mul_add(least, simd.load(&panels.sums[first + place..]), simd.load(&bias[place..]));
            let y = simd.add(y, offset);
            let y = if *activation == Activation::Gelu { gelu(simd, y) } else { y };
            let output = &mut output[place..];
            let y = if *residual { simd.add(y, simd.load_some(output, 0.0)) } else { y };
            simd.store_some(y, output);
        }
    }
}
