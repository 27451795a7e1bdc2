//! A product's right matrix, packed once for the tile.

use std::sync::{Mutex, PoisonError};

use super::arithmetic::Source;
use super::encode::Encode;
use super::linear::Left;
use super::simd::{Int8, Isa, Kernel, Line, Simd};
use super::team::Team;

/// Columns of a right matrix in panels, each as wide as a tile: for every group of the inner dimension the panel's columns
/// side by side.
pub struct Packed<E> {
    /// Panels after one another, `groups` × `panel_columns` groups each.
    pub lines: Vec<Line>,
    /// What an integer of each column is worth; padded to whole panels, as the next two are.
    pub scales: Vec<f32>,
    /// Sum of the integers of each column times its scale.
    pub sums: Vec<f32>,
    /// Inner dimension in groups.
    pub groups: usize,
    /// Columns of a panel.
    pub panel_columns: usize,
    element: std::marker::PhantomData<E>,
}

impl<E: Encode> Packed<E> {
    /// Packs a matrix (columns, inner) of weights, panel by panel on all threads.
    pub fn new(isa: Isa, team: &Team, columns: usize, inner: usize, source: Source<'_>) -> Self {
        let mut packed = Self::zeros(isa, columns, inner);
        let panel_columns = packed.panel_columns;
        let panels: Vec<_> = packed.panels_mut().map(Mutex::new).collect();
        team.run(panels.len(), &|index, _| {
            let first = index * panel_columns;
            let here = panel_columns.min(columns - first);
            let mut rows = vec![0.0; here * inner];
            source(first, &mut rows);
            let mut panel = panels[index].lock().unwrap_or_else(PoisonError::into_inner);
            isa.run(Pack { panel: &mut panel, rows: &rows, inner });
        });
        drop(panels);
        packed
    }

    /// Room for `columns` columns of `inner` elements, all zero.
    fn zeros(isa: Isa, columns: usize, inner: usize) -> Self {
        let panel_columns = isa.panel_columns();
        let groups = inner.div_ceil(E::GROUP);
        let panels = columns.div_ceil(panel_columns);
        Self {
            lines: vec![Line::default(); (panels * groups * panel_columns).div_ceil(LINE)],
            scales: vec![0.0; panels * panel_columns],
            sums: vec![0.0; panels * panel_columns],
            groups,
            panel_columns,
            element: std::marker::PhantomData,
        }
    }

    /// The lines of a panel.
    #[inline(always)]
    pub fn panel(&self, panel: usize) -> &[Line] {
        let length = self.groups * self.panel_columns / LINE;
        &self.lines[panel * length..][..length]
    }

    /// The panels, each with its scales and sums.
    fn panels_mut(&mut self) -> impl Iterator<Item = Panel<'_, E>> {
        let (groups, panel_columns) = (self.groups, self.panel_columns);
        let lines = self.lines.chunks_mut(groups * panel_columns / LINE);
        let scales = self.scales.chunks_mut(panel_columns).zip(self.sums.chunks_mut(panel_columns));
        lines.zip(scales).map(move |(lines, (scales, sums))| Panel {
            lines,
            scales,
            sums,
            groups,
            element: std::marker::PhantomData,
        })
    }

    /// Column `column` as f32, `inner` elements.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        let panel = self.panel(column / self.panel_columns);
        let place = column % self.panel_columns;
        for (group, out) in out.chunks_mut(E::GROUP).enumerate() {
            let index = group * self.panel_columns + place;
            E::decode(panel[index / LINE].0[index % LINE], self.scales[column], out);
        }
    }
}

impl Packed<Int8> {
    /// The product of one column with a row of `left`, as tiles compute it.
    pub fn dot(&self, column: usize, left: &Left<Int8>, row: usize) -> f32 {
        let panel = self.panel(column / self.panel_columns);
        let place = column % self.panel_columns;
        let mut sum = 0;
        for (group, left) in left.rows(row)[..self.groups].iter().enumerate() {
            let index = group * self.panel_columns + place;
            let right = panel[index / LINE].0[index % LINE].to_le_bytes();
            let products = left.to_le_bytes().into_iter().zip(right);
            sum += products.map(|(left, right)| i32::from(left) * i32::from(right as i8)).sum::<i32>();
        }
        let range = left.range(row);
        sum as f32 * range.scale * self.scales[column] + range.least * self.sums[column]
    }
}

/// Groups in a line.
const LINE: usize = 16;

/// One panel.
struct Panel<'a, E> {
    lines: &'a mut [Line],
    scales: &'a mut [f32],
    sums: &'a mut [f32],
    groups: usize,
    element: std::marker::PhantomData<E>,
}

/// Encodes the rows of weights that are a panel's columns.
struct Pack<'a, 'b, E> {
    panel: &'a mut Panel<'b, E>,
    rows: &'a [f32],
    inner: usize,
}

impl<E: Encode> Kernel for Pack<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Panel { lines, scales, sums, groups, .. } = self.panel;
        let panel_columns = scales.len();
        // Whole vectors of the widest set, so that an encoder may write beyond the last element.
        let mut encoded = vec![0; groups.next_multiple_of(LINE)];
        for (place, row) in self.rows.chunks_exact(self.inner).enumerate() {
            (scales[place], sums[place]) = E::encode_column(simd, row, &mut encoded);
            for (group, encoded) in encoded[..*groups].iter().enumerate() {
                let index = group * panel_columns + place;
                lines[index / LINE].0[index % LINE] = *encoded;
            }
        }
    }
}
