//! How an operation on whole rows divides them: rows that a core keeps, objects that they come and leave in.

use super::header::Header;
use super::layout::Q;
use super::object::{Form, OBJECT_BYTES};
use super::program::{SCRATCH_BYTES, operation, output, word};
use super::reference::to_fixed;
use super::target::WORD_BYTES;
use crate::device::DeviceError;

/// Rows that cores keep while they work on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// What they come as.
    pub form: Form,
    /// Columns that count.
    pub columns: usize,
    /// Groups of 4 rows that a core keeps.
    pub row_groups: usize,
    /// Columns of objects that are read, so many that a core's rows fill whole objects.
    pub read_columns: usize,
    /// Objects of weights that the core keeps behind them.
    weight_objects: usize,
}

/// Groups of 4 rows that a core may keep, the better first.
const ROW_GROUPS: [usize; 2] = [2, 1];

impl Rows {
    /// Wide rows that are normalised.
    pub fn normalised(columns: usize) -> Result<Self, DeviceError> {
        Self::fit(Form::Wide, columns, true)
    }

    /// Rows that only change their form.
    pub fn converted(form: Form, columns: usize) -> Result<Self, DeviceError> {
        Self::fit(form, columns, false)
    }

    fn fit(form: Form, columns: usize, is_weighted: bool) -> Result<Self, DeviceError> {
        let fits = ROW_GROUPS.iter().map(|&row_groups| {
            let of_an_object = columns_of_an_object(form, row_groups);
            let read_columns = columns.div_ceil(form.columns()).next_multiple_of(of_an_object);
            let weight_bytes = 2 * read_columns * form.columns() * WORD_BYTES;
            let weight_objects = if is_weighted { weight_bytes.div_ceil(OBJECT_BYTES) } else { 0 };
            Self { form, columns, row_groups, read_columns, weight_objects }
        });
        fits.into_iter()
            .find(|rows| (rows.objects() + rows.weight_objects) * OBJECT_BYTES <= SCRATCH_BYTES)
            .ok_or(DeviceError::RowWidth { limit: SCRATCH_BYTES, columns })
    }

    /// Objects of a core's rows.
    pub fn objects(&self) -> usize {
        self.read_columns / columns_of_an_object(self.form, self.row_groups)
    }

    /// Columns of objects that the results fill, an int8 row's scale included.
    fn result_columns(&self, output: Form) -> usize {
        let data = self.columns.div_ceil(output.columns());
        if output == Form::Int8 { data + 1 } else { data }
    }

    /// Objects of a core's results.
    pub fn result_objects(&self, output: Form) -> usize {
        self.result_columns(output).div_ceil(columns_of_an_object(output, self.row_groups))
    }

    /// The header, and the objects of weight and bias if there are any.
    pub fn header(&self, to: Form, weight: &[f32], bias: &[f32]) -> Vec<u8> {
        let stored = self.read_columns * self.form.columns();
        let blocks = match to {
            Form::Int8 => 2 * self.columns.div_ceil(Form::Int8.columns()),
            Form::Bf16 | Form::Wide => self.columns.div_ceil(Form::Bf16.columns()),
        };
        let number = match to {
            Form::Bf16 => output::BF16,
            Form::Wide => output::WIDE,
            Form::Int8 => output::INT8,
        };
        let header = Header::of(operation::ROWS).word(word::ROWS_OUTPUT, number);
        let words = [
            (word::OBJECTS, self.objects()),
            (word::IS_NORMALISED, usize::from(self.weight_objects > 0)),
            (word::ROW_GROUPS, self.row_groups),
            (word::COLUMNS, self.columns),
            (word::PADDED_COLUMNS, stored),
            (word::WEIGHT_OBJECTS, self.weight_objects),
            (word::WEIGHT_OFFSET, self.objects() * OBJECT_BYTES),
            (word::RESULT_OBJECTS, self.result_objects(to)),
            (word::COLUMN_BLOCKS, blocks),
            (word::IS_BF16, usize::from(self.form == Form::Bf16)),
        ];
        let header = words.into_iter().fold(header, |header, (word, value)| header.word(word, value as i32));
        let mut bytes = header.bytes().to_vec();
        for values in [weight, bias] {
            let padded = values.iter().copied().chain(std::iter::repeat(0.0)).take(stored);
            if self.weight_objects > 0 {
                bytes.extend(padded.flat_map(|value| to_fixed(value, Q).to_le_bytes()));
            }
        }
        bytes.resize((1 + self.weight_objects) * OBJECT_BYTES, 0);
        bytes
    }
}

/// Columns of objects of which so many groups of rows fill an object.
pub fn columns_of_an_object(form: Form, row_groups: usize) -> usize {
    OBJECT_BYTES / (row_groups * form.group_bytes())
}
