//! A value's matrix in DDR, in one of its forms.

use half::bf16;

use super::columns::Columns;
use super::grid::Grid;
use super::layout::Q;
use super::matrix::Matrix;
use super::object::{Form, LANE_COLUMNS, OBJECT_BYTES, WIDE_ONE};
use super::reference::{maxima, quantise, to_fixed};

/// Columns of objects of a part. The steps of descriptors reach no further, so that wider matrices lie in several parts.
pub const PART_COLUMNS: usize = 512;

/// A matrix in DDR.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// What its elements are.
    pub form: Form,
    /// Its parts from left to right, [`PART_COLUMNS`] columns of objects each but for the last.
    pub parts: Vec<Grid>,
    /// Its columns.
    pub columns: Columns,
}

impl Storage {
    /// The only part of a matrix that operations on whole rows take. Panics if there are several.
    pub fn grid(&self) -> Grid {
        assert!(self.parts.len() == 1, "a matrix in several parts");
        self.parts[0]
    }

    /// Writes a row of f32, rounded as its form is.
    pub fn write(&self, memory: &mut [u8], row: usize, values: &[f32]) {
        let mut padded = vec![0.0; self.columns.physical().next_multiple_of(LANE_COLUMNS)];
        values.iter().enumerate().for_each(|(column, value)| padded[self.columns.place(column)] = *value);
        match self.form {
            Form::Wide => self.put(memory, row, &padded, |lanes, bytes| {
                lanes
                    .iter()
                    .flat_map(|value| to_fixed(*value, Q).to_le_bytes())
                    .zip(bytes)
                    .for_each(|(from, to)| *to = from);
            }),
            Form::Bf16 => self.put(memory, row, &padded, |lanes, bytes| {
                let lanes = lanes.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes());
                lanes.zip(bytes).for_each(|(from, to)| *to = from);
            }),
            Form::Int8 => {
                let wide = Matrix::from_fn(1, padded.len(), |_, column| to_fixed(padded[column], Q));
                let scales = maxima(&wide);
                self.put(memory, row, quantise(&wide, &scales).elements(), |lanes, bytes| {
                    lanes.iter().zip(bytes).for_each(|(from, to)| *to = *from as u8);
                });
                self.put_scale(memory, row, scales[0]);
            }
        }
    }

    /// Reads a row as f32. Panics for int8, which nobody reads.
    pub fn read(&self, memory: &[u8], row: usize, values: &mut [f32]) {
        let mut padded = vec![0.0; self.columns.physical().next_multiple_of(LANE_COLUMNS)];
        for (index, lanes) in padded.chunks_exact_mut(LANE_COLUMNS).enumerate() {
            let bytes = &memory[self.lanes(row, index * LANE_COLUMNS)];
            match self.form {
                Form::Wide => {
                    let integers = bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes));
                    lanes.iter_mut().zip(integers).for_each(|(lane, integer)| *lane = integer as f32 / WIDE_ONE);
                }
                Form::Bf16 => {
                    let halves = bytes.as_chunks::<2>().0.iter().map(|bytes| bf16::from_le_bytes(*bytes));
                    lanes.iter_mut().zip(halves).for_each(|(lane, half)| *lane = half.to_f32());
                }
                Form::Int8 => unreachable!("operands of int8 are not read back"),
            }
        }
        values.iter_mut().enumerate().for_each(|(column, value)| *value = padded[self.columns.place(column)]);
    }

    /// Copies a row to a row of another matrix of the same form and columns in the same memory.
    pub fn copy_row(&self, memory: &mut [u8], row: usize, to: &Self, to_row: usize) {
        for column in (0..self.columns.physical()).step_by(LANE_COLUMNS) {
            let target = to.lanes(to_row, column).start;
            memory.copy_within(self.lanes(row, column), target);
        }
    }

    fn put<T>(&self, memory: &mut [u8], row: usize, values: &[T], write: impl Fn(&[T], &mut [u8])) {
        for (index, lanes) in values.chunks(LANE_COLUMNS).enumerate() {
            write(lanes, &mut memory[self.lanes(row, index * LANE_COLUMNS)]);
        }
    }

    /// The scale of a row stands eight times in the object behind the data.
    fn put_scale(&self, memory: &mut [u8], row: usize, scale: i32) {
        let (grid, column) = (self.grid(), self.columns.physical().div_ceil(self.form.columns()));
        let group = grid.at(row / 64, column) as usize + row % 64 / 4 * (OBJECT_BYTES / 16);
        let start = group + row % 4 * LANE_COLUMNS * 4;
        memory[start..start + LANE_COLUMNS * 4].as_chunks_mut::<4>().0.fill(scale.to_le_bytes());
    }

    fn lanes(&self, row: usize, column: usize) -> std::ops::Range<usize> {
        let (rows, columns) = (self.form.rows(), self.form.columns());
        let object = column / columns;
        let grid = self.parts[object / PART_COLUMNS];
        let start = grid.at(row / rows, object % PART_COLUMNS) as usize;
        let lanes = self.form.lanes(row % rows, column % columns);
        start + lanes.start..start + lanes.end
    }
}
