//! Which column of its operands a column of a matrix is.

use super::object::HEAD_COLUMNS;

/// Columns of a value. Those that attention sees in heads have 64 columns for each head, however wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Columns that the program speaks of.
    pub logical: usize,
    /// Width of a head, if heads are padded.
    head: Option<usize>,
}

impl Columns {
    /// One behind the other.
    pub fn plain(logical: usize) -> Self {
        Self { logical, head: None }
    }

    /// In heads of this width.
    pub fn heads(logical: usize, head: usize) -> Self {
        Self { logical, head: (head != HEAD_COLUMNS).then_some(head) }
    }

    /// Columns with the padding between them.
    pub fn physical(&self) -> usize {
        self.head.map_or(self.logical, |head| self.logical / head * HEAD_COLUMNS)
    }

    /// The column of an operand where this one is.
    pub fn place(&self, column: usize) -> usize {
        self.head.map_or(column, |head| column / head * HEAD_COLUMNS + column % head)
    }
}
