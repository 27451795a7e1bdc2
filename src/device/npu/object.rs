//! What moves through the array: objects of one size, and how matrices lie in them.

use std::ops::Range;

use super::format::{self, OPERAND_BF16, OPERAND_INT8, WIDE};
use super::layout;

pub use super::layout::OBJECT as OBJECT_BYTES;
/// Words of an object.
pub const OBJECT_WORDS: usize = OBJECT_BYTES / 4;

/// Rows of a block of rows of operands, and of a tile of a product.
pub const BLOCK_ROWS: usize = 64;
/// Columns of a tile of a product.
pub const TILE_COLUMNS: usize = 64;
/// Keys of a step of attention.
pub const KEY_BLOCK: usize = layout::KEYS;
/// Columns that a head of attention takes, padded with zeros.
pub const HEAD_COLUMNS: usize = layout::KEYS;
/// Columns that stand side by side in a block of 4 rows.
pub const LANE_COLUMNS: usize = layout::BLOCK_COLUMNS;

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
    /// How objects of this form hold their elements.
    pub fn blocks(self) -> format::Form {
        match self {
            Form::Wide => WIDE,
            Form::Bf16 => OPERAND_BF16,
            Form::Int8 => OPERAND_INT8,
        }
    }

    /// Rows of an object.
    pub fn rows(self) -> usize {
        self.blocks().rows
    }

    /// Columns of an object.
    pub fn columns(self) -> usize {
        self.blocks().columns
    }

    /// Bytes of a group of 4 rows in an object.
    pub fn group_bytes(self) -> usize {
        OBJECT_BYTES * 4 / self.rows()
    }

    /// Where the 8 elements from a column on lie in an object; the column is a multiple of 8.
    pub fn lanes(self, row: usize, column: usize) -> Range<usize> {
        let element_bytes = OBJECT_BYTES / (self.rows() * self.columns());
        let start = self.blocks().place(row, column) * element_bytes;
        start..start + LANE_COLUMNS * element_bytes
    }
}
