//! A product's right matrix, packed once for the tile.

use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex};

use super::arithmetic::Source;
use super::encode::Encode;
use super::linear::Left;
use super::simd::{Int8, Isa, Kernel, Kind, Line, Simd};
use super::store::{Matrix, Store};
use crate::device::Mapping;
use crate::device::team::Team;
use crate::lock::lock;

/// Columns of a right matrix in panels, each as wide as a tile: for every group of the inner dimension the panel's columns
/// side by side.
pub struct Panels {
    /// Panels after one another, `groups` × `panel_columns` groups each.
    lines: Lines,
    /// What an integer of each column is worth; padded to whole panels, as the next are.
    pub scales: Vec<f32>,
    /// Sum of the integers of each column times its scale.
    pub sums: Vec<f32>,
    /// Inner dimension in groups.
    pub groups: usize,
    panel_columns: usize,
}

/// Lines that are ours, or a file's.
pub enum Lines {
    /// In memory of our own.
    Packed(Vec<Line>),
    /// In these bytes of a file; see [`Lines::mapped`].
    Mapped(Arc<Mapping>, Range<usize>),
}

impl Lines {
    /// The lines in these bytes of a file, if they are whole ones and all there.
    pub fn mapped(mapping: Arc<Mapping>, range: Range<usize>) -> Option<Self> {
        let bytes = mapping.get(range.clone())?;
        let is_whole = |number: usize| number.is_multiple_of(size_of::<Line>());
        let is_whole = is_whole(bytes.as_ptr().addr()) && is_whole(bytes.len());
        is_whole.then_some(Self::Mapped(mapping, range))
    }
}

impl Deref for Lines {
    type Target = [Line];

    #[inline(always)]
    fn deref(&self) -> &[Line] {
        match self {
            Self::Packed(lines) => lines,
            Self::Mapped(mapping, range) => Line::of_bytes(&mapping[range.clone()]),
        }
    }
}

/// One panel, to be filled.
pub struct Panel<'a> {
    lines: &'a mut [Line],
    scales: &'a mut [f32],
    sums: &'a mut [f32],
    groups: usize,
}

impl Panels {
    /// Packs a matrix (columns, inner) of weights on all threads: `fill` gets each panel with the weights of its columns, and
    /// makes `groups` groups of a column.
    pub fn new(
        isa: Isa,
        team: &Team,
        (columns, inner): (usize, usize),
        groups: usize,
        source: Source<'_>,
        fill: &(dyn Fn(&mut Panel<'_>, &[f32]) + Sync),
    ) -> Self {
        let panel_columns = isa.panel_columns();
        let (panels, panel_lines) = (columns.div_ceil(panel_columns), groups * panel_columns / Line::GROUPS);
        let mut lines = vec![Line::default(); panels * panel_lines];
        let (mut scales, mut sums) = (vec![0.0; panels * panel_columns], vec![0.0; panels * panel_columns]);
        let numbers = scales.chunks_mut(panel_columns).zip(sums.chunks_mut(panel_columns));
        let panel = |(lines, (scales, sums))| Mutex::new(Panel { lines, scales, sums, groups });
        let panels: Vec<_> = lines.chunks_mut(panel_lines).zip(numbers).map(panel).collect();
        team.run(panels.len(), &|index, _| {
            let first = index * panel_columns;
            let mut rows = vec![0.0; panel_columns.min(columns - first) * inner];
            source(first, &mut rows);
            fill(&mut lock(&panels[index]), &rows);
        });
        drop(panels);
        Self { lines: Lines::Packed(lines), scales, sums, groups, panel_columns }
    }

    /// What was packed before.
    pub fn kept(lines: Lines, scales: Vec<f32>, sums: Vec<f32>, groups: usize, panel_columns: usize) -> Self {
        Self { lines, scales, sums, groups, panel_columns }
    }

    /// All lines, as they were packed.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines of the panel that begins with column `first`.
    #[inline(always)]
    pub fn lines_of(&self, first: usize) -> &[Line] {
        let length = self.groups * self.panel_columns / Line::GROUPS;
        &self.lines[first / self.panel_columns * length..][..length]
    }

    /// The groups of a column.
    fn column(&self, column: usize) -> impl Iterator<Item = u32> {
        let (lines, place) = (self.lines_of(column), column % self.panel_columns);
        (0..self.groups).map(move |group| Line::group(lines, group * self.panel_columns + place))
    }
}

impl Panel<'_> {
    /// Sets what the column `place` of the panel is worth, and the sum of its integers times that.
    pub fn set_scale(&mut self, place: usize, (scale, sum): (f32, f32)) {
        (self.scales[place], self.sums[place]) = (scale, sum);
    }

    /// Sets a group of the column `place`.
    pub fn set(&mut self, place: usize, group: usize, value: u32) {
        Line::groups_mut(self.lines, group * self.scales.len() + place)[0] = value;
    }
}

/// A matrix packed in elements of E.
pub struct Packed<E> {
    pub panels: Arc<Panels>,
    element: PhantomData<E>,
}

impl<E: Encode> Packed<E> {
    /// Packs a matrix (columns, inner) of weights, unless the store has it.
    pub fn new(store: &mut Store<'_>, name: &str, columns: usize, inner: usize, source: Source<'_>) -> Self {
        let groups = inner.div_ceil(E::GROUP);
        let pack = |isa: Isa, team: &Team| {
            let fill = |panel: &mut Panel<'_>, rows: &[f32]| {
                isa.run(Pack { panel, rows, inner, element: PhantomData::<E> });
            };
            Panels::new(isa, team, (columns, inner), groups, source, &fill)
        };
        let matrix = Matrix { name: name.to_owned(), form: E::KIND.into(), columns, inner };
        Self { panels: store.panels(matrix, groups, pack), element: PhantomData }
    }

    /// Column `column` as f32, `inner` elements.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        for (group, out) in self.panels.column(column).zip(out.chunks_mut(E::GROUP)) {
            E::decode(group, self.panels.scales[column], out);
        }
    }
}

/// The product of one column with row `row` of `left`.
pub struct Dot<'a> {
    pub weight: &'a Packed<Int8>,
    pub column: usize,
    pub left: &'a Left<Int8>,
    pub row: usize,
}

impl Kernel for Dot<'_> {
    type Output = f32;
    const ELEMENT: Option<Kind> = Some(Kind::Int8);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        let Self { weight: Packed { panels, .. }, column, left, row } = self;
        let (lines, columns) = (panels.lines_of(column), panels.panel_columns);
        let mut total = 0.0;
        for part in row * left.parts()..(row + 1) * left.parts() {
            let (groups, mut sum) = (&left.rows(part)[..left.stride()], 0.0);
            for (block, scale) in left.scales(part).iter().enumerate() {
                let begin = block * left.block_groups();
                let end = panels.groups.min(begin + left.block_groups());
                let mut sums = simd.splat_i(0);
                for first in (begin..end).step_by(S::LANES) {
                    let (mut right, here) = ([0; Line::GROUPS], S::LANES.min(end - first));
                    for (lane, right) in right[..here].iter_mut().enumerate() {
                        *right = Line::group(lines, (first + lane) * columns + column % columns);
                    }
                    sums = simd.dot_u8(sums, simd.load_u(&groups[first..]), simd.load_u(&right));
                }
                sum += simd.sum(simd.to_f(sums)) * scale;
            }
            total += sum * panels.scales[column] + left.least(part) * panels.sums[column];
        }
        total
    }
}

/// Encodes the rows of weights that are a panel's columns.
struct Pack<'a, 'b, E> {
    panel: &'a mut Panel<'b>,
    rows: &'a [f32],
    inner: usize,
    element: PhantomData<E>,
}

impl<E: Encode> Kernel for Pack<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (groups, panel) = (self.panel.groups, self.panel);
        // Whole vectors of the widest set, so that an encoder may write beyond the last element.
        let mut encoded = vec![0; groups.next_multiple_of(Line::GROUPS)];
        for (place, row) in self.rows.chunks_exact(self.inner).enumerate() {
            panel.set_scale(place, E::encode_column(simd, row, &mut encoded));
            for (group, encoded) in encoded[..groups].iter().enumerate() {
                panel.set(place, group, *encoded);
            }
        }
    }
}
