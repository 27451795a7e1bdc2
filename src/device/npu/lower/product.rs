//! A product of operands in DDR and weights, in tiles of 64 × 64.
//!
//! A panel is as many blocks of 64 rows as the array has rows of cores, and a turn as many tiles of columns as it has columns.
//! For each panel and turn, each core multiplies its block of rows by its column's strip of weights.

use crate::device::npu::design::{DdrBuffer, Dimension, ShimDescriptor};
use crate::device::npu::grid::{Grid, pattern, run};
use crate::device::npu::object::{Form, OBJECT_BYTES, OBJECT_WORDS};
use crate::device::npu::sequencer::{Round, Stream, Task};
use crate::device::npu::strips::Results;
use crate::device::npu::target::{ITERATION_WRAP, Target};

/// A product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Left operand, blocks of 64 rows.
    pub left: Grid,
    /// Pairs of objects that each core multiplies.
    pub depth: usize,
    /// Whether an object of scales follows the left operand's.
    pub is_int8: bool,
    /// Panels that are computed, from row 0 on.
    pub panels: usize,
    /// Tiles of 64 columns for each column of the array.
    pub turns: usize,
    /// Headers, (columns, turns).
    pub headers: (DdrBuffer, u64),
    /// Weights.
    pub weights: Weights,
    /// What becomes of the sums.
    pub results: Results,
    /// Where they go; tile n is computed in turn n / columns.
    pub output: Grid,
    /// What they are added to in the case of [`Results::Sum`]. Another place: transfers overtake each other.
    pub before: Grid,
}

/// Where a product's weights are.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// From here on, (columns, turns, depth).
    Strips(DdrBuffer, u64),
    /// For each step of the depth from one of these places on, (columns, turns).
    Gathered(DdrBuffer, Vec<u64>),
}

impl Product {
    /// Its rounds.
    pub fn rounds(&self, target: Target) -> Vec<Round> {
        let most = ITERATION_WRAP as usize;
        let turns = (0..self.turns).step_by(most).map(|first| (first, most.min(self.turns - first)));
        let turns: Vec<_> = turns.collect();
        let panels = (0..self.panels).flat_map(|panel| turns.iter().map(move |turns| (panel, *turns)));
        panels.map(|(panel, (first, count))| self.round(target, panel, first, count)).collect()
    }

    /// The round in which the cores put out what they have kept of each row's greatest, an object of each.
    pub fn kept(target: Target, (buffer, header): (DdrBuffer, u64), to: Grid) -> Round {
        let tasks = (0..target.columns).flat_map(|column| {
            let cores = Dimension { wrap: target.core_rows as u32, step_words: to.row_words() };
            let results = pattern(to.buffer, to.at(0, column), &[cores], OBJECT_WORDS);
            [
                Task { stream: Stream::Column(column), chain: vec![run(buffer, header, OBJECT_WORDS)], repeat: 1 },
                Task { stream: Stream::Result(column), chain: vec![results], repeat: 1 },
            ]
        });
        Round { tasks: tasks.collect() }
    }

    fn round(&self, target: Target, panel: usize, first: usize, count: usize) -> Round {
        let block = panel * target.core_rows;
        // Without depth no operand is taken.
        let rows = (0..target.core_rows).filter(|_| self.depth > 0).map(|row| {
            let length = (self.depth + usize::from(self.is_int8)) * OBJECT_WORDS;
            let operand = run(self.left.buffer, self.left.at(block + row, 0), length);
            Task { stream: Stream::Row(row), chain: vec![operand], repeat: count }
        });
        let columns = (0..target.columns).flat_map(|column| {
            let weights = Task {
                stream: Stream::Column(column),
                chain: self.column(target, column, block, first, count),
                repeat: count,
            };
            let results = Task {
                stream: Stream::Result(column),
                chain: self.results(target, column, block, first, count),
                repeat: count,
            };
            [weights, results]
        });
        Round { tasks: rows.chain(columns).collect() }
    }

    /// Header, weights and what is added.
    fn column(&self, target: Target, column: usize, block: usize, first: usize, count: usize) -> Vec<ShimDescriptor> {
        let turn = column * self.turns + first;
        let each = |buffer: DdrBuffer, offset: u64, objects: usize| {
            let offset = offset + (turn * objects * OBJECT_BYTES) as u64;
            run(buffer, offset, objects * OBJECT_WORDS).repeated(count, objects * OBJECT_WORDS)
        };
        let mut chain = vec![each(self.headers.0, self.headers.1, 1)];
        match &self.weights {
            Weights::Strips(buffer, offset) => chain.push(each(*buffer, *offset, self.depth)),
            Weights::Gathered(buffer, offsets) => chain.extend(offsets.iter().map(|offset| each(*buffer, *offset, 1))),
        }
        if self.results == Results::Sum {
            let halves = Dimension { wrap: 2 * target.core_rows as u32, step_words: self.before.row_words() };
            let offset = self.before.at(2 * block, 2 * (first * target.columns + column));
            let added = pattern(self.before.buffer, offset, &[halves], 2 * OBJECT_WORDS);
            chain.push(added.repeated(count, 2 * target.columns * OBJECT_WORDS));
        }
        chain
    }

    /// The cores give an object each in turn: first all the first one, then all the second one.
    fn results(&self, target: Target, column: usize, block: usize, first: usize, count: usize) -> Vec<ShimDescriptor> {
        let (tile, grid) = (first * target.columns + column, self.output);
        let objects = if self.results == Results::Power { 1 } else { 2 };
        let object = |row, column, step_words| {
            let cores = Dimension { wrap: target.core_rows as u32, step_words };
            let step = objects * target.columns * OBJECT_WORDS;
            pattern(grid.buffer, grid.at(row, column), &[cores], OBJECT_WORDS).repeated(count, step)
        };
        match self.results.form() {
            Form::Wide => {
                let quarter = |quarter: usize| (2 * block + quarter / 2, 2 * tile + quarter % 2);
                (0..4).map(quarter).map(|(row, column)| object(row, column, 2 * grid.row_words())).collect()
            }
            Form::Bf16 | Form::Int8 => {
                (0..objects).map(|part| object(block, objects * tile + part, grid.row_words())).collect()
            }
        }
    }
}
