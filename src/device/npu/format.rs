//! Matrices as objects and back.
//!
//! A matrix is an array of objects of 4096 bytes, row block by row block, filled up with zeros. Inside an object elements stand
//! in blocks, row by row of blocks, and row by row inside a block.

use half::bf16;

use super::layout::{OBJECT, SCALE_PIECE};
use super::matrix::Matrix;

/// How a kind of object holds its part of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Rows of an object.
    pub rows: usize,
    /// Columns of an object.
    pub columns: usize,
    /// Rows of a block.
    pub block_rows: usize,
    /// Columns of a block.
    pub block_columns: usize,
}

/// Left operand in bf16: 64 rows x 32 columns.
pub const OPERAND_BF16: Form = Form { rows: 64, columns: 32, block_rows: 4, block_columns: 8 };
/// Left operand in int8: 64 rows x 64 columns.
pub const OPERAND_INT8: Form = Form { rows: 64, columns: 64, block_rows: 4, block_columns: 8 };
/// i32 in Q16: 32 rows x 32 columns.
pub const WIDE: Form = Form { rows: 32, columns: 32, block_rows: 4, block_columns: 8 };
/// Right operand in bf16: 32 inputs x 64 outputs.
pub const WEIGHTS_BF16: Form = Form { rows: 32, columns: 64, block_rows: 8, block_columns: 8 };
/// Right operand in int8: 64 inputs x 64 outputs.
pub const WEIGHTS_INT8: Form = Form { rows: 64, columns: 64, block_rows: 8, block_columns: 8 };
/// A core's 64 x 64 results of 32 bits; not an object, four times as large as one.
pub const RESULTS: Form = Form { rows: 64, columns: 64, block_rows: 4, block_columns: 8 };

/// Pieces of retained rows: 32 columns (64 of int8) of one or two groups of 4 rows.
pub const fn piece(row_groups: usize, columns: usize) -> Form {
    Form { rows: 4 * row_groups, columns, block_rows: 4, block_columns: 8 }
}

/// What objects are made of.
pub trait Element: Copy + Default {
    /// Size in bytes.
    const BYTES: usize;

    /// Writes its little-endian bytes.
    fn write(self, to: &mut [u8]);

    /// Reads its little-endian bytes.
    fn read(from: &[u8]) -> Self;
}

macro_rules! element {
    ($($type:ty),*) => {
        $(impl Element for $type {
            const BYTES: usize = size_of::<$type>();

            fn write(self, to: &mut [u8]) {
                to[..Self::BYTES].copy_from_slice(&self.to_le_bytes());
            }

            fn read(from: &[u8]) -> Self {
                let mut bytes = [0; Self::BYTES];
                bytes.copy_from_slice(&from[..Self::BYTES]);
                Self::from_le_bytes(bytes)
            }
        })*
    };
}

element!(bf16, i8, i16, i32, f32);

impl Form {
    /// Bytes of one object.
    pub const fn bytes<T: Element>(&self) -> usize {
        self.rows * self.columns * T::BYTES
    }

    /// Objects that `columns` columns take.
    pub const fn column_blocks(&self, columns: usize) -> usize {
        columns.div_ceil(self.columns)
    }

    /// Objects that a matrix takes.
    pub const fn objects(&self, rows: usize, columns: usize) -> usize {
        rows.div_ceil(self.rows) * self.column_blocks(columns)
    }

    /// Which element of its object the matrix's element (row, column) is.
    pub const fn place(&self, row: usize, column: usize) -> usize {
        let (row, column) = (row % self.rows, column % self.columns);
        let block = row / self.block_rows * (self.columns / self.block_columns) + column / self.block_columns;
        (block * self.block_rows + row % self.block_rows) * self.block_columns + column % self.block_columns
    }

    /// The object whose first element is the matrix's element (row, column), with zeros where the matrix has ended.
    pub fn object<T: Element>(&self, matrix: &Matrix<T>, row: usize, column: usize) -> Vec<u8> {
        let mut object = vec![0; self.bytes::<T>()];
        for r in row..matrix.rows().min(row + self.rows) {
            for c in column..matrix.columns().min(column + self.columns) {
                matrix[(r, c)].write(&mut object[self.place(r - row, c - column) * T::BYTES..]);
            }
        }
        object
    }

    /// All objects of a matrix, row block by row block.
    pub fn pack<T: Element>(&self, matrix: &Matrix<T>) -> Vec<u8> {
        let mut objects = Vec::with_capacity(self.objects(matrix.rows(), matrix.columns()) * self.bytes::<T>());
        for row in (0..matrix.rows()).step_by(self.rows) {
            for column in (0..matrix.columns()).step_by(self.columns) {
                objects.extend(self.object(matrix, row, column));
            }
        }
        objects
    }

    /// The matrix that objects hold, row block by row block; what fills them up is dropped.
    pub fn unpack<T: Element>(&self, objects: &[u8], rows: usize, columns: usize) -> Matrix<T> {
        let bytes = self.bytes::<T>();
        Matrix::from_fn(rows, columns, |row, column| {
            let object = row / self.rows * self.column_blocks(columns) + column / self.columns;
            T::read(&objects[object * bytes + self.place(row, column) * T::BYTES..])
        })
    }
}

/// A left operand in int8 with a scale for each row: behind each row block's objects one with its scales.
pub fn pack_int8(matrix: &Matrix<i8>, scales: &[i32]) -> Vec<u8> {
    let mut objects = Vec::new();
    for row in (0..matrix.rows()).step_by(OPERAND_INT8.rows) {
        for column in (0..matrix.columns()).step_by(OPERAND_INT8.columns) {
            objects.extend(OPERAND_INT8.object(matrix, row, column));
        }
        let last = scales.len().min(row + OPERAND_INT8.rows);
        objects.extend(scale_object(&scales[row..last]));
    }
    objects
}

/// Up to 64 rows' scales: for each group of 4 rows [4 rows][8 lanes] of i32 and as many zero bytes.
pub fn scale_object(scales: &[i32]) -> Vec<u8> {
    let mut object = vec![0; OBJECT];
    for (row, &scale) in scales.iter().enumerate() {
        for lane in 0..8 {
            scale.write(&mut object[row / 4 * SCALE_PIECE + (row % 4 * 8 + lane) * 4..]);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_4096_bytes() {
        assert_eq!(OPERAND_BF16.bytes::<bf16>(), OBJECT);
        assert_eq!(OPERAND_INT8.bytes::<i8>(), OBJECT);
        assert_eq!(WIDE.bytes::<i32>(), OBJECT);
        assert_eq!(WEIGHTS_BF16.bytes::<bf16>(), OBJECT);
        assert_eq!(WEIGHTS_INT8.bytes::<i8>(), OBJECT);
        assert_eq!(RESULTS.bytes::<f32>(), 4 * OBJECT);
    }

    #[test]
    fn elements_stand_in_blocks() {
        // Row 5, column 9 of an operand in bf16: second row group, second block of columns, second row, second column.
        assert_eq!(OPERAND_BF16.place(5, 9), (4 + 1) * 32 + 8 + 1);
        // Input 9, output 17 of weights: second group of 8 inputs, third group of outputs.
        assert_eq!(WEIGHTS_INT8.place(9, 17), (8 + 2) * 64 + 8 + 1);
        for form in [OPERAND_BF16, OPERAND_INT8, WIDE, WEIGHTS_BF16, WEIGHTS_INT8] {
            let mut places: Vec<usize> =
                (0..form.rows * form.columns).map(|i| form.place(i / form.columns, i % form.columns)).collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..form.rows * form.columns));
        }
    }

    #[test]
    fn a_matrix_comes_back() {
        for (rows, columns) in [(1, 1), (64, 32), (65, 33), (200, 100)] {
            let matrix = Matrix::from_fn(rows, columns, |row, column| (row * 1000 + column) as i32);
            let objects = WIDE.pack(&matrix);
            assert_eq!(objects.len(), WIDE.objects(rows, columns) * OBJECT);
            assert_eq!(WIDE.unpack::<i32>(&objects, rows, columns), matrix);
            let halves = matrix.map(|x| bf16::from_bits(x as u16));
            let back = OPERAND_BF16.unpack::<bf16>(&OPERAND_BF16.pack(&halves), rows, columns);
            assert_eq!(back.map(bf16::to_bits), halves.map(bf16::to_bits));
            let bytes = matrix.map(|x| x as i8);
            assert_eq!(WEIGHTS_INT8.unpack::<i8>(&WEIGHTS_INT8.pack(&bytes), rows, columns), bytes);
        }
    }

    #[test]
    fn scales_stand_behind_each_row_block() {
        let matrix = Matrix::from_fn(70, 64, |row, column| (row + column) as i8);
        let scales: Vec<i32> = (1..=70).collect();
        let objects = pack_int8(&matrix, &scales);
        assert_eq!(objects.len(), 4 * OBJECT);
        assert_eq!(objects[..OBJECT], OPERAND_INT8.object(&matrix, 0, 0));
        let scale = |object: usize, row: usize, lane: usize| {
            i32::read(&objects[object * OBJECT + row / 4 * 256 + row % 4 * 32 + lane * 4..])
        };
        assert_eq!((scale(1, 0, 0), scale(1, 63, 7), scale(3, 5, 3), scale(3, 6, 0)), (1, 64, 70, 0));
    }
}
