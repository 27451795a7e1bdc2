//! Where a matrix of objects lies in DDR.

use super::design::{DdrBuffer, Dimension, ShimDescriptor};
use super::object::{OBJECT_BYTES, OBJECT_WORDS};

/// A matrix of objects, row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The buffer that it is in.
    pub buffer: DdrBuffer,
    /// Where its first object begins.
    pub offset_bytes: u64,
    /// Rows of objects.
    pub rows: usize,
    /// Objects of a row.
    pub columns: usize,
}

/// Words that a dimension of the shim's descriptors can count; rows of words longer than that take two.
const CONTIGUOUS_WORDS: usize = 512;

impl Grid {
    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        (self.rows * self.columns * OBJECT_BYTES) as u64
    }

    /// Where an object begins.
    pub fn at(&self, row: usize, column: usize) -> u64 {
        assert!(row < self.rows && column < self.columns, "object ({row}, {column}) of {self:?}");
        self.offset_bytes + ((row * self.columns + column) * OBJECT_BYTES) as u64
    }

    /// Words from an object to the one below it.
    pub fn row_words(&self) -> u32 {
        (self.columns * OBJECT_WORDS) as u32
    }

    /// The part from a row of objects on.
    pub fn rows_from(&self, row: usize) -> Self {
        Self { offset_bytes: self.at(row, 0), rows: self.rows - row, ..*self }
    }
}

/// Consecutive words.
pub fn run(buffer: DdrBuffer, offset_bytes: u64, length_words: usize) -> ShimDescriptor {
    ShimDescriptor { buffer, offset_bytes, length_words, dimensions: Vec::new(), iteration: None, next: None }
}

/// A pattern of one or two dimensions, outermost first, of runs of consecutive words. Panics if the shim has too few
/// dimensions for it.
pub fn pattern(buffer: DdrBuffer, offset_bytes: u64, outer: &[Dimension], run_words: usize) -> ShimDescriptor {
    let mut dimensions = outer.to_vec();
    if run_words > CONTIGUOUS_WORDS {
        assert!(run_words.is_multiple_of(CONTIGUOUS_WORDS), "{run_words} words");
        let (wrap, step_words) = ((run_words / CONTIGUOUS_WORDS) as u32, CONTIGUOUS_WORDS as u32);
        dimensions.push(Dimension { wrap, step_words });
    }
    dimensions.push(Dimension { wrap: run_words.min(CONTIGUOUS_WORDS) as u32, step_words: 1 });
    assert!(dimensions.len() <= 3, "{dimensions:?}");
    let length_words = dimensions.iter().map(|dimension| dimension.wrap as usize).product();
    ShimDescriptor { buffer, offset_bytes, length_words, dimensions, iteration: None, next: None }
}

impl ShimDescriptor {
    /// Moves on by so many words with each of so many runs.
    pub fn repeated(self, runs: usize, step_words: usize) -> Self {
        let step = Dimension { wrap: runs as u32, step_words: step_words as u32 };
        Self { iteration: (runs > 1).then_some(step), ..self }
    }
}
