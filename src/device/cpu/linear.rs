//! Linear layers over packed weights, with fused bias, activation and residual.

use super::arithmetic::Finish;
use super::encode::{Encode, Range};
use super::math::gelu;
use super::packed::Packed;
use super::simd::{Isa, Kernel, Kind, MOST_ROWS, Simd, product};
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
        self.stride = inner.div_ceil(E::GROUP).next_multiple_of(16);
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
pub fn run<E: Encode>(isa: Isa, weight: &Packed<E>, finish: &Finish, left: &Left<E>, target: &mut Target<'_>) {
    isa.run(Run { weight, finish, left, target });
}

struct Run<'a, 'b, E> {
    weight: &'a Packed<E>,
    finish: &'a Finish,
    left: &'a Left<E>,
    target: &'a mut Target<'b>,
}

impl<E: Encode> Kernel for Run<'_, '_, E> {
    type Output = ();
    const ELEMENT: Option<Kind> = Some(E::KIND);

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let panel_columns = S::LANES * S::VECTORS;
        let columns = self.target.columns.clone();
        let mut column = columns.start;
        while column < columns.end {
            let panel = column / panel_columns;
            let rows = self.target.rows.len();
            let mut row = 0;
            while row < rows {
                // Few heights, because each is compiled for every instruction set.
                row += match rows - row {
                    left if left >= S::ROWS => self.tile::<S, MOST_ROWS>(simd, panel, row),
                    1 => self.tile::<S, 1>(simd, panel, row),
                    _ => self.tile::<S, 2>(simd, panel, row),
                };
            }
            column += panel_columns;
        }
    }
}

impl<E: Encode> Run<'_, '_, E> {
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize>(&mut self, simd: S, panel: usize, row: usize) -> usize {
        match S::VECTORS {
            2 => self.finish::<S, ROWS, 2>(simd, panel, row),
            _ => self.finish::<S, ROWS, 4>(simd, panel, row),
        }
        ROWS
    }

    #[inline(always)]
    fn finish<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, panel: usize, row: usize) {
        let (weight, Finish { bias, activation, residual }) = (self.weight, self.finish);
        let left = &self.left.groups[row * self.left.stride..];
        let tile =
            product::<S, E, ROWS, VECTORS>(simd, left, self.left.stride, weight.panel(panel), weight.groups, None);
        let first = panel * VECTORS * S::LANES;
        let last = self.target.columns.end - first;
        let ranges = &self.left.ranges[row..][..ROWS];
        let first_row = self.target.rows.start + row;
        for (index, (tile, range)) in tile.iter().zip(ranges).enumerate() {
            let begin = first - self.target.columns.start;
            let output = &mut self.target.row(first_row + index)[begin..];
            let (scale, least) = (simd.splat(range.scale), simd.splat(range.least));
            for (vector, sum) in tile.iter().enumerate() {
                let place = vector * S::LANES;
                if place >= last {
                    break;
                }
                let column = first + place;
                // Σ (scale·a + least)·w·b = scale·b·Σ a·w + least·b·Σ w, with b·Σ w ready as the column's sum.
                let y = simd.mul(simd.mul(*sum, scale), simd.load(&weight.scales[column..]));
                let y = simd.add(y, simd.mul_add(least, simd.load(&weight.sums[column..]), simd.load(&bias[column..])));
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
