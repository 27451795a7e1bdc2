//! Where the rows of a run's extents stand in a matrix.

use std::ops::Range;

use super::object::BLOCK_ROWS;
use crate::device::{Extent, Rows};

/// Rows of an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First row as the program counts them.
    pub logical: usize,
    /// First row of the matrix.
    pub physical: usize,
    /// How many.
    pub rows: usize,
}

/// Places of all rows of a value in a run: each extent begins a block of rows, so that attention of one touches no rows of
/// another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// One for each extent, or one for all.
    pub spans: Vec<Span>,
}

impl Placement {
    /// Places the rows that a run over `extents` has.
    pub fn new(rows: Rows, extents: &[Extent]) -> Self {
        let count = |extent: &Extent| rows.count(std::slice::from_ref(extent));
        let mut spans = Vec::with_capacity(extents.len());
        match rows {
            Rows::Step(_) | Rows::Twice(_) | Rows::Grown(_) => {
                let (mut logical, mut physical) = (0, 0);
                for rows in extents.iter().map(count) {
                    spans.push(Span { logical, physical, rows });
                    logical += rows;
                    physical = (physical + rows).next_multiple_of(BLOCK_ROWS);
                }
            }
            Rows::Fixed(_) | Rows::Each(_) => {
                spans.push(Span { logical: 0, physical: 0, rows: rows.count(extents) });
            }
        }
        Self { spans }
    }

    /// Pairs of the program's row and the matrix's.
    pub fn rows(&self) -> impl Iterator<Item = (usize, usize)> + use<'_> {
        self.spans.iter().flat_map(|span| (0..span.rows).map(|row| (span.logical + row, span.physical + row)))
    }

    /// Rows of the matrix up to the last one.
    pub fn end(&self) -> usize {
        self.spans.iter().map(|span| span.physical + span.rows).max().unwrap_or(0)
    }

    /// Groups of 4 rows that have to be computed in each block.
    pub fn row_groups(&self) -> usize {
        let in_its_last_block = |span: &Span| match span.physical % BLOCK_ROWS + span.rows {
            rows if rows > BLOCK_ROWS => BLOCK_ROWS,
            rows => rows,
        };
        self.spans.iter().map(in_its_last_block).max().unwrap_or(0).div_ceil(4)
    }

    /// Blocks of 64 rows that a span takes.
    pub fn blocks(span: Span) -> Range<usize> {
        span.physical / BLOCK_ROWS..(span.physical + span.rows).div_ceil(BLOCK_ROWS)
    }
}
