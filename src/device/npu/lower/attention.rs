//! Attention: 32 queries of one head for each row of cores, and all their keys through the column.

use crate::device::npu::design::{DdrBuffer, Dimension, ShimDescriptor};
use crate::device::npu::grid::{Grid, pattern, run};
use crate::device::npu::object::{OBJECT_BYTES, OBJECT_WORDS};
use crate::device::npu::sequencer::{Round, Stream, Task};
use crate::device::npu::target::{Target, WORD_BYTES};

/// Attention of one value's rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Queries; operands of bf16.
    pub query: Grid,
    /// Results; operands of bf16.
    pub output: Grid,
    /// Where results go that nobody wants: a row of objects for each column of the array, two objects long.
    pub waste: Grid,
}

/// What one column of the array computes: 32 queries of one head for each row of cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// First block of 64 rows of queries.
    pub first_block: usize,
    /// Blocks of 64 rows whose results are wanted.
    pub blocks: usize,
    /// The head.
    pub head: usize,
    /// Keys; operands of bf16.
    pub key: Grid,
    /// Values; operands of bf16.
    pub value: Grid,
    /// Blocks of 64 keys, at most 64.
    pub key_blocks: usize,
    /// Its header.
    pub header: (DdrBuffer, u64),
}

/// Rows of a block of operands are two times 32.
const HALVES: usize = 2;
const HALF_BYTES: usize = OBJECT_BYTES / HALVES;
const HALF_WORDS: usize = HALF_BYTES / WORD_BYTES;

impl Attention {
    /// Its rounds; a head's units should follow each other.
    pub fn rounds(&self, target: Target, units: &[Unit]) -> Vec<Round> {
        units.chunks(target.columns).map(|units| self.round(target, units)).collect()
    }

    fn round(&self, target: Target, units: &[Unit]) -> Round {
        let Some(&last) = units.last() else { return Round::default() };
        // Queries go to all cores of a row, so a column without a unit of its own repeats the last one.
        let of = |column: usize| (*units.get(column).unwrap_or(&last), column < units.len());
        let rows = (0..target.core_rows).map(|row| {
            let starts: Vec<u64> = (0..target.columns).map(|column| self.query_at(of(column).0, row)).collect();
            Task { stream: Stream::Row(row), chain: self.queries(&starts), repeat: 1 }
        });
        let columns = (0..target.columns).flat_map(|column| {
            let (unit, is_wanted) = of(column);
            let header = run(unit.header.0, unit.header.1, OBJECT_WORDS);
            let blocks = |grid: Grid| {
                let both = run(grid.buffer, grid.at(0, HALVES * unit.head), HALVES * OBJECT_WORDS);
                both.repeated(unit.key_blocks, grid.row_words() as usize)
            };
            let results = self.results(target, unit, if is_wanted { unit.blocks } else { 0 }, column);
            [
                Task { stream: Stream::Column(column), chain: vec![header], repeat: 1 },
                Task {
                    stream: Stream::Column(column),
                    chain: vec![blocks(unit.key), blocks(unit.value)],
                    repeat: unit.key_blocks,
                },
                Task { stream: Stream::Result(column), chain: results, repeat: 1 },
            ]
        });
        Round { tasks: rows.chain(columns).collect() }
    }

    fn query_at(&self, unit: Unit, row: usize) -> u64 {
        let block = unit.first_block + row / HALVES;
        self.query.at(block, HALVES * unit.head) + (row % HALVES * HALF_BYTES) as u64
    }

    /// Both halves of the head's columns, for one column of the array after the other; as few transfers as their places allow.
    fn queries(&self, starts: &[u64]) -> Vec<ShimDescriptor> {
        let halves = Dimension { wrap: HALVES as u32, step_words: OBJECT_WORDS as u32 };
        let mut chain = Vec::new();
        let mut rest = starts;
        while let Some(&start) = rest.first() {
            let step = rest.get(1).map_or(0, |second| second.wrapping_sub(start));
            let progression = |&(index, at): &(usize, &u64)| *at == start.wrapping_add(step.wrapping_mul(index as u64));
            let is_forward = step > 0 && step < 1 << 22;
            let count = if is_forward { rest.iter().enumerate().take_while(progression).count() } else { 1 };
            let step_words = (step / WORD_BYTES as u64) as u32;
            let each = Dimension { wrap: count as u32, step_words };
            let outer = if count > 1 { vec![each, halves] } else { vec![halves] };
            chain.push(pattern(self.query.buffer, start, &outer, HALF_WORDS));
            rest = &rest[count..];
        }
        chain
    }

    fn results(&self, target: Target, unit: Unit, wanted: usize, column: usize) -> Vec<ShimDescriptor> {
        let halves = Dimension { wrap: HALVES as u32, step_words: OBJECT_WORDS as u32 };
        let rows = Dimension { wrap: HALVES as u32, step_words: HALF_WORDS as u32 };
        let blocks = (0..target.core_rows / HALVES).map(|block| {
            if block >= wanted {
                return run(self.waste.buffer, self.waste.at(column, 0), HALVES * OBJECT_WORDS);
            }
            let offset = self.output.at(unit.first_block + block, HALVES * unit.head);
            pattern(self.output.buffer, offset, &[rows, halves], HALF_WORDS)
        });
        blocks.collect()
    }
}
