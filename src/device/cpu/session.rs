//! Runs the stages of a plan.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::arithmetic::{Arithmetic, Seen};
use super::coarse::Coarse;
use super::convolution;
use super::plan::{Chain, Part, Plan, Stage, Stages, Step};
use super::simd::TILE_ROWS;
use super::values::{Block, Inputs, LOCAL_ROWS, MOST_PARTS, Values};
use crate::device::program::MemoryDeclaration;
use crate::device::{DeviceError, Extent, Origin, Prepared, Procedure, Rows, Session, Value};
use crate::lock::lock;

/// Up to so many rows a product's columns are divided among the threads, beyond it the rows: the weights are then read once
/// by each thread, and worth it.
const FEW_ROWS: usize = 12;

/// A plan to make sessions of.
pub struct Executable<A: Arithmetic> {
    pub plan: Arc<Plan<A>>,
    pub origin: Origin,
}

impl<A: Arithmetic> Prepared for Executable<A> {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn session(&self, lanes: usize) -> Box<dyn Session> {
        let plan = self.plan.clone();
        let heads = |declaration: &MemoryDeclaration| -> Vec<RwLock<A::Head>> {
            let width = declaration.columns / declaration.heads;
            (0..declaration.heads).map(|_| RwLock::new(A::head(plan.isa, declaration.rows, width))).collect()
        };
        let threads = || 0..plan.team.threads();
        let (scores, spectrum) = (A::Scores::default, A::Spectrum::default);
        let worker =
            || Mutex::new(Worker { left: A::left(), scores: scores(), edge: Vec::new(), spectrum: spectrum() });
        Box::new(CpuSession::<A> {
            values: Values::new(&plan.values, lanes, plan.team.threads()),
            memories: plan.memories.iter().map(|memory| (0..lanes).map(|_| heads(memory)).collect()).collect(),
            heads: plan.heads.iter().map(heads).collect(),
            workers: threads().map(|_| worker()).collect(),
            tokens: Vec::new(),
            offsets: Vec::new(),
            left: A::left(),
            lanes,
            plan,
        })
    }
}

struct CpuSession<A: Arithmetic> {
    plan: Arc<Plan<A>>,
    values: Values,
    /// Heads of each memory's lanes.
    memories: Vec<Vec<Heads<A>>>,
    /// Heads that attention within a procedure packs into.
    heads: Vec<Heads<A>>,
    workers: Vec<Mutex<Worker<A>>>,
    tokens: Vec<u32>,
    /// What is added to the logits of each row.
    offsets: Vec<f32>,
    /// Left matrix that all threads read.
    left: A::Left,
    lanes: usize,
}

/// Locked by the thread that fills a head and shared by those that attend to it.
type Heads<A> = Vec<RwLock<<A as Arithmetic>::Head>>;

/// Scratch of one thread.
struct Worker<A: Arithmetic> {
    left: A::Left,
    scores: A::Scores,
    edge: Vec<f32>,
    spectrum: A::Spectrum,
}

impl<A: Arithmetic> Session for CpuSession<A> {
    fn write(&mut self, value: Value, rows: &[f32]) {
        self.values.whole_mut(value)[..rows.len()].copy_from_slice(rows);
    }

    fn write_tokens(&mut self, value: Value, tokens: &[u32]) {
        assert!(tokens.len() <= self.plan.values[value.0].rows.limit());
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
    }

    fn run(&mut self, procedure: Procedure, extents: &[Extent]) -> Result<(), DeviceError> {
        Extent::expect_lanes(extents, self.lanes);
        let plan = self.plan.clone();
        let Stages { stages, values } = &plan.procedures[procedure.0];
        for value in values.iter().map(|value| &plan.values[value.0]) {
            value.rows.expect_fit(value.name, extents)?;
        }
        self.values.begin(extents);
        stages.iter().try_for_each(|stage| self.stage(&plan, stage, extents))
    }

    fn copy_kept(&mut self, from: usize, to: usize, rows: Range<usize>) {
        self.values.copy_kept(from, to, rows);
    }

    fn read(&self, value: Value) -> &[f32] {
        self.values.whole(value)
    }
}

impl<A: Arithmetic> CpuSession<A> {
    fn stage(&mut self, plan: &Plan<A>, stage: &Stage<A>, extents: &[Extent]) -> Result<(), DeviceError> {
        match *stage {
            Stage::LogMel { samples, mel, ref front } => {
                let (rows, workers) = (plan.values[mel.0].rows.count(extents), &self.workers);
                // In one piece, on the caller's thread: the helpers are left to those who have more to do.
                self.values.by_rows(&plan.team, (&[mel], &[]), rows, rows, &|block, worker| {
                    let samples = block.reader().whole(samples);
                    let scratch = &mut lock(&workers[worker]).spectrum;
                    A::log_mel(plan.isa, front, samples, &mut block.target(mel), scratch);
                });
            }
            Stage::Chain(ref chain) => {
                let rows = chain.rows.count(extents);
                if rows <= FEW_ROWS { self.few_rows(plan, chain, rows) } else { self.many_rows(plan, chain, rows) }
            }
            Stage::Attention { query, key, value, heads, output } => {
                assert!(extents.len() == 1, "attention of all rows to all keys is about one extent");
                let (heads, Extent { lane, rows, past, .. }) = (&self.heads[heads], extents[0]);
                let keys = match plan.values[key.0].rows {
                    Rows::Grown(limit) => lane * limit..lane * limit + past + rows,
                    rows => 0..rows.count(extents),
                };
                fill::<A>(plan, heads, &self.values, (key, value), keys);
                let rows = plan.values[query.0].rows.count(extents);
                let (workers, head_width) = (&self.workers, plan.values[output.0].columns / heads.len());
                self.values.by_cells(&plan.team, &[(output, head_width)], rows, LOCAL_ROWS, &|mut cell, worker| {
                    let head = read(&heads[cell.target.columns.start / head_width]);
                    let scores = &mut lock(&workers[worker]).scores;
                    A::attend(plan.isa, &head, query, cell.reader, &mut cell.target, scores);
                });
            }
            Stage::Recall { query, memory, output } => {
                let lanes = &self.memories[memory.0];
                let rows = plan.values[query.0].rows.count(extents);
                let (workers, head_width) =
                    (&self.workers, plan.values[output.0].columns / plan.memories[memory.0].heads);
                self.values.by_cells(&plan.team, &[(output, head_width)], rows, 1, &|mut cell, worker| {
                    let lane = cell.reader.places()[cell.target.rows.start].memory_lane;
                    let head = read(&lanes[lane][cell.target.columns.start / head_width]);
                    let scores = &mut lock(&workers[worker]).scores;
                    A::attend(plan.isa, &head, query, cell.reader, &mut cell.target, scores);
                });
            }
            Stage::Probabilities { query, memory, heads: ref wanted, output } => {
                let (lanes, memory) = (&self.memories[memory.0], &plan.memories[memory.0]);
                let rows = plan.values[query.0].rows.count(extents);
                let (workers, head_width) = (&self.workers, memory.columns / memory.heads);
                self.values.by_cells(&plan.team, &[(output, memory.rows)], rows, 1, &|mut cell, worker| {
                    let row = cell.target.rows.start;
                    let index = wanted[cell.target.columns.start / memory.rows];
                    let head = read(&lanes[cell.reader.places()[row].memory_lane][index]);
                    let query = &cell.reader.row(query, row)[index * head_width..][..head_width];
                    A::probabilities(plan.isa, &head, query, cell.target.row(row), &mut lock(&workers[worker]).scores);
                });
            }
            Stage::Remember { key, value, memory } => {
                assert!(extents.len() == 1, "a memory is written for one lane at a time");
                let heads = &self.memories[memory.0][extents[0].memory_lane];
                fill::<A>(plan, heads, &self.values, (key, value), 0..plan.values[key.0].rows.count(extents));
            }
            Stage::Grown { query, key, value, heads, output } => {
                let rows = plan.values[query.0].rows.count(extents);
                let (workers, head_width) = (&self.workers, plan.values[output.0].columns / heads);
                let kept = if plan.values[key.0].rows.is_kept() { plan.values[key.0].rows.limit() } else { 0 };
                self.values.by_cells(&plan.team, &[(output, head_width)], rows, 1, &|mut cell, worker| {
                    let row = cell.target.rows.start;
                    let (place, stride) = (cell.reader.places()[row], plan.values[key.0].columns);
                    let columns = cell.target.columns.clone();
                    let begin = place.lane * kept * stride + columns.start;
                    let visible = place.past + place.row + 1;
                    let (keys, values) = (cell.reader.whole(key), cell.reader.whole(value));
                    let seen = Seen { keys: &keys[begin..], values: &values[begin..], stride, visible };
                    let query = &cell.reader.row(query, row)[columns];
                    A::attend_row(plan.isa, query, seen, cell.target.row(row), &mut lock(&workers[worker]).scores);
                });
            }
            Stage::Embedding { ref weight, rows: vocabulary_size, ref positions, output } => {
                if let Some(&token) = self.tokens.iter().find(|&&token| token as usize >= vocabulary_size) {
                    return Err(DeviceError::Token { token, vocabulary_size });
                }
                let (tokens, rows) = (&self.tokens, plan.values[output.0].rows.count(extents));
                self.values.by_rows(&plan.team, (&[output], &[]), rows, rows, &|block, _| {
                    let places = block.reader().places();
                    for row in block.rows.clone() {
                        let mut target = block.target(output);
                        let y = target.row(row);
                        A::row(weight, tokens[row] as usize, y);
                        let position = &positions[(places[row].past + places[row].row) * y.len()..];
                        y.iter_mut().zip(position).for_each(|(y, p)| *y += p);
                    }
                });
            }
            Stage::LastRow { input, output } => {
                let (columns, mut row) = (self.values.columns(input), 0);
                for (index, extent) in extents.iter().enumerate() {
                    row += extent.rows;
                    let (input, output) = self.values.pair(input, output);
                    output[index * columns..][..columns].copy_from_slice(&input[(row - 1) * columns..][..columns]);
                }
            }
            Stage::Logits { input, ref part, ref mean, ref coarse, exact_from } => {
                let rows = plan.values[part.output.0].rows.count(extents);
                A::begin(&mut self.left, rows, self.values.columns(input), true);
                self.offsets.clear();
                for row in 0..rows {
                    let x = self.values.row(input, row);
                    A::set(plan.isa, &mut self.left, row, x);
                    let mean = mean.as_deref().unwrap_or_default();
                    self.offsets.push(x.iter().zip(mean).map(|(x, mean)| x * mean).sum());
                }
                let (left, offsets) = (&self.left, &self.offsets);
                let steps = coarse.as_ref().zip(A::two_steps(&part.weight, left));
                self.values.by_cells(&plan.team, &[(part.output, part.task_columns)], rows, rows, &|mut cell, _| {
                    match steps {
                        Some((coarse, (_, left))) if cell.target.columns.end <= exact_from => {
                            coarse.run(plan.isa, left, &mut cell.target);
                        }
                        _ => A::multiply(plan.isa, &part.weight, &part.finish, left, &mut cell.target),
                    }
                    for (row, offset) in offsets.iter().enumerate().filter(|(_, offset)| **offset != 0.0) {
                        cell.target.row(row).iter_mut().for_each(|logit| *logit += offset);
                    }
                });
                if let Some((_, (weight, left))) = steps {
                    self.values.by_rows(&plan.team, (&[part.output], &[]), rows, 1, &|block, _| {
                        let row = block.rows.start;
                        let mut target = block.target(part.output);
                        Coarse::refine(plan.isa, weight, (left, row), offsets[row], target.row(row), exact_from);
                    });
                }
            }
        }
        Ok(())
    }

    /// Each step in turn, its products divided by columns.
    fn few_rows(&mut self, plan: &Plan<A>, chain: &Chain<A>, rows: usize) {
        for step in &chain.steps {
            let workers = &self.workers;
            let parts =
                encode(plan, (chain, step), 0..rows, rows, &self.values, &mut self.left, &mut lock(&workers[0]).edge);
            let Some(parts) = parts else {
                self.values.by_rows(&plan.team, (&chain.written, &[]), rows, rows, &|block, worker| {
                    row_step(plan, (chain, step), rows, block, &mut lock(&workers[worker]));
                });
                continue;
            };
            let left = &self.left;
            let mut outputs = [(Value(0), 0); MOST_PARTS];
            parts.iter().zip(&mut outputs).for_each(|(part, output)| *output = (part.output, part.task_columns));
            self.values.by_cells(&plan.team, &outputs[..parts.len()], rows, rows, &|mut cell, _| {
                let Part { weight, finish, .. } = &parts[cell.part];
                A::multiply(plan.isa, weight, finish, left, &mut cell.target);
            });
        }
    }

    /// Each thread takes blocks of rows through all steps.
    fn many_rows(&mut self, plan: &Plan<A>, chain: &Chain<A>, rows: usize) {
        let workers = &self.workers;
        let names = (&chain.written[..], &chain.locals[..]);
        self.values.by_rows(&plan.team, names, rows, block_rows(rows, plan.team.threads()), &|block, worker| {
            let worker = &mut *lock(&workers[worker]);
            chain.steps.iter().for_each(|step| row_step(plan, (chain, step), rows, block, worker));
        });
    }
}

/// Rows of a block, so that each of the threads has as many blocks: a few hundred rows in blocks of [`LOCAL_ROWS`] would leave one
/// with a whole block more.
fn block_rows(rows: usize, threads: usize) -> usize {
    let blocks = threads * rows.div_ceil(threads * LOCAL_ROWS);
    rows.div_ceil(blocks.max(1)).next_multiple_of(TILE_ROWS)
}

/// A step for a block of a chain's `rows` rows.
fn row_step<A: Arithmetic>(
    plan: &Plan<A>,
    (chain, step): (&Chain<A>, &Step<A>),
    rows: usize,
    block: &mut Block<'_>,
    worker: &mut Worker<A>,
) {
    let here = block.rows.clone();
    match step {
        Step::Add { value, addend } => {
            let places = block.reader().places();
            let mut target = block.target(*value);
            for row in here {
                let y = target.row(row);
                let addend = &addend[(places[row].past + places[row].row) * y.len()..];
                y.iter_mut().zip(addend).for_each(|(y, a)| *y += a);
            }
        }
        Step::LayerNorm { input, output, weight, bias } => {
            for row in here {
                let (x, y) = block.rows(*input, *output, row);
                A::layer_norm(plan.isa, x, weight, bias, y);
            }
        }
        Step::Products { .. } | Step::Convolution { .. } => {
            let Worker { left, edge, .. } = worker;
            for part in encode(plan, (chain, step), here, rows, block, left, edge).unwrap_or_default() {
                A::multiply(plan.isa, &part.weight, &part.finish, left, &mut block.target(part.output));
            }
        }
    }
}

/// Encodes what the products of a step read of the rows `here`, of a chain's `rows`; gives the products, if it has any.
fn encode<'a, A: Arithmetic>(
    plan: &Plan<A>,
    (chain, step): (&Chain<A>, &'a Step<A>),
    here: Range<usize>,
    rows: usize,
    inputs: &impl Inputs,
    left: &mut A::Left,
    edge: &mut Vec<f32>,
) -> Option<&'a [Part<A>]> {
    match step {
        Step::Products { input, parts } => {
            A::begin(left, here.len(), plan.values[input.0].columns, chain.fine);
            for (index, row) in here.enumerate() {
                A::set(plan.isa, left, index, inputs.row(*input, row));
            }
            Some(parts)
        }
        Step::Convolution { input, stride, part } => {
            let columns = plan.values[input.0].columns;
            A::begin(left, here.len(), columns * convolution::WIDTH, chain.fine);
            for (index, row) in here.enumerate() {
                let x = convolution::neighbours(inputs.whole(*input), columns, rows * stride, row, *stride, edge);
                A::set(plan.isa, left, index, x);
            }
            Some(std::slice::from_ref(part))
        }
        Step::Add { .. } | Step::LayerNorm { .. } => None,
    }
}

/// Packs keys and values, a head a task.
fn fill<A: Arithmetic>(
    plan: &Plan<A>,
    heads: &Heads<A>,
    values: &Values,
    (key, value): (Value, Value),
    rows: Range<usize>,
) {
    let columns = values.columns(key);
    let (keys, values, width) = (values.whole(key), values.whole(value), columns / heads.len());
    plan.team.run(heads.len(), &|head, _| {
        let first = rows.start * columns + head * width;
        let mut head = heads[head].write().unwrap_or_else(PoisonError::into_inner);
        A::fill(&mut head, &keys[first..], &values[first..], columns, rows.len());
    });
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_as_many_blocks_and_blocks_fit() {
        assert_eq!([1, 13, 330, 1500].map(|rows| block_rows(rows, 2)), [6, 12, 42, 48]);
        for (rows, threads) in (1..1600).flat_map(|rows| (1..9).map(move |threads| (rows, threads))) {
            let block = block_rows(rows, threads);
            assert!(block <= LOCAL_ROWS && block.is_multiple_of(TILE_ROWS), "{rows} rows, {threads} threads");
            let longest = rows.div_ceil(block).div_ceil(threads) * block;
            assert!(longest < rows.div_ceil(threads) + rows.div_ceil(block).div_ceil(threads) * TILE_ROWS);
        }
    }
}
