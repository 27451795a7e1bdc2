//! Linear layers over packed weights, with fused bias, activation and residual.

use super::arithmetic::Finish;
use super::encode::{Encode, Range};
use super::math::gelu;
use super::packed::Packed;
use super::simd::{Kernel, Kind, Line, Rows, Simd, each_height, product};
use super::values::Target;
use crate::device::Activation;

/// Rows of a product's left matrix, encoded.
pub struct Left<E> {
    groups: Vec<u32>,
    ranges: Vec<Range>,
    stride: usize,
    element: std::marker::PhantomData<E>,
}

impl<E: Encode> Left<E> {
    /// Room that grows with use.
    pub fn new() -> Self {
        Self { groups: Vec::new(), ranges: Vec::new(), stride: 0, element: std::marker::PhantomData }
    }

    /// Makes room for `rows` rows of `inner` elements.
    pub fn begin(&mut self, rows: usize, inner: usize) {
        // Whole vectors of the widest set, so that an encoder may write beyond the last element.
        self.stride = inner.div_ceil(E::GROUP).next_multiple_of(Line::GROUPS);
        if self.groups.len() < rows * self.stride {
            self.groups.resize(rows * self.stride, 0);
        }
        self.ranges.resize(rows, Range::default());
    }

    /// The groups from row `row` on, rows [`Left::stride`] apart.
    #[inline(always)]
    pub fn rows(&self, row: usize) -> &[u32] {
        &self.groups[row * self.stride..]
    }

    /// Groups from one row to the next, zeros behind a row's last.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// What a row's integers mean.
    pub fn range(&self, row: usize) -> Range {
        self.ranges[row]
    }

    /// Encodes a row.
    #[inline(always)]
    pub fn set<S: Simd>(&mut self, simd: S, row: usize, x: &[f32]) {
        self.ranges[row] = E::encode_row(simd, x, &mut self.groups[row * self.stride..][..self.stride]);
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
        let (columns, rows) = (self.target.columns.clone(), self.target.rows.len());
        let mut panel = Panel { linear: self, first: columns.start };
        while panel.first < columns.end {
            each_height(simd, 0..rows, &mut panel);
            panel.first += S::LANES * S::VECTORS;
        }
    }
}

/// The columns of one panel, from `first` on.
struct Panel<'a, 'b, E> {
    linear: Linear<'a, 'b, E>,
    first: usize,
}

impl<E: Encode> Rows for Panel<'_, '_, E> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize) {
        let (first, Linear { weight, finish, left, target }) = (self.first, &mut self.linear);
        let (panels, Finish { bias, activation, residual }) = (&weight.panels, finish);
        let (lines, groups) = (panels.lines_of(first), panels.groups);
        let tile = product::<S, E, ROWS, VECTORS>(simd, left.rows(row), left.stride, lines, groups, None);
        let begin = first - target.columns.start;
        let first_row = target.rows.start + row;
        for (index, tile) in tile.iter().enumerate() {
            let range = left.range(row + index);
            let output = &mut target.row(first_row + index)[begin..];
            let (scale, least) = (simd.splat(range.scale), simd.splat(range.least));
            for (vector, sum) in tile.iter().enumerate() {
                let place = vector * S::LANES;
                if place >= output.len() {
                    break;
                }
                let column = first + place;
                // Σ (scale·a + least)·w·b = scale·b·Σ a·w + least·b·Σ w, with b·Σ w ready as the column's sum.
                let y = simd.mul(simd.mul(*sum, scale), simd.load(&panels.scales[column..]));
                let y = simd.add(y, simd.mul_add(least, simd.load(&panels.sums[column..]), simd.load(&bias[column..])));
                let y = if *activation == Activation::Gelu { gelu(simd, y) } else { y };
                let output = &mut output[place..];
                if output.len() >= S::LANES {
                    let y = if *residual { simd.add(y, simd.load(output)) } else { y };
                    simd.store(y, output);
                } else {
                    let y = if *residual { simd.add(y, simd.load_some(output, 0.0)) } else { y };
                    simd.store_some(y, output);
                }
            }
        }
    }
}
