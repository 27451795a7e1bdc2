//! Program → plan: which form each value takes, and every operation's weights and headers.

use std::collections::BTreeSet;

use half::bf16;

use super::columns::Columns;
use super::format::WEIGHTS_BF16;
use super::header::Header;
use super::matrix::Matrix;
use super::mel;
use super::object::{BLOCK_ROWS, Form, HEAD_COLUMNS, OBJECT_BYTES, TILE_COLUMNS};
use super::plan::{
    AttentionPlan, EmbeddingPlan, Keys, Left, MemoryPlan, NormalisePlan, Plan, ProductPart, ProductPlan, Step, Steps,
    TOKENS_AT_A_TIME, Table, ValuePlan,
};
use super::program::{operation, output, word};
use super::storage::PART_COLUMNS;
use super::strips::{self, Results, Source, Tiles};
use super::target::Target;
use crate::device::{Activation, DeviceError, Mask, Operation, Program, Tensors, Value};

/// Packs the weights that `program` names. With `is_int8`, linear layers are computed in integers.
///
/// Errors: a tensor that is missing, misshapen or not finite; heads or rows wider than the array takes.
pub fn plan(program: &Program, tensors: &dyn Tensors, target: Target, is_int8: bool) -> Result<Plan, DeviceError> {
    let values = program.values.iter().map(|value| ValuePlan {
        name: value.name,
        rows: value.rows,
        columns: Columns::plain(value.columns),
        forms: BTreeSet::new(),
        is_summed: false,
    });
    let memories = program.memories.iter().map(|memory| MemoryPlan {
        rows: memory.rows,
        columns: Columns::heads(memory.columns, memory.columns / memory.heads),
        heads: memory.heads,
    });
    let plan = Plan {
        target,
        values: values.collect(),
        memories: memories.collect(),
        procedures: Vec::new(),
        weights: Vec::new(),
        headers: Vec::new(),
    };
    let mut planner = Planner { plan, program, tensors, is_int8 };
    planner.find_heads()?;
    for operations in &program.procedures {
        let steps = planner.procedure(operations)?;
        let touched = (0..program.values.len()).filter(|&value| {
            let touches = |operation| reads(operation, Value(value)) || written(operation) == Some(Value(value));
            operations.iter().any(touches)
        });
        let values = touched.collect();
        planner.plan.procedures.push(Steps { steps, outputs: outputs(operations), values });
    }
    Ok(planner.plan)
}

/// What a left operand is multiplied with.
struct Factors<'a> {
    inputs: Columns,
    row: &'a dyn Fn(usize, &mut [f32]),
    bias: &'a [f32],
    activation: Activation,
}

struct Planner<'a> {
    plan: Plan,
    program: &'a Program,
    tensors: &'a dyn Tensors,
    is_int8: bool,
}

impl Planner<'_> {
    /// Values that attention divides into heads are padded head by head.
    fn find_heads(&mut self) -> Result<(), DeviceError> {
        for operation in self.program.procedures.iter().flatten() {
            let (values, heads) = match operation {
                Operation::Attention { query, key, value, heads, output, .. } => {
                    (vec![*query, *key, *value, *output], *heads)
                }
                Operation::Recall { query, memory, output } => {
                    (vec![*query, *output], self.plan.memories[memory.0].heads)
                }
                Operation::Remember { key, value, memory } => (vec![*key, *value], self.plan.memories[memory.0].heads),
                _ => continue,
            };
            for value in values {
                let columns = self.plan.values[value.0].columns.logical;
                if columns / heads > HEAD_COLUMNS {
                    return Err(DeviceError::HeadWidth { limit: HEAD_COLUMNS, width: columns / heads });
                }
                self.plan.values[value.0].columns = Columns::heads(columns, columns / heads);
            }
        }
        Ok(())
    }

    fn procedure(&mut self, operations: &[Operation]) -> Result<Vec<Step>, DeviceError> {
        let mut steps = Vec::with_capacity(operations.len());
        let mut operations = operations.iter().peekable();
        while let Some(operation) = operations.next() {
            let sum = match (operation, operations.peek()) {
                (Operation::Convolution { output, .. }, Some(Operation::Add { value, addend })) if output == value => {
                    let addend = self.table(addend, self.columns(*value))?;
                    operations.next();
                    Some(addend)
                }
                _ => None,
            };
            if let Operation::LogMel { samples, mel, filters, window_samples, hop_samples } = operation {
                steps.extend(self.log_mel(*samples, *mel, filters, *window_samples, *hop_samples));
                continue;
            }
            if let Operation::Logits { input, weight, exact_from, output } = operation {
                steps.extend(self.logits(*input, weight, *exact_from, *output)?);
                continue;
            }
            steps.push(self.step(operation, sum)?);
        }
        Ok(steps)
    }

    fn step(&mut self, operation: &Operation, addend: Option<Table>) -> Result<Step, DeviceError> {
        Ok(match operation {
            Operation::Linear { input, weight, bias, activation, residual, output } => {
                let form = if self.is_int8 { Form::Int8 } else { Form::Bf16 };
                let shape = [self.columns(*output), self.columns(*input)];
                let matrix = self.matrix(weight, &shape)?;
                let bias = bias.as_ref().map(|bias| self.vector(bias, shape[0])).transpose()?.unwrap_or_default();
                let row = |n: usize, out: &mut [f32]| out.copy_from_slice(&matrix[n * shape[1]..][..shape[1]]);
                let inputs = self.plan.values[input.0].columns;
                let left = Left::Value(*input, form);
                let results = if *residual { Results::Sum } else { self.results(*output) };
                let source = Factors { inputs, row: &row, bias: &bias, activation: *activation };
                self.product(left, &source, *output, results, None)
            }
            Operation::Convolution { input, weight, bias, stride, activation, output } => {
                let (outputs, inputs) = (self.columns(*output), self.columns(*input));
                let matrix = self.matrix(weight, &[outputs, inputs, 3])?;
                let bias = self.vector(bias, outputs)?;
                let row = |n: usize, out: &mut [f32]| {
                    let filter = &matrix[n * inputs * 3..][..inputs * 3];
                    out.iter_mut().enumerate().for_each(|(at, value)| *value = filter[at % inputs * 3 + at / inputs]);
                };
                let left = Left::Gathered { value: *input, stride: *stride };
                let gathered = Columns::plain(3 * inputs);
                let results = if addend.is_some() { Results::Sum } else { self.results(*output) };
                let source = Factors { inputs: gathered, row: &row, bias: &bias, activation: *activation };
                self.product(left, &source, *output, results, addend)
            }
            Operation::LayerNorm { input, weight, bias, output } => {
                let columns = self.columns(*input);
                let (weight, bias) = (self.vector(weight, columns)?, self.vector(bias, columns)?);
                self.normalise(*input, *output, &weight, &bias)?
            }
            Operation::Attention { query, key, value, heads, mask, output } => {
                self.attention(*query, Keys::Values { key: *key, value: *value }, *heads, *mask, *output)
            }
            Operation::Recall { query, memory, output } => {
                let heads = self.plan.memories[memory.0].heads;
                self.attention(*query, Keys::Memory(*memory), heads, Mask::None, *output)
            }
            Operation::Remember { key, value, memory } => {
                self.read(*key, Form::Bf16);
                self.read(*value, Form::Bf16);
                Step::Remember { key: *key, value: *value, memory: *memory }
            }
            Operation::Embedding { weight, positions, output, .. } => {
                let columns = self.columns(*output);
                let (weight, positions) = (self.table(weight, columns)?, self.table(positions, columns)?);
                Step::Embedding(self.embedding(&weight, positions, *output))
            }
            Operation::LastRow { input, output } => Step::LastRow { input: *input, output: *output },
            Operation::Add { value, addend } => {
                let addend = self.table(addend, self.columns(*value))?;
                Step::Add { value: *value, addend }
            }
            Operation::Probabilities { .. } => {
                let (device, operation) = ("the array", "probabilities of attention");
                return Err(DeviceError::Unsupported { device, operation });
            }
            Operation::LogMel { .. } | Operation::Logits { .. } => unreachable!("the caller makes several steps of it"),
        })
    }

    fn product(
        &mut self,
        left: Left,
        factors: &Factors<'_>,
        output: Value,
        results: Results,
        addend: Option<Table>,
    ) -> Step {
        let form = match left {
            Left::Value(value, form) => {
                self.read(value, form);
                form
            }
            Left::Gathered { .. } | Left::Frames { .. } => Form::Bf16,
        };
        if results == Results::Sum {
            self.plan.values[output.0].is_summed = true;
            self.read(output, results.form());
        }
        self.plan.values[output.0].forms.insert(results.form());
        let outputs = match results {
            Results::Power => mel::parts(self.plan.values[output.0].columns.logical),
            _ => self.plan.values[output.0].columns,
        };
        let Factors { inputs, row, bias, activation } = *factors;
        let source = Source { inputs, outputs, row, bias, is_gelu: activation == Activation::Gelu };
        let parts = self.parts(outputs).into_iter().map(|tiles| {
            let strips = strips::pack(&source, form, results, self.plan.target, tiles);
            let part = ProductPart { tiles, headers: self.plan.headers.len(), weights: self.plan.weights.len() };
            self.plan.headers.extend(strips.headers);
            self.plan.weights.extend(strips.weights);
            part
        });
        let parts = parts.collect();
        let kept_header = (results == Results::Greatest).then(|| {
            let header = Header::of(operation::PRODUCT).word(word::OUTPUT, output::KEPT);
            self.plan.headers.extend_from_slice(header.bytes());
            self.plan.headers.len() - OBJECT_BYTES
        });
        let depth = strips::depth(inputs, form);
        Step::Product(ProductPlan { left, depth, output, results, addend, parts, kept_header })
    }

    fn results(&self, output: Value) -> Results {
        if self.wants_wide(output) { Results::Wide } else { Results::Bf16 }
    }

    /// The tiles of each part of a result.
    fn parts(&self, outputs: Columns) -> Vec<Tiles> {
        let tiles = outputs.physical().div_ceil(TILE_COLUMNS);
        let most = PART_COLUMNS * Form::Wide.columns() / TILE_COLUMNS;
        let starts = (0..tiles).step_by(most);
        starts.map(|first| Tiles { first, turns: most.min(tiles - first).div_ceil(self.plan.target.columns) }).collect()
    }

    /// A Fourier transform of each frame and its power, and filters over that and their logarithm.
    fn log_mel(
        &mut self,
        samples: Value,
        mel: Value,
        filters: &[f32],
        window_samples: usize,
        hop_samples: usize,
    ) -> [Step; 2] {
        let frequencies = window_samples / 2 + 1;
        let power = self.inner_value("power", mel, frequencies);
        let transform = mel::transform(window_samples);
        let inputs = mel::split(window_samples);
        let row = |n: usize, out: &mut [f32]| transform.row(n, out);
        let factors = Factors { inputs, row: &row, bias: &[], activation: Activation::None };
        let left = Left::Frames { samples, window_samples, hop_samples };
        let first = self.product(left, &factors, power, Results::Power, None);
        let inputs = Columns::plain(frequencies);
        let row = |n: usize, out: &mut [f32]| out.copy_from_slice(&filters[n * frequencies..][..frequencies]);
        let factors = Factors { inputs, row: &row, bias: &[], activation: Activation::None };
        [first, self.product(Left::Value(power, Form::Bf16), &factors, mel, Results::Logarithm, None)]
    }

    fn embedding(&mut self, table: &Table, positions: Table, output: Value) -> EmbeddingPlan {
        self.plan.values[output.0].is_summed = true;
        self.read(output, Form::Wide);
        let (rows, columns) = (Form::Bf16.columns(), self.plan.values[output.0].columns);
        let vocabulary_size = table.rows.len() / table.columns;
        let parts = self.parts(columns);
        assert!(parts.len() == 1, "rows as wide as a vocabulary");
        let (tiles, target) = (parts[0], self.plan.target);
        let headers = self.plan.headers.len();
        for depth in 0..=TOKENS_AT_A_TIME {
            let header = Header::of(operation::PRODUCT)
                .word(word::DEPTH, depth as i32)
                .word(word::IS_FINISHED, 1)
                .word(word::OUTPUT, Results::Sum.number());
            self.plan.headers.extend(header.bytes().repeat(target.columns * tiles.turns));
        }
        let weights = self.plan.weights.len();
        let mut block = Matrix::filled(rows, tiles.turns * target.columns * TILE_COLUMNS, bf16::ZERO);
        for first in (0..vocabulary_size).step_by(rows) {
            for row in 0..rows {
                let values = table.rows.chunks_exact(table.columns).nth(first + row);
                for column in 0..table.columns {
                    block[(row, columns.place(column))] = bf16::from_f32(values.map_or(0.0, |values| values[column]));
                }
            }
            for column in 0..target.columns {
                for turn in 0..tiles.turns {
                    let tile = (turn * target.columns + column) * TILE_COLUMNS;
                    let tile = Matrix::from_fn(rows, TILE_COLUMNS, |row, column| block[(row, tile + column)]);
                    self.plan.weights.extend(WEIGHTS_BF16.pack(&tile));
                }
            }
        }
        EmbeddingPlan { vocabulary_size, positions, output, tiles, headers, weights }
    }

    /// Whole tiles of columns before `exact_from` in bf16, while the cores keep the greatest of each row; the others wide. Always of
    /// bf16: logits are compared with each other, and integers of 8 bits are too coarse for what vectors of a vocabulary have in common.
    fn logits(
        &mut self,
        input: Value,
        weight: &str,
        exact_from: usize,
        output: Value,
    ) -> Result<Vec<Step>, DeviceError> {
        let [vocabulary, width] = [self.columns(output), self.columns(input)];
        let matrix = self.matrix(weight, &[vocabulary, width])?;
        let inputs = self.plan.values[input.0].columns;
        let left = Left::Value(input, Form::Bf16);
        let from = |first: usize| {
            let matrix = &matrix;
            move |n: usize, out: &mut [f32]| out.copy_from_slice(&matrix[(first + n) * width..][..width])
        };
        let factors = |row| Factors { inputs, row, bias: &[], activation: Activation::None };
        // The cores keep the greatest of as many rows as they have at a time.
        let fits = self.plan.values[output.0].rows.limit() <= self.plan.target.core_rows * BLOCK_ROWS;
        let rounded_columns = exact_from.min(vocabulary - 1) / TILE_COLUMNS * TILE_COLUMNS;
        if rounded_columns == 0 || !fits {
            return Ok(vec![self.product(left, &factors(&from(0)), output, self.results(output), None)]);
        }
        let rounded = self.inner_value("rounded logits", output, rounded_columns);
        let exact = self.inner_value("exact logits", output, vocabulary - rounded_columns);
        Ok(vec![
            self.product(left, &factors(&from(0)), rounded, Results::Greatest, None),
            self.product(left, &factors(&from(rounded_columns)), exact, Results::Wide, None),
            Step::Logits { rounded, exact, output },
        ])
    }

    /// A value of the plan's own, with the rows of another.
    fn inner_value(&mut self, name: &'static str, like: Value, columns: usize) -> Value {
        let value = Value(self.plan.values.len());
        self.plan.values.push(ValuePlan {
            name,
            rows: self.plan.values[like.0].rows,
            columns: Columns::plain(columns),
            forms: BTreeSet::new(),
            is_summed: false,
        });
        value
    }

    fn normalise(&mut self, input: Value, output: Value, weight: &[f32], bias: &[f32]) -> Result<Step, DeviceError> {
        let form = if self.wants_wide(output) {
            Form::Wide
        } else if self.only_linear_layers_read(output) && self.is_int8 {
            Form::Int8
        } else {
            Form::Bf16
        };
        self.read(input, Form::Wide);
        self.plan.values[output.0].forms.insert(form);
        let columns = weight.len();
        let rows = super::rows::Rows::normalised(columns)?;
        let header = self.plan.headers.len();
        let bytes = rows.header(form, weight, bias);
        let weight_objects = bytes.len() / OBJECT_BYTES - 1;
        self.plan.headers.extend(bytes);
        Ok(Step::Normalise(NormalisePlan { input, output, form, header, weight_objects }))
    }

    fn attention(&mut self, query: Value, keys: Keys, heads: usize, mask: Mask, output: Value) -> Step {
        self.read(query, Form::Bf16);
        if let Keys::Values { key, value } = keys {
            self.read(key, Form::Bf16);
            self.read(value, Form::Bf16);
        }
        self.plan.values[output.0].forms.insert(Form::Bf16);
        let width = self.columns(output) / heads;
        Step::Attention(AttentionPlan { query, output, keys, heads, width, mask })
    }

    /// Says that an operation reads a value in this form.
    fn read(&mut self, value: Value, form: Form) {
        self.plan.values[value.0].forms.insert(form);
    }

    /// Whether a value should be put out wide: something adds to it or normalises it, or only the host reads it.
    fn wants_wide(&self, value: Value) -> bool {
        if self.plan.values[value.0].rows.is_kept() {
            return false;
        }
        let mut readers = self.readers(value).peekable();
        readers.peek().is_none()
            || readers.any(|operation| {
                matches!(
                    operation,
                    Operation::LayerNorm { .. }
                        | Operation::Add { .. }
                        | Operation::LastRow { .. }
                        | Operation::Convolution { .. }
                ) || matches!(operation, Operation::Linear { output, residual: true, .. } if *output == value)
            })
    }

    fn only_linear_layers_read(&self, value: Value) -> bool {
        self.readers(value).all(|operation| matches!(operation, Operation::Linear { .. }))
    }

    fn readers(&self, value: Value) -> impl Iterator<Item = &Operation> {
        self.program.procedures.iter().flatten().filter(move |operation| reads(operation, value))
    }

    fn columns(&self, value: Value) -> usize {
        self.plan.values[value.0].columns.logical
    }

    fn matrix(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(shape)?;
        tensor.to_finite_f32()
    }

    fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, DeviceError> {
        self.matrix(name, &[length])
    }

    /// A tensor of any number of rows.
    fn table(&self, name: &str, columns: usize) -> Result<Table, DeviceError> {
        let rows = self.tensors.tensor(name)?.shape.first().copied().unwrap_or(0);
        Ok(Table { rows: self.matrix(name, &[rows, columns])?, columns })
    }
}

fn reads(operation: &Operation, value: Value) -> bool {
    match operation {
        Operation::LogMel { samples: input, .. }
        | Operation::Convolution { input, .. }
        | Operation::LayerNorm { input, .. }
        | Operation::Logits { input, .. }
        | Operation::LastRow { input, .. } => *input == value,
        Operation::Linear { input, residual, output, .. } => *input == value || (*residual && *output == value),
        Operation::Attention { query, key, value: values, .. } => [*query, *key, *values].contains(&value),
        Operation::Remember { key, value: values, .. } => [*key, *values].contains(&value),
        Operation::Recall { query, .. } | Operation::Probabilities { query, .. } => *query == value,
        Operation::Add { value: changed, .. } => *changed == value,
        Operation::Embedding { .. } => false,
    }
}

fn written(operation: &Operation) -> Option<Value> {
    match operation {
        Operation::LogMel { mel: output, .. }
        | Operation::Convolution { output, .. }
        | Operation::LayerNorm { output, .. }
        | Operation::Linear { output, .. }
        | Operation::Attention { output, .. }
        | Operation::Recall { output, .. }
        | Operation::Probabilities { output, .. }
        | Operation::Embedding { output, .. }
        | Operation::Logits { output, .. }
        | Operation::LastRow { output, .. }
        | Operation::Add { value: output, .. } => Some(*output),
        Operation::Remember { .. } => None,
    }
}

fn outputs(operations: &[Operation]) -> Vec<Value> {
    let written = operations.iter().enumerate().filter_map(|(index, operation)| Some((index, written(operation)?)));
    let is_last = |&(index, value): &(usize, Value)| {
        let later = &operations[index + 1..];
        !later.iter().any(|operation| reads(operation, value) || self::written(operation) == Some(value))
    };
    written.filter(is_last).map(|(_, value)| value).collect()
}
