//! One user's buffers of a prepared program.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::arena::Arena;
use super::array::{Array, Executable};
use super::columns::Columns;
use super::design::Sequence;
use super::emulator::DdrMemory;
use super::grid::Grid;
use super::held::{Held, Lane};
use super::made::Made;
use super::mel;
use super::object::{Form, OBJECT_BYTES};
use super::plan::{EmbeddingPlan, Left, ProductPlan, Step, TOKENS_AT_A_TIME, blocks};
use super::run::Run;
use super::sequencer::Sequencer;
use super::storage::Storage;
use crate::device::{DeviceError, Extent, Procedure, Rows, Session, Value};
use crate::lock::lock;

/// Headers that a run can make between two launches.
pub const MADE_HEADERS: usize = 256;

/// A session on the array.
pub struct NpuSession {
    executable: Arc<Executable>,
    pub held: Vec<Held>,
    pub memories: Vec<Vec<Lane>>,
    pub gathered: HashMap<(usize, usize), Storage>,
    pub waste: Grid,
    /// An object of each core: the greatest of its rows.
    pub kept: Grid,
    pub headers: DdrMemory,
    pub arena: DdrMemory,
    pub tokens: Vec<u32>,
    /// Headers that were made for the commands at hand.
    pub made: HashMap<Made, usize>,
    lanes: usize,
}

impl NpuSession {
    /// Allocates the buffers.
    pub fn new(executable: Arc<Executable>, lanes: usize) -> Self {
        let plan = &executable.plan;
        let mut arena = Arena { plan, bytes: 0 };
        let held = plan.values.iter().map(|value| arena.held(value, lanes)).collect();
        let lane = |memory: &super::plan::MemoryPlan, arena: &mut Arena<'_>| {
            let rows = blocks(Rows::Fixed(memory.rows), 1, plan.target);
            let mut storage = || arena.storage(Form::Bf16, memory.columns, rows);
            Lane { key: storage(), value: storage(), rows: 0 }
        };
        let memories =
            plan.memories.iter().map(|memory| (0..lanes).map(|_| lane(memory, &mut arena)).collect()).collect();
        let mut gathered = HashMap::new();
        for (procedure, steps) in plan.procedures.iter().enumerate() {
            for (index, step) in steps.steps.iter().enumerate() {
                let (columns, output) = match step {
                    Step::Product(ProductPlan { left, output, .. }) => match *left {
                        Left::Value(..) => (None, output),
                        Left::Gathered { value, .. } => {
                            (Some(Columns::plain(3 * plan.value(value).columns.logical)), output)
                        }
                        Left::Frames { window_samples, .. } => (Some(mel::split(window_samples)), output),
                    },
                    Step::Embedding(EmbeddingPlan { output, .. }) => {
                        (Some(Columns::plain(TOKENS_AT_A_TIME * Form::Bf16.columns())), output)
                    }
                    _ => continue,
                };
                if let Some(columns) = columns {
                    let rows = blocks(plan.value(*output).rows, lanes, plan.target);
                    gathered.insert((procedure, index), arena.storage(Form::Bf16, columns, rows));
                }
            }
        }
        let waste = arena.grid(plan.target.columns, 2);
        let kept = arena.grid(plan.target.core_rows, plan.target.columns);
        let arena = DdrMemory::from_bytes(vec![0; arena.bytes as usize]);
        let mut headers = plan.headers.clone();
        headers.resize(headers.len() + MADE_HEADERS * OBJECT_BYTES, 0);
        Self {
            held,
            memories,
            gathered,
            waste,
            kept,
            headers: DdrMemory::from_bytes(headers),
            arena,
            tokens: Vec::new(),
            made: HashMap::new(),
            lanes,
            executable,
        }
    }
}

impl Session for NpuSession {
    fn write(&mut self, value: Value, rows: &[f32]) {
        let held = &mut self.held[value.0];
        held.host[..rows.len()].copy_from_slice(rows);
        held.set_host();
        if let Some(kept) = held.kept.first() {
            let memory = self.arena.all_mut();
            for (row, values) in rows.chunks(held.columns.logical).enumerate() {
                kept.write(memory, row, values);
            }
        }
    }

    fn write_tokens(&mut self, _: Value, tokens: &[u32]) {
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
    }

    fn run(&mut self, procedure: Procedure, extents: &[Extent]) -> Result<(), DeviceError> {
        Extent::expect_lanes(extents, self.lanes);
        let executable = self.executable.clone();
        let steps = &executable.plan.procedures[procedure.0];
        for value in &steps.values {
            let value = &executable.plan.values[*value];
            value.rows.expect_fit(value.name, extents)?;
        }
        let mut run = Run {
            plan: &executable.plan,
            sequencer: Sequencer::new(executable.plan.target),
            traced: None,
            has_run: false,
            extents,
            session: self,
        };
        for (index, step) in steps.steps.iter().enumerate() {
            run.step((procedure.0, index), step)?;
        }
        run.flush()?;
        steps.outputs.iter().try_for_each(|output| run.fetch(*output))
    }

    fn copy_kept(&mut self, from: usize, to: usize, rows: Range<usize>) {
        let memory = self.arena.all_mut();
        for held in self.held.iter().filter(|held| held.rows.is_kept()) {
            assert!(rows.end <= held.rows.limit(), "{rows:?} of {:?}", held.rows);
            rows.clone().for_each(|row| held.kept[from].copy_row(memory, row, &held.kept[to], row));
        }
    }

    fn read(&self, value: Value) -> &[f32] {
        &self.held[value.0].host
    }
}

impl NpuSession {
    pub fn array(&self) -> &Array {
        &self.executable.array
    }

    /// Runs commands; headers that were made for them are no longer needed then.
    pub fn execute(&mut self, sequence: &Sequence, name: Option<String>) -> Result<(), DeviceError> {
        let headers = std::mem::replace(&mut self.headers, DdrMemory::new(0));
        let arena = std::mem::replace(&mut self.arena, DdrMemory::new(0));
        let mut weights = lock(&self.executable.weights);
        let mut ddr = [std::mem::replace(&mut *weights, DdrMemory::new(0)), headers, arena];
        let result = self.executable.array.run(sequence, name, &mut ddr);
        [*weights, self.headers, self.arena] = ddr;
        self.made.clear();
        result
    }
}
