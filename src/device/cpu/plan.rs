//! A program with its weights, in the stages in which it runs.

use std::collections::HashSet;
use std::sync::Arc;

use super::arithmetic::{Arithmetic, Finish};
use super::binder::Binder;
use super::coarse::Coarse;
use super::simd::Isa;
use super::store::Store;
use super::values::MOST_PARTS;
use crate::device::program::{Declaration, MemoryDeclaration};
use crate::device::team::Team;
use crate::device::{DeviceError, Memory, Program, Rows, Tensors, Value};

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
    /// Keys and values are read as they are, by each row those up to its own.
    Grown {
        query: Value,
        key: Value,
        value: Value,
        heads: usize,
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
    /// How the heads with these indexes weigh what the memory holds.
    Probabilities {
        query: Value,
        memory: Memory,
        heads: Vec<usize>,
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

impl<A: Arithmetic> Plan<A> {
    /// Reads every weight that `program` names, matrices only if the store does not have them.
    pub fn new(program: &Program, tensors: &dyn Tensors, store: &mut Store<'_>) -> Result<Self, DeviceError> {
        let (isa, team) = (store.isa, store.team.clone());
        let mut binder = Binder::new(program, tensors, store);
        let mut procedures = Vec::new();
        for operations in &program.procedures {
            let mut stages = Vec::new();
            for stage in binder.stages(operations)? {
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
            Stage::Recall { query, output, .. } | Stage::Probabilities { query, output, .. } => vec![query, output],
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

    /// Values that it writes.
    pub fn writes(&self) -> Vec<Value> {
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
