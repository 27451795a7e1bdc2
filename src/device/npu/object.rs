//! What moves through the array: objects of one size, and how matrices lie in them.

use std::ops::Range;

/// Bytes of an object.
pub const OBJECT_BYTES: usize = 4096;
/// Words of an object.
pub const OBJECT_WORDS: usize = OBJECT_BYTES / 4;

/// Rows of a block of rows of operands, and of a tile of a product.
pub const BLOCK_ROWS: usize = 64;
/// Columns of a tile of a product.
pub const TILE_COLUMNS: usize = 64;
/// Keys of a step of attention.
pub const KEY_BLOCK: usize = 64;
/// Columns that a head of attention takes, padded with zeros.
pub const HEAD_COLUMNS: usize = 64;
/// Columns that stand side by side in a block of 4 rows.
pub const LANE_COLUMNS: usize = 8;

/// Value of 1 in wide numbers, whose lower 16 bits are a fraction.
pub const WIDE_ONE: f32 = 65536.0;

/// How the elements of a matrix lie in its objects: in blocks of 4 rows and 8 columns, row-major in each, the blocks of the
/// same 4 rows side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// Fixed-point numbers of 32 bits, 32 rows × 32 columns.
    Wide,
    /// bf16, 64 rows × 32 columns.
    Bf16,
    /// Integers of 8 bits, 64 rows × 64 columns; behind the last of them an object with the scales of the rows.
    Int8,
}

impl Form {
    /// Rows of an object.
    pub fn rows(self) -> usize {
        match self {
            Form::Wide => 32,
            Form::Bf16 | Form::Int8 => BLOCK_ROWS,
        }
    }

    /// Columns of an object.
    pub fn columns(self) -> usize {
        match self {
            Form::Wide | Form::Bf16 => 32,
            Form::Int8 => 64,
        }
    }

    /// Bytes of an element.
    pub fn element_bytes(self) -> usize {
        match self {
            Form::Wide => 4,
            Form::Bf16 => 2,
            Form::Int8 => 1,
        }
    }

    /// Bytes of a group of 4 rows in an object.
    pub fn group_bytes(self) -> usize {
        OBJECT_BYTES * 4 / self.rows()
    }

    /// Where the 8 elements from a column on lie in an object; the column is a multiple of 8.
    pub fn lanes(self, row: usize, column: usize) -> Range<usize> {
        let lanes_bytes = LANE_COLUMNS * self.element_bytes();
        let block = column / LANE_COLUMNS * 4 * lanes_bytes;
        let start = row / 4 * self.group_bytes() + block + row % 4 * lanes_bytes;
        start..start + lanes_bytes
    }
}
