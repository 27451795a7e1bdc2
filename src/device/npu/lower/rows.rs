//! Operations on whole rows: normalisation, and rounding to int8. Each core keeps a few rows at a time.

use crate::device::npu::design::{DdrBuffer, Dimension, ShimDescriptor};
use crate::device::npu::grid::{Grid, pattern, run};
use crate::device::npu::object::{Form, OBJECT_WORDS};
use crate::device::npu::rows::columns_of_an_object;
use crate::device::npu::sequencer::{Round, Stream, Task};
use crate::device::npu::target::{ITERATION_WRAP, Target, WORD_BYTES};

/// An operation on rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowOperation {
    /// The rows.
    pub input: Grid,
    /// What they are.
    pub input_form: Form,
    /// Objects of a row of objects that are read.
    pub input_columns: usize,
    /// Groups of 4 rows that a core keeps.
    pub row_groups: usize,
    /// A header, and behind it so many objects of weights.
    pub header: (DdrBuffer, u64, usize),
    /// Results.
    pub output: Grid,
    /// What they are.
    pub output_form: Form,
    /// Objects of a core's results.
    pub result_objects: usize,
    /// Rows to compute, from row 0 on.
    pub rows: usize,
}

impl RowOperation {
    /// Its rounds.
    pub fn rounds(&self, target: Target) -> Vec<Round> {
        let unit_rows = 4 * self.row_groups * target.core_rows;
        let units = self.rows.div_ceil(unit_rows);
        let most = ITERATION_WRAP as usize * target.columns;
        let starts = (0..units).step_by(most);
        starts.map(|first| self.round(target, first, units.min(first + most))).collect()
    }

    fn round(&self, target: Target, first: usize, end: usize) -> Round {
        let columns = (0..target.columns).filter(|column| first + column < end);
        let tasks = columns.flat_map(|column| {
            let unit = first + column;
            let repeat = (end - unit).div_ceil(target.columns);
            let (buffer, offset, weights) = self.header;
            let header = run(buffer, offset, (1 + weights) * OBJECT_WORDS);
            let input = self.transfer(target, self.input, self.input_form, unit, 0, self.input_columns, repeat);
            let of_an_object = columns_of_an_object(self.output_form, self.row_groups);
            let results = (0..self.result_objects).map(|object| {
                let column = object * of_an_object;
                self.transfer(target, self.output, self.output_form, unit, column, of_an_object, repeat)
            });
            [
                Task { stream: Stream::Column(column), chain: vec![header, input], repeat },
                Task { stream: Stream::Result(column), chain: results.collect(), repeat },
            ]
        });
        Round { tasks: tasks.collect() }
    }

    /// The rows of a unit in some columns of objects, a core's after the other's, and the same of the units that follow in this
    /// column of the array.
    #[allow(clippy::too_many_arguments, reason = "a private helper of one caller's two uses")]
    fn transfer(
        &self,
        target: Target,
        grid: Grid,
        form: Form,
        unit: usize,
        first_column: usize,
        columns: usize,
        repeat: usize,
    ) -> ShimDescriptor {
        let core_bytes = self.row_groups * form.group_bytes();
        let units_of_a_block = form.rows() / (4 * self.row_groups * target.core_rows);
        assert!(target.columns.is_multiple_of(units_of_a_block), "units of a block in the same column each time");
        let cores = Dimension { wrap: target.core_rows as u32, step_words: (core_bytes / WORD_BYTES) as u32 };
        let across = Dimension { wrap: columns as u32, step_words: OBJECT_WORDS as u32 };
        let offset = grid.at(unit / units_of_a_block, first_column)
            + (unit % units_of_a_block * target.core_rows * core_bytes) as u64;
        let step = target.columns / units_of_a_block * grid.row_words() as usize;
        pattern(grid.buffer, offset, &[cores, across], core_bytes / WORD_BYTES).repeated(repeat, step)
    }
}
