//! What can be asked of a device: values, operations on them, and procedures made of operations.

use std::sync::Arc;

/// A program: declared values, and procedures that compute some from others.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) values: Vec<Declaration>,
    pub(super) procedures: Vec<Vec<Operation>>,
}

/// A matrix that a program reads or writes; valid for the program that declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub(super) usize);

/// A list of operations that runs as a whole; valid for the program that declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Procedure(pub(super) usize);

#[derive(Clone, Copy, Debug)]
pub(super) struct Declaration {
    pub name: &'static str,
    pub rows: Rows,
    pub columns: usize,
}

/// How many rows a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Always so many.
    Fixed(usize),
    /// As many as the run's [`Extent::rows`], at most so many.
    Step(usize),
    /// Kept from run to run, at most so many: a run writes at row [`Extent::past`] and reads everything up to there and
    /// what it wrote.
    Grown(usize),
}

impl Rows {
    /// The most rows that the value can have.
    pub fn limit(self) -> usize {
        match self {
            Rows::Fixed(rows) | Rows::Step(rows) | Rows::Grown(rows) => rows,
        }
    }
}

/// What is known only when a procedure runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Rows of the step: of every [`Rows::Step`] value, and those added to a [`Rows::Grown`] one.
    pub rows: usize,
    /// Rows that every [`Rows::Grown`] value already holds.
    pub past: usize,
}

/// What is applied to the result of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// The exact Gaussian error linear unit, x·Φ(x).
    Gelu,
}

/// Which keys a query may attend to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    None,
    /// Those up to the query's own position.
    Causal,
}

/// One operation. Weights are named, in the canonical names of [`crate::model::Weights`].
#[derive(Clone, Debug)]
pub enum Operation {
    /// `mel` (frames, bins) of `samples` (frames·hop, 1): power spectra of Hann windows centred on each hop (reflected at
    /// both ends), `filters` (bins, window/2 + 1), log10, clamped to 8 below the maximum, (x + 4) / 4.
    LogMel {
        /// Samples, −1 to 1.
        samples: Value,
        /// Result.
        mel: Value,
        /// Filter bank, row-major.
        filters: Arc<[f32]>,
        /// Window and transform length in samples.
        window_samples: usize,
        /// Step between frames in samples.
        hop_samples: usize,
    },
    /// One-dimensional convolution of width 3 with zero padding 1: `weight` (output columns, input columns, 3), `bias`.
    Convolution {
        /// (rows, input columns).
        input: Value,
        /// Tensor name.
        weight: String,
        /// Tensor name.
        bias: String,
        /// Input rows per output row.
        stride: usize,
        /// Applied to the biased sum.
        activation: Activation,
        /// (rows / stride, output columns).
        output: Value,
    },
    /// Adds the tensor `addend` (rows, columns) to `value`.
    Add {
        /// Changed in place.
        value: Value,
        /// Tensor name.
        addend: String,
    },
    /// Layer normalisation of each row, epsilon 1e-5.
    LayerNorm {
        /// (rows, columns).
        input: Value,
        /// Tensor name (columns).
        weight: String,
        /// Tensor name (columns).
        bias: String,
        /// (rows, columns).
        output: Value,
    },
    /// `input` · `weight`ᵀ + `bias`; `weight` is (output columns, input columns).
    Linear {
        /// (rows, input columns).
        input: Value,
        /// Tensor name.
        weight: String,
        /// Tensor name.
        bias: Option<String>,
        /// Applied to the biased product.
        activation: Activation,
        /// Whether the result is added to what `output` holds.
        residual: bool,
        /// (rows, output columns).
        output: Value,
    },
    /// Scaled dot-product attention, softmax(q·kᵀ/√d)·v for each head.
    Attention {
        /// (rows, width).
        query: Value,
        /// (key rows, width).
        key: Value,
        /// (key rows, width).
        value: Value,
        /// Heads that the width is divided into.
        heads: usize,
        /// Keys that a query may see.
        mask: Mask,
        /// (rows, width).
        output: Value,
    },
    /// Row `tokens[i]` of the tensor `weight` plus row past + i of the tensor `positions`.
    Embedding {
        /// Written by [`super::Session::write_tokens`].
        tokens: Value,
        /// Tensor name (vocabulary, width).
        weight: String,
        /// Tensor name (positions, width).
        positions: String,
        /// (rows, width).
        output: Value,
    },
    /// The step's last row.
    LastRow {
        /// (rows, columns).
        input: Value,
        /// (1, columns).
        output: Value,
    },
}

impl Program {
    /// Declares a value of `columns` columns; `name` is for messages.
    pub fn value(&mut self, name: &'static str, rows: Rows, columns: usize) -> Value {
        self.values.push(Declaration { name, rows, columns });
        Value(self.values.len() - 1)
    }

    /// Declares a procedure.
    pub fn procedure(&mut self, operations: Vec<Operation>) -> Procedure {
        self.procedures.push(operations);
        Procedure(self.procedures.len() - 1)
    }
}
