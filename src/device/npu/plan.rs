//! A program prepared for the array: each value's forms, each operation's packed weights and headers.
//!
//! `planner.rs` makes it.

use std::collections::BTreeSet;

use super::columns::Columns;
use super::object::{BLOCK_ROWS, Form};
use super::strips::{Results, Tiles};
use super::target::Target;
use crate::device::{Mask, Memory, Rows, Value};

/// A prepared program.
pub struct Plan {
    pub target: Target,
    pub values: Vec<ValuePlan>,
    pub memories: Vec<MemoryPlan>,
    pub procedures: Vec<Steps>,
    /// What does not change: weights of products.
    pub weights: Vec<u8>,
    /// What is written anew where a run needs it: headers, and the weights that stand behind some.
    pub headers: Vec<u8>,
}

/// What the array keeps of a value.
pub struct ValuePlan {
    pub name: &'static str,
    pub rows: Rows,
    pub columns: Columns,
    /// Forms that some operation reads or writes.
    pub forms: BTreeSet<Form>,
    /// Whether products are added to it.
    pub is_summed: bool,
}

/// What each lane keeps of a memory: keys and values, as operands of bf16.
pub struct MemoryPlan {
    pub rows: usize,
    pub columns: Columns,
    pub heads: usize,
}

/// A procedure.
pub struct Steps {
    pub steps: Vec<Step>,
    /// Values that are written after the procedure's operations have read them for the last time.
    pub outputs: Vec<Value>,
    /// Values that its operations touch.
    pub values: BTreeSet<usize>,
}

/// An operation.
pub enum Step {
    /// On the array.
    Product(ProductPlan),
    /// On the array: rows of `input` in one form become rows of `output` in another.
    Normalise(NormalisePlan),
    /// On the array.
    Attention(AttentionPlan),
    /// On the array.
    Embedding(EmbeddingPlan),
    /// On the host: logits of all columns from those in bf16, each row's greatest among these as it is, and the exact ones.
    Logits { rounded: Value, exact: Value, output: Value },
    /// On the host.
    LastRow { input: Value, output: Value },
    /// On the host.
    Add { value: Value, addend: Table },
    /// On the host.
    Remember { key: Value, value: Value, memory: Memory },
}

/// Rows that the host adds.
pub struct Table {
    pub rows: Vec<f32>,
    pub columns: usize,
}

/// Where a product's left operand is from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Left {
    /// The value itself, in this form.
    Value(Value, Form),
    /// Three rows around every `stride`-th row of a value, side by side.
    Gathered { value: Value, stride: usize },
    /// Windows of samples, a hop apart, in parts that bf16 holds.
    Frames { samples: Value, window_samples: usize, hop_samples: usize },
}

/// A product with packed weights.
pub struct ProductPlan {
    pub left: Left,
    pub depth: usize,
    pub output: Value,
    pub results: Results,
    /// What is added instead of what `output` holds.
    pub addend: Option<Table>,
    pub parts: Vec<ProductPart>,
    /// Where the header is, in the plan's, that has the cores put out the greatest that they have kept.
    pub kept_header: Option<usize>,
}

/// As many tiles of a product as one part of its result has.
pub struct ProductPart {
    pub tiles: Tiles,
    /// Where its headers are in the plan's.
    pub headers: usize,
    /// Where its weights are in the plan's.
    pub weights: usize,
}

/// Rows of a table, as a product: a row of the left operand is 1 where its token is, and 0 elsewhere. Only the blocks of 32 rows of the
/// table in which some token is are multiplied with. The positions are what the products are added to.
pub struct EmbeddingPlan {
    pub vocabulary_size: usize,
    pub positions: Table,
    pub output: Value,
    pub tiles: Tiles,
    /// Where its headers are in the plan's: for each depth from 0 to [`TOKENS_AT_A_TIME`], (columns, turns).
    pub headers: usize,
    /// Where the table is in the plan's weights: (blocks, columns, turns) objects.
    pub weights: usize,
}

/// Tokens of a panel of rows whose embeddings one product looks up: a shim tile has no more descriptors.
pub const TOKENS_AT_A_TIME: usize = 8;

/// Normalisation.
pub struct NormalisePlan {
    pub input: Value,
    pub output: Value,
    pub form: Form,
    /// Where the header is in the plan's, with weight and bias behind it.
    pub header: usize,
    pub weight_objects: usize,
}

/// Attention.
pub struct AttentionPlan {
    pub query: Value,
    pub output: Value,
    pub keys: Keys,
    pub heads: usize,
    /// Width of a head.
    pub width: usize,
    pub mask: Mask,
}

/// Where attention finds its keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keys {
    /// Two values.
    Values { key: Value, value: Value },
    /// The lane's part of a memory.
    Memory(Memory),
}

impl Plan {
    /// What the array keeps of a value.
    pub fn value(&self, value: Value) -> &ValuePlan {
        &self.values[value.0]
    }
}

/// Blocks of 64 rows that this many rows of `lanes` lanes take, each lane beginning a block.
pub fn blocks(rows: Rows, lanes: usize, target: Target) -> usize {
    let limit = rows.limit();
    let blocks = match rows {
        Rows::Step(_) | Rows::Twice(_) => limit.div_ceil(BLOCK_ROWS) + lanes - 1,
        Rows::Fixed(_) | Rows::Each(_) | Rows::Grown(_) => limit.div_ceil(BLOCK_ROWS),
    };
    blocks.max(1).next_multiple_of(target.core_rows)
}
