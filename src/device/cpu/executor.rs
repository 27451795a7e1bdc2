//! Binds a program's operations to the kernels: weights at prepare, buffers per session.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::ThreadPool;

use super::attention::{self, Memory};
use super::convolution::{self, Convolution};
use super::layer_norm::layer_norm;
use super::linear::Linear;
use super::log_mel::{self, LogMel};
use crate::device::program::Declaration;
use crate::device::{
    Activation, DeviceError, Extent, Mask, Operation, Prepared, Procedure, Program, Rows, Session, Tensors, Value,
};

/// A program whose weights are in memory.
pub struct Executable {
    inner: Arc<Inner>,
}

struct Inner {
    values: Vec<Declaration>,
    procedures: Vec<Vec<Step>>,
    threads: Arc<ThreadPool>,
    scratch: usize,
}

/// An operation with its weights.
enum Step {
    LogMel { samples: Value, mel: Value, front: Box<LogMel>, scratch: usize },
    Convolution { input: Value, output: Value, layer: Convolution },
    Add { value: Value, addend: Arc<[f32]> },
    LayerNorm { input: Value, output: Value, weight: Arc<[f32]>, bias: Arc<[f32]> },
    Linear { input: Value, output: Value, layer: Linear },
    Attention { query: Value, key: Value, value: Value, output: Value, heads: usize, mask: Mask },
    Embedding { output: Value, weight: Arc<[f32]>, positions: Arc<[f32]> },
    LastRow { input: Value, output: Value },
}

impl Executable {
    /// Reads every weight that `program` names once, as f32.
    pub fn new(program: &Program, tensors: &dyn Tensors, threads: Arc<ThreadPool>) -> Result<Self, DeviceError> {
        let mut binder = Binder { program, tensors, loaded: HashMap::new(), scratch: 0, fronts: 0 };
        let mut procedures = Vec::new();
        for operations in &program.procedures {
            procedures.push(operations.iter().map(|operation| binder.bind(operation)).collect::<Result<_, _>>()?);
        }
        let scratch = binder.scratch;
        Ok(Self { inner: Arc::new(Inner { values: program.values.clone(), procedures, threads, scratch }) })
    }
}

impl Prepared for Executable {
    fn session(&self) -> Box<dyn Session> {
        let inner = self.inner.clone();
        let buffers = inner.values.iter().map(|value| vec![0.0; value.rows.limit() * value.columns]).collect();
        let mut fronts = Vec::new();
        for step in inner.procedures.iter().flatten() {
            if let Step::LogMel { mel, front, .. } = step {
                fronts.push(front.scratch(inner.values[mel.0].rows.limit()));
            }
        }
        let scratch = vec![0.0; inner.scratch];
        Box::new(CpuSession { tokens: Vec::new(), buffers, scratch, fronts, inner })
    }
}

struct Binder<'a> {
    program: &'a Program,
    tensors: &'a dyn Tensors,
    loaded: HashMap<String, Arc<[f32]>>,
    scratch: usize,
    fronts: usize,
}

impl Binder<'_> {
    fn bind(&mut self, operation: &Operation) -> Result<Step, DeviceError> {
        Ok(match operation {
            Operation::LogMel { samples, mel, filters, window_samples, hop_samples } => {
                self.fronts += 1;
                let front = Box::new(LogMel::new(filters, *window_samples, *hop_samples));
                Step::LogMel { samples: *samples, mel: *mel, front, scratch: self.fronts - 1 }
            }
            Operation::Convolution { input, weight, bias, stride, activation, output } => {
                let (inputs, outputs) = (self.columns(*input), self.columns(*output));
                let weight = self.load(weight, &[outputs, inputs, convolution::WIDTH])?;
                let weight = Convolution::reorder(&weight, inputs);
                self.reserve(Convolution::scratch(self.limit(*input), inputs));
                let layer = Convolution {
                    weight,
                    bias: self.load(bias, &[outputs])?,
                    stride: *stride,
                    activation: *activation,
                };
                Step::Convolution { input: *input, output: *output, layer }
            }
            Operation::Add { value, addend } => {
                let addend = self.load(addend, &[self.limit(*value), self.columns(*value)])?;
                Step::Add { value: *value, addend }
            }
            Operation::LayerNorm { input, weight, bias, output } => {
                let columns = [self.columns(*input)];
                let (weight, bias) = (self.load(weight, &columns)?, self.load(bias, &columns)?);
                Step::LayerNorm { input: *input, output: *output, weight, bias }
            }
            Operation::Linear { input, weight, bias, activation, residual, output } => {
                assert!(!residual || *activation == Activation::None, "a residual is added to a plain product");
                let (inputs, outputs) = (self.columns(*input), self.columns(*output));
                let weight = self.load(weight, &[outputs, inputs])?;
                let bias = bias.as_ref().map(|bias| self.load(bias, &[outputs])).transpose()?;
                let layer = Linear { weight, bias, activation: *activation, residual: *residual };
                Step::Linear { input: *input, output: *output, layer }
            }
            &Operation::Attention { query, key, value, heads, mask, output } => {
                self.reserve(attention::scratch(self.limit(query), self.limit(key), heads));
                Step::Attention { query, key, value, output, heads, mask }
            }
            Operation::Embedding { tokens: _, weight, positions, output } => {
                let width = self.columns(*output);
                let weight = self.load_rows(weight, width)?;
                let positions = self.load_rows(positions, width)?;
                Step::Embedding { output: *output, weight, positions }
            }
            &Operation::LastRow { input, output } => Step::LastRow { input, output },
        })
    }

    fn columns(&self, value: Value) -> usize {
        self.program.values[value.0].columns
    }

    fn limit(&self, value: Value) -> usize {
        self.program.values[value.0].rows.limit()
    }

    fn reserve(&mut self, scratch: usize) {
        self.scratch = self.scratch.max(scratch);
    }

    /// A tensor with as many rows as it has, of `width` columns.
    fn load_rows(&mut self, name: &str, width: usize) -> Result<Arc<[f32]>, DeviceError> {
        let rows = self.tensors.tensor(name)?.shape.first().copied().unwrap_or(0);
        self.load(name, &[rows, width])
    }

    fn load(&mut self, name: &str, shape: &[usize]) -> Result<Arc<[f32]>, DeviceError> {
        let tensor = self.tensors.tensor(name)?;
        tensor.expect_shape(shape)?;
        if let Some(loaded) = self.loaded.get(name) {
            return Ok(loaded.clone());
        }
        let loaded: Arc<[f32]> = tensor.to_f32().into();
        self.loaded.insert(name.into(), loaded.clone());
        Ok(loaded)
    }
}

struct CpuSession {
    inner: Arc<Inner>,
    buffers: Vec<Vec<f32>>,
    tokens: Vec<u32>,
    scratch: Vec<f32>,
    fronts: Vec<log_mel::Scratch>,
}

impl Session for CpuSession {
    fn write(&mut self, value: Value, rows: &[f32]) {
        self.buffers[value.0][..rows.len()].copy_from_slice(rows);
    }

    fn write_tokens(&mut self, value: Value, tokens: &[u32]) {
        assert!(tokens.len() <= self.inner.values[value.0].rows.limit());
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
    }

    fn run(&mut self, procedure: Procedure, extent: Extent) -> Result<(), DeviceError> {
        let inner = self.inner.clone();
        for value in &inner.values {
            let rows = value.used(extent).end;
            if rows > value.rows.limit() {
                return Err(DeviceError::Extent { name: value.name, limit: value.rows.limit(), rows });
            }
        }
        inner.threads.install(|| inner.procedures[procedure.0].iter().try_for_each(|step| self.step(step, extent)))
    }

    fn read(&self, value: Value) -> &[f32] {
        &self.buffers[value.0]
    }
}

impl Declaration {
    /// Rows that a run with `extent` writes; it may read from row 0 up to their end.
    fn used(&self, extent: Extent) -> std::ops::Range<usize> {
        match self.rows {
            Rows::Fixed(rows) => 0..rows,
            Rows::Step(_) => 0..extent.rows,
            Rows::Grown(_) => extent.past..extent.past + extent.rows,
        }
    }
}

impl CpuSession {
    fn step(&mut self, step: &Step, extent: Extent) -> Result<(), DeviceError> {
        match step {
            Step::LogMel { samples, mel, front, scratch } => {
                let mut output = std::mem::take(&mut self.buffers[mel.0]);
                front.run(&self.buffers[samples.0], &mut output, &mut self.fronts[*scratch]);
                self.buffers[mel.0] = output;
            }
            Step::Convolution { input, output, layer } => {
                self.produce(*output, extent, |session, rows, outputs, scratch| {
                    layer.run(session.rows(*input, extent), session.columns(*input), rows, outputs, scratch);
                });
            }
            Step::Add { value, addend } => {
                let used = self.inner.values[value.0].used(extent);
                let columns = self.columns(*value);
                let rows = &mut self.buffers[value.0][used.start * columns..used.end * columns];
                rows.iter_mut().zip(addend.iter()).for_each(|(x, a)| *x += a);
            }
            Step::LayerNorm { input, output, weight, bias } => {
                self.produce(*output, extent, |session, rows, _, _| {
                    layer_norm(session.rows(*input, extent), weight, bias, rows);
                });
            }
            Step::Linear { input, output, layer } => {
                self.produce(*output, extent, |session, rows, outputs, _| {
                    layer.run(session.rows(*input, extent), session.columns(*input), rows, outputs);
                });
            }
            Step::Attention { query, key, value, output, heads, mask } => {
                self.produce(*output, extent, |session, rows, width, scratch| {
                    let (key, value) = (session.rows(*key, extent), session.rows(*value, extent));
                    let memory = Memory { key, value, width, heads: *heads, mask: *mask, past: extent.past };
                    memory.attend(session.rows(*query, extent), rows, scratch);
                });
            }
            Step::Embedding { output, weight, positions } => {
                let width = self.columns(*output);
                let vocabulary_size = weight.len() / width;
                if let Some(&token) = self.tokens.iter().find(|&&token| token as usize >= vocabulary_size) {
                    return Err(DeviceError::Token { token, vocabulary_size });
                }
                self.produce(*output, extent, |session, rows, width, _| {
                    let positions = positions.chunks_exact(width).skip(extent.past);
                    for ((row, &token), position) in rows.chunks_exact_mut(width).zip(&session.tokens).zip(positions) {
                        let embedding = &weight[token as usize * width..][..width];
                        row.iter_mut().zip(embedding).zip(position).for_each(|((y, e), p)| *y = e + p);
                    }
                });
            }
            Step::LastRow { input, output } => {
                self.produce(*output, extent, |session, rows, columns, _| {
                    let input = session.rows(*input, extent);
                    rows.copy_from_slice(&input[input.len() - columns..]);
                });
            }
        }
        Ok(())
    }

    /// Lets `compute` write the rows of `output` that this run covers while it reads other values.
    fn produce(&mut self, output: Value, extent: Extent, compute: impl FnOnce(&Self, &mut [f32], usize, &mut [f32])) {
        let columns = self.columns(output);
        let used = self.inner.values[output.0].used(extent);
        let mut buffer = std::mem::take(&mut self.buffers[output.0]);
        let mut scratch = std::mem::take(&mut self.scratch);
        compute(self, &mut buffer[used.start * columns..used.end * columns], columns, &mut scratch);
        self.buffers[output.0] = buffer;
        self.scratch = scratch;
    }

    /// The rows of `value` that a run may read.
    fn rows(&self, value: Value, extent: Extent) -> &[f32] {
        &self.buffers[value.0][..self.inner.values[value.0].used(extent).end * self.columns(value)]
    }

    fn columns(&self, value: Value) -> usize {
        self.inner.values[value.0].columns
    }
}
