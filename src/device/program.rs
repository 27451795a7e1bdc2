//! What can be asked of a device: values, operations on them, and procedures made of operations.

use std::sync::Arc;

use super::DeviceError;

/// A program: declared values, and procedures that compute some from others.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) values: Vec<Declaration>,
    pub(super) memories: Vec<MemoryDeclaration>,
    pub(super) procedures: Vec<Vec<Operation>>,
}

/// A matrix that a program reads or writes; valid for the program that declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub(super) usize);

/// Keys and values that a session keeps for each lane; valid for the program that declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory(pub(super) usize);

/// A list of operations that runs as a whole; valid for the program that declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Procedure(pub(super) usize);

#[derive(Clone, Copy, Debug)]
pub(super) struct Declaration {
    pub name: &'static str,
    pub rows: Rows,
    pub columns: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryDeclaration {
    pub rows: usize,
    pub columns: usize,
    pub heads: usize,
}

/// How many rows a value has. A run is about one or more extents, whose rows stand one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Always so many, whatever the extents.
    Fixed(usize),
    /// As many as the extents have, at most so many.
    Step(usize),
    /// Twice as many as the extents have, at most so many.
    Twice(usize),
    /// One for each extent, at most so many.
    Each(usize),
    /// Kept from run to run for each lane, at most so many in each: a run writes at row [`Extent::past`] of the extent's
    /// lane and reads everything up to there and what it wrote.
    Grown(usize),
}

impl Program {
    /// Names of the matrices that it multiplies with, each as often as it is used.
    pub(super) fn matrices(&self) -> impl Iterator<Item = &str> {
        self.procedures.iter().flatten().filter_map(|operation| match operation {
            Operation::Convolution { weight, .. }
            | Operation::Linear { weight, .. }
            | Operation::Embedding { weight, .. }
            | Operation::Logits { weight, .. } => Some(weight.as_str()),
            _ => None,
        })
    }
}

impl Rows {
    /// The most rows that the value can have, in each lane if it is kept.
    pub fn limit(self) -> usize {
        match self {
            Rows::Fixed(rows) | Rows::Step(rows) | Rows::Twice(rows) | Rows::Each(rows) | Rows::Grown(rows) => rows,
        }
    }

    /// Whether each lane has rows of its own that stay.
    pub fn is_kept(self) -> bool {
        matches!(self, Rows::Grown(_))
    }

    /// Rows that a run over `extents` writes.
    pub fn count(self, extents: &[Extent]) -> usize {
        let rows = || extents.iter().map(|extent| extent.rows).sum::<usize>();
        match self {
            Rows::Fixed(count) => count,
            Rows::Step(_) | Rows::Grown(_) => rows(),
            Rows::Twice(_) => 2 * rows(),
            Rows::Each(_) => extents.len(),
        }
    }

    /// Fails if the value called `name` cannot hold the rows that a run over `extents` makes of it.
    pub fn expect_fit(self, name: &'static str, extents: &[Extent]) -> Result<(), DeviceError> {
        let limit = self.limit();
        let rows = match self {
            Rows::Grown(_) => extents.iter().map(|extent| extent.past + extent.rows).max().unwrap_or(0),
            rows => rows.count(extents),
        };
        if rows > limit {
            return Err(DeviceError::Extent { name, limit, rows });
        }
        Ok(())
    }
}

/// What is known only when a procedure runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Whose kept rows it is about, below the session's lanes; no two extents of a run have the same.
    pub lane: usize,
    /// Whose memories its rows recall, or write: its own lane's, or those of another that several share.
    pub memory_lane: usize,
    /// Rows of the step.
    pub rows: usize,
    /// Rows that every [`Rows::Grown`] value of the lane already holds.
    pub past: usize,
}

impl Extent {
    /// `rows` rows in a lane that holds `past` rows, over the lane's own memories.
    pub fn new(lane: usize, rows: usize, past: usize) -> Self {
        Self { lane, memory_lane: lane, rows, past }
    }

    /// Panics unless each of `extents` has a lane of its own, of the session's `lanes`.
    pub fn expect_lanes(extents: &[Extent], lanes: usize) {
        for (index, extent) in extents.iter().enumerate() {
            for lane in [extent.lane, extent.memory_lane] {
                assert!(lane < lanes, "lane {lane} of {lanes}");
            }
            assert!(extents[..index].iter().all(|other| other.lane != extent.lane), "a lane takes one step at a time");
        }
    }
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

/// The logarithm of the least power that [`Operation::LogMel`] tells from silence (`log_mel_spectrogram` in openai/whisper
/// `audio.py`).
pub const LOG_MEL_FLOOR: f32 = -10.0;

/// One operation. Weights are named, in the canonical names of [`crate::model::Weights`].
#[derive(Clone, Debug)]
pub enum Operation {
    /// `mel` (frames, bins): frame i is about the samples from i·hop on, as many as a window has. Power spectrum under a Hann
    /// window, `filters` (bins, window/2 + 1), log10, at least [`LOG_MEL_FLOOR`]. A frame does not depend on the others.
    LogMel {
        /// At least ((frames − 1)·hop + window, 1), −1 to 1.
        samples: Value,
        /// Result, of as many rows as the step.
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
    /// Adds rows of the tensor `addend` (at least past + rows, columns) to `value`, to each extent's those from its past on.
    Add {
        /// Changed in place; of as many rows as the step.
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
    /// Replaces what the extent's memory lane of `memory` holds by the step's rows. A run of it has one extent.
    Remember {
        /// (key rows, width).
        key: Value,
        /// (key rows, width).
        value: Value,
        /// What they are kept in.
        memory: Memory,
    },
    /// The same attention over what each row's memory lane of `memory` holds.
    Recall {
        /// (rows, width).
        query: Value,
        /// Written by [`Operation::Remember`].
        memory: Memory,
        /// (rows, width).
        output: Value,
    },
    /// How [`Operation::Recall`] would weigh what each row's memory lane of `memory` holds: softmax(q·kᵀ/√d) of some heads.
    Probabilities {
        /// (rows, width).
        query: Value,
        /// Written by [`Operation::Remember`].
        memory: Memory,
        /// Which heads, in the order of the output.
        heads: Vec<usize>,
        /// (rows, heads · the memory's limit): for each head as many columns as the memory has rows, zero behind the keys that
        /// the lane holds.
        output: Value,
    },
    /// Row `tokens[i]` of the tensor `weight` plus, of the tensor `positions`, the row of its place in its lane.
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
    /// `input` · `weight`ᵀ, `weight` being (output columns, input columns).
    ///
    /// Of the columns before `exact_from` a device may round all but the greatest more coarsely than its other products.
    Logits {
        /// (rows, input columns).
        input: Value,
        /// Tensor name.
        weight: String,
        /// Columns from here on are as exact as any product.
        exact_from: usize,
        /// (rows, output columns).
        output: Value,
    },
    /// The last row of each extent.
    LastRow {
        /// (rows, columns).
        input: Value,
        /// (extents, columns).
        output: Value,
    },
}

impl Program {
    /// Declares a value of `columns` columns; `name` is for messages.
    pub fn value(&mut self, name: &'static str, rows: Rows, columns: usize) -> Value {
        self.values.push(Declaration { name, rows, columns });
        Value(self.values.len() - 1)
    }

    /// Declares a memory of at most `rows` keys and values of `columns` columns in `heads` heads, for each lane.
    pub fn memory(&mut self, rows: usize, columns: usize, heads: usize) -> Memory {
        self.memories.push(MemoryDeclaration { rows, columns, heads });
        Memory(self.memories.len() - 1)
    }

    /// Declares a procedure.
    pub fn procedure(&mut self, operations: Vec<Operation>) -> Procedure {
        self.procedures.push(operations);
        Procedure(self.procedures.len() - 1)
    }
}
