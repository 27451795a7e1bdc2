//! A program with its weights, in the stages in which it runs.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::arithmetic::{Arithmetic, Finish};
use super::coarse::{self, Coarse};
use super::convolution;
use super::simd::Isa;
use super::store::{Form, Matrix, Store};
use super::values::MOST_PARTS;
use crate::device::program::{Declaration, MemoryDeclaration};
use crate::device::team::Team;
use crate::device::{Activation, DeviceError, Mask, Memory, Operation, Program, Rows, TensorView, Tensors, Value};

/// What sessions of a program share.
pub struct Plan<A: Arithmetic> {
    pub isa: Isa,
    pub team: Arc<Team>,
    pub values: Vec<Declaration>,
    pub memories: Vec<MemoryDeclaration>,
    pub procedures: Vec<Stages<A>>,
    /// What [`Stage::Attention`] packs its keys and values into: limit, columns, heads.
    pub heads: Vec<MemoryDeclaration>,
}

/// A procedure.
pub struct Stages<A: Arithmetic> {
    pub stages: Vec<Stage<A>>,
    /// Values that they touch.
    pub values: Vec<Value>,
}

/// Work that is finished on all threads before the next stage begins.
pub enum Stage<A: Arithmetic> {
    LogMel {
        samples: Value,
        mel: Value,
        front: Box<A::Front>,
    },
    /// Operations of which each row needs only itself: a thread takes some rows through all of them.
    Chain(Chain<A>),
    /// Keys and values are packed, into the set of heads with this index, and then attended to.
    Attention {
        query: Value,
        key: Value,
        value: Value,
        heads: usize,
        output: Value,
    },
    /// Keys and values are read as they are, by each row those that it may see.
    Grown {
        query: Value,
        key: Value,
        value: Value,
        heads: usize,
        mask: Mask,
        output: Value,
    },
    Remember {
        key: Value,
        value: Value,
        memory: Memory,
    },
    Recall {
        query: Value,
        memory: Memory,
        output: Value,
    },
    Embedding {
        weight: Arc<A::Weight>,
        rows: usize,
        positions: Arc<[f32]>,
        output: Value,
    },
    LastRow {
        input: Value,
        output: Value,
    },
    /// A product of few rows, the columns before `exact_from` coarsely first, if there is a coarse matrix.
    Logits {
        input: Value,
        part: Part<A>,
        /// What was taken off each row of the matrix, if anything.
        mean: Option<Arc<[f32]>>,
        coarse: Option<Coarse>,
        exact_from: usize,
    },
}

/// Steps over the rows of values that all have as many.
pub struct Chain<A: Arithmetic> {
    pub steps: Vec<Step<A>>,
    pub rows: Rows,
    /// Values that the steps write.
    pub written: Vec<Value>,
    /// Those of them that no other stage reads.
    pub locals: Vec<Value>,
    /// Whether the rows are text: each reads all weights for itself, so that more exact rows take little more time.
    pub fine: bool,
}

/// One step of a chain.
pub enum Step<A: Arithmetic> {
    Convolution {
        input: Value,
        stride: usize,
        part: Part<A>,
    },
    Add {
        value: Value,
        addend: Arc<[f32]>,
    },
    LayerNorm {
        input: Value,
        output: Value,
        weight: Arc<[f32]>,
        bias: Arc<[f32]>,
    },
    /// Linear layers with one input.
    Products {
        input: Value,
        parts: Vec<Part<A>>,
    },
}

/// One product of a step.
pub struct Part<A: Arithmetic> {
    pub output: Value,
    pub weight: Arc<A::Weight>,
    pub finish: Finish,
    /// Columns that a task takes where rows are few: whole panels.
    pub task_columns: usize,
}

/// Tasks for each thread where a product is divided by columns: enough that the last one is not waited for long.
const TASKS_PER_THREAD: usize = 8;

impl<A: Arithmetic> Plan<A> {
    /// Reads every weight that `program` names, matrices only if the store does not have them.
    pub fn new(program: &Program, tensors: &dyn Tensors, store: &mut Store<'_>) -> Result<Self, DeviceError> {
        let (isa, team) = (store.isa, store.team.clone());
        let mut binder = Binder {
            program,
            tensors,
            store,
            weights: HashMap::new(),
            vectors: HashMap::new(),
            tables: HashMap::new(),
            heads: Vec::new(),
            fine: false,
        };
        let mut procedures = Vec::new();
        for operations in &program.procedures {
            binder.fine = operations.iter().any(|operation| matches!(operation, Operation::Embedding { .. }));
            let mut stages = Vec::new();
            for operation in operations {
                let stage = binder.bind(operation)?;
                append(&mut stages, stage);
            }
            procedures.push(stages);
        }
        let heads = binder.heads;
        find_locals(&mut procedures);
        let procedures = procedures.into_iter().map(|stages| {
            let values: HashSet<Value> = stages.iter().flat_map(Stage::values).collect();
            Stages { stages, values: values.into_iter().collect() }
        });
        let procedures = procedures.collect();
        let (values, memories) = (program.values.clone(), program.memories.clone());
        Ok(Self { isa, team, values, memories, procedures, heads })
    }
}

/// Appends a stage, or its step to the chain before it if that is over the same rows.
fn append<A: Arithmetic>(stages: &mut Vec<Stage<A>>, stage: Stage<A>) {
    let mut next = match stage {
        Stage::Chain(next) => next,
        stage => return stages.push(stage),
    };
    let Some(Stage::Chain(chain)) = stages.last_mut() else {
        return stages.push(Stage::Chain(next));
    };
    // A convolution reads rows that other threads may not have written yet.
    let reaches_out = |step: &Step<A>| matches!(step, Step::Convolution { input, .. } if chain.written.contains(input));
    if domain(chain.rows) != domain(next.rows) || next.steps.iter().any(reaches_out) {
        return stages.push(Stage::Chain(next));
    }
    for written in next.written.drain(..) {
        if !chain.written.contains(&written) {
            chain.written.push(written);
        }
    }
    for step in next.steps {
        match (chain.steps.last_mut(), step) {
            (Some(Step::Products { input, parts }), Step::Products { input: next, parts: more })
                if *input == next && more.iter().all(|part| part.output != next && apart(parts, part.output)) =>
            {
                parts.extend(more);
            }
            (_, step) => chain.steps.push(step),
        }
    }
}

fn apart<A: Arithmetic>(parts: &[Part<A>], output: Value) -> bool {
    parts.len() < MOST_PARTS && parts.iter().all(|part| part.output != output)
}

/// Values of one domain have one number of rows in every run.
fn domain(rows: Rows) -> Rows {
    match rows {
        Rows::Fixed(count) => Rows::Fixed(count),
        Rows::Step(_) | Rows::Grown(_) => Rows::Step(0),
        Rows::Twice(_) => Rows::Twice(0),
        Rows::Each(_) => Rows::Each(0),
    }
}

/// A value is local to its chains if no rows of it pass from one stage to another: every chain writes it before reading it,
/// nothing else touches it, and it is no result, that is, somebody reads it.
fn find_locals<A: Arithmetic>(procedures: &mut [Vec<Stage<A>>]) {
    let mut shared = HashSet::new();
    let mut read = HashSet::new();
    for stage in procedures.iter().flatten() {
        let Stage::Chain(chain) = stage else {
            shared.extend(stage.values());
            continue;
        };
        let mut written = HashSet::new();
        for step in &chain.steps {
            for input in step.reads() {
                read.insert(input);
                if !written.contains(&input) {
                    shared.insert(input);
                }
            }
            written.extend(step.writes());
        }
    }
    for stage in procedures.iter_mut().flatten() {
        if let Stage::Chain(chain) = stage {
            let is_local = |value: &&Value| read.contains(*value) && !shared.contains(*value);
            chain.locals = chain.written.iter().filter(is_local).copied().collect();
        }
    }
}

impl<A: Arithmetic> Stage<A> {
    /// Values that it touches.
    fn values(&self) -> Vec<Value> {
        match *self {
            Stage::LogMel { samples, mel, .. } => vec![samples, mel],
            Stage::Chain(ref chain) => {
                chain.steps.iter().flat_map(|step| [step.reads(), step.writes()].concat()).collect()
            }
            Stage::Attention { query, key, value, output, .. } | Stage::Grown { query, key, value, output, .. } => {
                vec![query, key, value, output]
            }
            Stage::Remember { key, value, .. } => vec![key, value],
            Stage::Recall { query, output, .. } => vec![query, output],
            Stage::Embedding { output, .. } => vec![output],
            Stage::LastRow { input, output } => vec![input, output],
            Stage::Logits { input, ref part, .. } => vec![input, part.output],
        }
    }
}

impl<A: Arithmetic> Step<A> {
    fn reads(&self) -> Vec<Value> {
        match self {
            Step::Convolution { input, part, .. } => part.reads(*input),
            Step::Add { value, .. } => vec![*value],
            Step::LayerNorm { input, .. } => vec![*input],
            Step::Products { input, parts } => parts.iter().flat_map(|part| part.reads(*input)).collect(),
        }
    }

    fn writes(&self) -> Vec<Value> {
        match self {
            Step::Convolution { part, .. } => vec![part.output],
            Step::Add { value, .. } => vec![*value],
            Step::LayerNorm { output, .. } => vec![*output],
            Step::Products { parts, .. } => parts.iter().map(|part| part.output).collect(),
        }
    }
}

impl<A: Arithmetic> Part<A> {
    fn reads(&self, input: Value) -> Vec<Value> {
        if self.finish.residual { vec![input, self.output] } else { vec![input] }
    }
}

/// The vectors of a vocabulary, and their mean, if that was taken off them.
type Table<W> = (Arc<W>, Option<Arc<[f32]>>);

struct Binder<'a, 'b, A: Arithmetic> {
    program: &'a Program,
    tensors: &'a dyn Tensors,
    store: &'a mut Store<'b>,
    weights: HashMap<String, Arc<A::Weight>>,
    vectors: HashMap<String, Arc<[f32]>>,
    tables: HashMap<String, Table<A::Weight>>,
    heads: Vec<MemoryDeclaration>,
    /// Of the chains that are being bound.
    fine: bool,
}

impl<A: Arithmetic> Binder<'_, '_, A> {
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
                if mask == Mask::Causal || rows.is_kept() {
                    return Ok(Stage::Grown { query, key, value, heads, mask, output });
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
                let coarse = mean.as_ref().map(|mean| {
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
        if let Some(weight) = self.weights.get(name) {
            return Ok(weight.clone());
        }
        let reading = Reading::new(tensor);
        let source = |first: usize, out: &mut [f32]| reading.rows(first, out.len() / inputs, out);
        let weight = Arc::new(A::weight(self.store, name, outputs, inputs, &source));
        reading.end()?;
        self.tensors.release();
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
        let reading = Reading::new(tensor);
        let source = |first: usize, out: &mut [f32]| {
            let mut filters = vec![0.0; out.len()];
            reading.rows(first, out.len() / length, &mut filters);
            for (filter, out) in filters.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
                convolution::reorder(filter, inputs, out);
            }
        };
        let weight = Arc::new(A::weight(self.store, name, outputs, length, &source));
        reading.end()?;
        Ok(weight)
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
        if let Some(index) = tensor.first_not_finite() {
            return Err(DeviceError::NotFinite { name: name.into(), index });
        }
        let numbers: Arc<[f32]> = tensor.to_f32().into();
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
        let mut sum = sums[task].lock().unwrap_or_else(PoisonError::into_inner);
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
