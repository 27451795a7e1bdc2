//! Which part of a buffer a call reads and writes: kernels of rows use as much of the scratch as their numbers say.

use std::ops::Range;

use super::super::layout::{BLOCK_ROWS, OBJECT};
use super::super::{Buffer, Kernel, Role};

/// Bytes of a buffer, from its operand's first; empty ranges are nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) reads: [Range<usize>; 2],
    pub(super) writes: Range<usize>,
}

impl Extent {
    /// Of one of the kernel's buffers in a call with these numbers.
    pub(super) fn of(kernel: Kernel, buffer: &Buffer, scalars: &[i32]) -> Self {
        let number = |index: usize| scalars.get(index).map_or(0, |value| (*value).max(0) as usize);
        // Of retained rows, by the number of row groups that the call begins with.
        let rows = |columns: usize, element_bytes: usize| number(0) * BLOCK_ROWS * columns * element_bytes;
        let element_bytes = |is_bf16: usize| if is_bf16 == 0 { 4 } else { 2 };
        let object = |index: usize| index * OBJECT..(index + 1) * OBJECT;
        let extent = match (kernel, buffer.name) {
            (Kernel::Keep, "scratch") => Self { reads: [0..0, 0..0], writes: object(number(0)) },
            (Kernel::Normalise, "scratch") => {
                let (padded_columns, offset) = (number(2), number(3));
                let data = 0..rows(padded_columns, 4);
                Self { reads: [data.clone(), offset..offset + 2 * 4 * padded_columns], writes: data }
            }
            (Kernel::StoreRowsWide, "scratch") => Self::reading(object(number(1))),
            (Kernel::StoreRowsBf16, "scratch") => {
                // A block of 32 columns is 128 bytes a row here and half of it in the object.
                let blocks = 2 * OBJECT / rows(32, 4).max(1);
                let first = number(1) * blocks;
                Self::reading(rows(32 * first, 4)..rows(32 * number(2).min(first + blocks).max(first), 4))
            }
            (Kernel::Maxima, "scratch") => Self::reading(0..rows(32 * number(1), element_bytes(number(2)))),
            (Kernel::StoreRowsInt8, "scratch") => Self::reading(0..rows(32 * number(2), element_bytes(number(3)))),
            (Kernel::Greatest, "best") => {
                let rows = 0..number(0) * BLOCK_ROWS * 2 * 4;
                Self { reads: [if number(3) == 1 { 0..0 } else { rows.clone() }, 0..0], writes: rows }
            }
            (Kernel::StoreGreatest, "best") => Self::reading(0..number(0) * BLOCK_ROWS * 2 * 4),
            // The first half starts from zero.
            (Kernel::Scores, "scores") if number(0) == 0 => Self { reads: [0..0, 0..0], writes: 0..buffer.bytes },
            _ => Self {
                reads: [if buffer.role == Role::Write { 0..0 } else { 0..buffer.bytes }, 0..0],
                writes: if buffer.role == Role::Read { 0..0 } else { 0..buffer.bytes },
            },
        };
        let inside = |range: Range<usize>| range.start.min(buffer.bytes)..range.end.min(buffer.bytes);
        Self { reads: extent.reads.map(inside), writes: inside(extent.writes) }
    }

    /// Only reads.
    pub(super) fn reading(range: Range<usize>) -> Self {
        Self { reads: [range, 0..0], writes: 0..0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(kernel: Kernel, name: &str, scalars: &[i32]) -> Extent {
        let buffer = kernel.buffers().iter().find(|buffer| buffer.name == name).unwrap();
        Extent::of(kernel, buffer, scalars)
    }

    #[test]
    fn numbers_say_how_much_of_the_scratch_is_used() {
        assert_eq!(extent(Kernel::Keep, "scratch", &[3]).writes, 12288..16384);
        assert_eq!(extent(Kernel::Keep, "object", &[3]).reads[0], 0..4096);
        let normalise = extent(Kernel::Normalise, "scratch", &[2, 380, 384, 16384]);
        assert_eq!(normalise, Extent { reads: [0..12288, 16384..19456], writes: 0..12288 });
        assert_eq!(extent(Kernel::StoreRowsBf16, "scratch", &[2, 1, 12]).reads[0], 8192..12288);
        assert_eq!(extent(Kernel::StoreRowsBf16, "scratch", &[1, 0, 64]).reads[0], 0..8192);
        assert!(extent(Kernel::StoreRowsBf16, "scratch", &[2, 5, 12]).reads[0].is_empty());
        assert_eq!(extent(Kernel::Maxima, "scratch", &[2, 12, 1]).reads[0], 0..6144);
    }

    #[test]
    fn the_first_tile_of_a_row_reads_no_greatest() {
        let first = extent(Kernel::Greatest, "best", &[2, 64, 64, 1]);
        assert_eq!(first, Extent { reads: [0..0, 0..0], writes: 0..64 });
        assert_eq!(extent(Kernel::Greatest, "best", &[2, 64, 64, 0]).reads[0], 0..64);
    }

    #[test]
    fn the_first_half_of_scores_reads_none() {
        assert!(extent(Kernel::Scores, "scores", &[0]).reads[0].is_empty());
        assert_eq!(extent(Kernel::Scores, "scores", &[1]).reads[0], 0..8192);
    }
}
