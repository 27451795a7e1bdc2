//! A program's operations bound to its weights, which are read on the way: into packed matrices for products, into f32 for
//! the rest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::arithmetic::{Arithmetic, Finish};
use super::coarse::{self, Coarse};
use super::convolution;
use super::plan::{Chain, Part, Stage, Step};
use super::store::{Form, Matrix, Store};
use crate::device::program::MemoryDeclaration;
use crate::device::team::Team;
use crate::device::{Activation, DeviceError, Mask, Operation, Program, TensorView, Tensors, Value};
use crate::lock::lock;

/// Tasks for each thread where a product is divided by columns: enough that the last one is not waited for long.
const TASKS_PER_THREAD: usize = 8;

/// The vectors of a vocabulary, and their mean, if that was taken off them.
type Table<W> = (Arc<W>, Option<Arc<[f32]>>);

/// Makes stages of operations, and reads the weights that they name.
pub struct Binder<'a, 'b, A: Arithmetic> {
    program: &'a Program,
    tensors: &'a dyn Tensors,
    store: &'a mut Store<'b>,
    weights: HashMap<String, Arc<A::Weight>>,
    vectors: HashMap<String, Arc<[f32]>>,
    tables: HashMap<String, Table<A::Weight>>,
    /// The plan's, of the stages so far.
    pub heads: Vec<MemoryDeclaration>,
    /// Of the chains that are being bound.
    fine: bool,
}

impl<'a, 'b, A: Arithmetic> Binder<'a, 'b, A> {
    pub fn new(program: &'a Program, tensors: &'a dyn Tensors, store: &'a mut Store<'b>) -> Self {
        Self {
            program,
            tensors,
            store,
            weights: HashMap::new(),
            vectors: HashMap::new(),
            tables: HashMap::new(),
            heads: Vec::new(),
            fine: false,
        }
    }

    /// A stage for each operation of a procedure.
    pub fn stages(&mut self, operations: &[Operation]) -> Result<Vec<Stage<A>>, DeviceError> {
        self.fine = operations.iter().any(|operation| matches!(operation, Operation::Embedding { .. }));
        operations.iter().map(|operation| self.bind(operation)).collect()
    }

    fn bind(&mut self, operation: &Operation) -> Result<Stage<A>, DeviceError> {
        Ok(match operation {
            Operation::LogMel { samples, mel, filters, window_samples, hop_samples } => {
                let (limit, samples_limit) = (self.limit(*mel), self.limit(*samples));
                assert!((limit - 1) * hop_samples + window_samples <= samples_limit, "every frame has its samples");
                let front = Box::new(A::front(filters, *window_samples, *hop_samples)?);
                Stage::LogMel { samples: *samples, mel: *mel, front }
            }
            Operation::Convolution { input, weight, bias, stride, activation, output } => {
                let weight = self.filters(weight, self.columns(*output), self.columns(*input))?;
                let part = self.part(*output, weight, Some(bias), *activation, false)?;
                self.chain(*output, Step::Convolution { input: *input, stride: *stride, part })
            }
            Operation::Add { value, addend } => {
                let (addend, rows) = self.rows(addend, self.columns(*value))?;
                let limit = self.program.values[value.0].rows.limit();
                if rows < limit {
                    let name = self.program.values[value.0].name;
                    return Err(DeviceError::Extent { name, limit: rows, rows: limit });
                }
                self.chain(*value, Step::Add { value: *value, addend })
            }
            Operation::LayerNorm { input, weight, bias, output } => {
                let columns = self.columns(*input);
                let (weight, bias) = (self.vector(weight, columns)?, self.vector(bias, columns)?);
                self.chain(*output, Step::LayerNorm { input: *input, output: *output, weight, bias })
            }
            Operation::Linear { input, weight, bias, activation, residual, output } => {
                let weight = self.weight(weight, self.columns(*output), self.columns(*input))?;
                let part = self.part(*output, weight, bias.as_ref(), *activation, *residual)?;
                self.chain(*output, Step::Products { input: *input, parts: vec![part] })
            }
            &Operation::Attention { query, key, value, heads, mask, output } => {
                let rows = self.program.values[key.0].rows;
                if mask == Mask::Causal {
                    return Ok(Stage::Grown { query, key, value, heads, output });
                }
                let wanted = MemoryDeclaration { rows: rows.limit(), columns: self.columns(key), heads };
                let index = self.heads.iter().position(|heads| *heads == wanted).unwrap_or_else(|| {
                    self.heads.push(wanted);
                    self.heads.len() - 1
                });
                Stage::Attention { query, key, value, heads: index, output }
            }
            &Operation::Remember { key, value, memory } => Stage::Remember { key, value, memory },
            &Operation::Recall { query, memory, output } => Stage::Recall { query, memory, output },
            &Operation::Probabilities { query, memory, ref heads, output } => {
                let MemoryDeclaration { rows, heads: count, .. } = self.program.memories[memory.0];
                assert!(heads.iter().all(|head| *head < count), "a memory has {count} heads, not all of {heads:?}");
                assert_eq!(self.columns(output), rows * heads.len(), "a column for each key of each head");
                Stage::Probabilities { query, memory, heads: heads.clone(), output }
            }
            Operation::Embedding { tokens: _, weight, positions, output } => {
                let width = self.columns(*output);
                let rows = self.tensors.tensor(weight)?.shape.first().copied().unwrap_or(0);
                let (weight, mean) = self.table(weight, rows, width)?;
                let (mut positions, _) = self.rows(positions, width)?;
                if let Some(mean) = mean {
                    positions = positions.chunks_exact(width).flat_map(|row| add(row, &mean)).collect();
                }
                Stage::Embedding { weight, rows, positions, output: *output }
            }
            &Operation::LastRow { input, output } => Stage::LastRow { input, output },
            &Operation::Logits { input, ref weight, exact_from, output } => {
                let (outputs, inputs) = (self.columns(output), self.columns(input));
                let (matrix, mean) = self.table(weight, outputs, inputs)?;
                let reading = Reading::new(self.tensors.tensor(weight)?);
                let coarse = mean.as_ref().filter(|_| exact_from > 0).map(|mean| {
                    let source = |first: usize, out: &mut [f32]| reading.rows_less(mean, first, out);
                    Coarse::new(self.store, weight, outputs, inputs, &source)
                });
                reading.end()?;
                self.tensors.release();
                let mut part = self.part(output, matrix, None, Activation::None, false)?;
                if coarse.is_some() {
                    part.task_columns = part.task_columns.min(coarse::TASK_COLUMNS);
                }
                Stage::Logits { input, part, mean, coarse, exact_from }
            }
        })
    }

    fn chain(&self, output: Value, step: Step<A>) -> Stage<A> {
        let (rows, written) = (self.program.values[output.0].rows, step.writes());
        Stage::Chain(Chain { steps: vec![step], rows, written, locals: Vec::new(), fine: self.fine })
    }

    fn part(
        &mut self,
        output: Value,
        weight: Arc<A::Weight>,
        bias: Option<&String>,
        activation: Activation,
        residual: bool,
    ) -> Result<Part<A>, DeviceError> {
        assert!(!residual || activation == Activation::None, "a residual is added to a plain product");
        let (columns, panel) = (self.columns(output), self.store.isa.panel_columns());
        let mut padded = vec![0.0; columns.next_multiple_of(panel)];
        if let Some(bias) = bias {
            padded[..columns].copy_from_slice(&self.vector(bias, columns)?);
        }
        let panels = columns.div_ceil(panel);
        let threads = self.store.team.threads();
        let tasks = if threads == 1 { 1 } else { TASKS_PER_THREAD * threads };
        let task_columns = panels.div_ceil(tasks) * panel;
        Ok(Part { output, weight, finish: Finish { bias: padded, activation, residual }, task_columns })
    }

    fn limit(&self, value: Value) -> usize {
        self.program.values[value.0].rows.limit()
    }

    fn columns(&self, value: Value) -> usize {
        self.program.values[value.0].columns
    }

    /// A matrix (outputs, inputs).
    fn weight(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Arc<A::Weight>, DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(&[outputs, inputs])?;
        self.packed(name, tensor, (outputs, inputs), &|reading, first, out| {
            reading.rows(first, out.len() / inputs, out);
        })
    }

    /// A tensor packed as a matrix (outputs, inputs), once for all that name it; `read` writes rows of it, from a given one on.
    fn packed(
        &mut self,
        name: &str,
        tensor: TensorView<'_>,
        (outputs, inputs): (usize, usize),
        read: &(dyn Fn(&Reading<'_>, usize, &mut [f32]) + Sync),
    ) -> Result<Arc<A::Weight>, DeviceError> {
        if let Some(weight) = self.weights.get(name) {
            return Ok(weight.clone());
        }
        let reading = Reading::new(tensor);
        let weight = A::weight(self.store, name, outputs, inputs, &|first, out: &mut [f32]| read(&reading, first, out));
        reading.end()?;
        self.tensors.release();
        let weight = Arc::new(weight);
        self.weights.insert(name.into(), weight.clone());
        Ok(weight)
    }

    /// The vectors (rows, width) of a vocabulary, and their mean, if that was taken off them: they have most of their length
    /// in common, and what is left is smaller, and so is its rounding.
    fn table(&mut self, name: &str, rows: usize, width: usize) -> Result<Table<A::Weight>, DeviceError> {
        if !A::COARSE {
            return Ok((self.weight(name, rows, width)?, None));
        }
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(&[rows, width])?;
        if let Some(table) = self.tables.get(name) {
            return Ok(table.clone());
        }
        let reading = Reading::new(tensor);
        let matrix = Matrix { name: name.to_owned(), form: Form::Mean, columns: width, inner: rows };
        let mean = self.store.numbers(matrix, |team| mean(team, &reading, rows, width));
        let source = |first: usize, out: &mut [f32]| reading.rows_less(&mean, first, out);
        let weight = Arc::new(A::weight(self.store, name, rows, width, &source));
        reading.end()?;
        self.tensors.release();
        Ok(self.tables.entry(name.into()).or_insert((weight, Some(mean))).clone())
    }

    /// A convolution's filters (outputs, inputs, width) as a matrix (outputs, width · inputs).
    fn filters(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Arc<A::Weight>, DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(&[outputs, inputs, convolution::WIDTH])?;
        let length = inputs * convolution::WIDTH;
        self.packed(name, tensor, (outputs, length), &|reading, first, out| {
            let mut filters = vec![0.0; out.len()];
            reading.rows(first, out.len() / length, &mut filters);
            for (filter, out) in filters.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
                convolution::reorder(filter, inputs, out);
            }
        })
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Arc<[f32]>, DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(&[length])?;
        self.numbers(name, &tensor)
    }

    /// A matrix in f32 with as many rows as it has, of `columns` columns.
    fn rows(&mut self, name: &str, columns: usize) -> Result<(Arc<[f32]>, usize), DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        let rows = tensor.shape.first().copied().unwrap_or(0);
        tensor.expect_shape(&[rows, columns])?;
        Ok((self.numbers(name, &tensor)?, rows))
    }

    /// A tensor in f32.
    fn numbers(&mut self, name: &str, tensor: &TensorView<'_>) -> Result<Arc<[f32]>, DeviceError> {
        if let Some(numbers) = self.vectors.get(name) {
            return Ok(numbers.clone());
        }
        let numbers: Arc<[f32]> = tensor.to_finite_f32()?.into();
        self.vectors.insert(name.into(), numbers.clone());
        Ok(numbers)
    }
}

/// A matrix that is being read, whose shape was checked.
struct Reading<'a> {
    tensor: TensorView<'a>,
    /// The first element that is not finite.
    not_finite: AtomicUsize,
}

impl<'a> Reading<'a> {
    fn new(tensor: TensorView<'a>) -> Self {
        Self { tensor, not_finite: AtomicUsize::new(usize::MAX) }
    }

    /// Some rows, after a look at whether they are finite.
    fn rows(&self, first: usize, count: usize, out: &mut [f32]) {
        let rows = self.tensor.rows(first..first + count).expect("the tensor has the shape that it was checked for");
        if let Some(index) = rows.first_not_finite() {
            self.not_finite.fetch_min(first * (out.len() / count) + index, Ordering::Relaxed);
        }
        rows.read_f32(out).expect("the tensor has the shape that it was checked for");
    }

    /// The rows that fit, less `mean`.
    fn rows_less(&self, mean: &[f32], first: usize, out: &mut [f32]) {
        self.rows(first, out.len() / mean.len(), out);
        out.chunks_exact_mut(mean.len()).flat_map(|row| row.iter_mut().zip(mean)).for_each(|(x, mean)| *x -= mean);
    }

    /// Fails if something was not finite.
    fn end(self) -> Result<(), DeviceError> {
        match self.not_finite.into_inner() {
            usize::MAX => Ok(()),
            index => Err(DeviceError::NotFinite { name: self.tensor.name.into_owned(), index }),
        }
    }
}

/// Rows whose sum one task makes; the sums are added in order, so that the mean does not depend on the threads.
const SUMMED_ROWS: usize = 512;

/// The mean of the rows.
fn mean(team: &Team, reading: &Reading<'_>, rows: usize, width: usize) -> Vec<f32> {
    let sums: Vec<_> = (0..rows.div_ceil(SUMMED_ROWS)).map(|_| Mutex::new(vec![0.0; width])).collect();
    team.run(sums.len(), &|task, _| {
        let first = task * SUMMED_ROWS;
        let mut x = vec![0.0; SUMMED_ROWS.min(rows - first) * width];
        reading.rows(first, x.len() / width, &mut x);
        let mut sum = lock(&sums[task]);
        x.chunks_exact(width).for_each(|row| sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x));
    });
    let mut mean = vec![0.0; width];
    for sum in sums {
        let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        mean.iter_mut().zip(sum).for_each(|(mean, sum)| *mean += sum / rows as f32);
    }
    mean
}

/// a + b, element by element.
fn add<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
    a.iter().zip(b).map(|(a, b)| a + b)
}
