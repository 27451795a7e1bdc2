//! Runs the operations of a procedure: on the host what only moves rows, and on the array, many at a time, the rest.

use super::arena::{HEADERS, WEIGHTS};
use super::format::Element;
use super::grid::Grid;
use super::held::Held;
use super::layout::BLOCK_ROWS as GROUP_ROWS;
use super::lower::{Attention, Product, RowOperation, Unit, Weights};
use super::made::Made;
use super::mel;
use super::object::{BLOCK_ROWS, Form, KEY_BLOCK, OBJECT_BYTES, WIDE_ONE};
use super::placement::{Placement, Span};
use super::plan::{
    AttentionPlan, EmbeddingPlan, Keys, Left, NormalisePlan, Plan, ProductPlan, Step, TOKENS_AT_A_TIME, Table,
};
use super::program::word;
use super::rows::Rows as Kept;
use super::sequencer::{Round, Sequencer};
use super::session::{MADE_HEADERS, NpuSession};
use super::storage::Storage;
use super::strips::Results;
use crate::device::{DeviceError, Extent, Mask, Value};

/// A procedure being run.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub sequencer: Sequencer,
    /// The operation at hand, if each runs by itself.
    pub traced: Option<String>,
    /// Whether some ran by themselves since the last launch.
    pub has_run: bool,
    pub extents: &'a [Extent],
    pub session: &'a mut NpuSession,
}

impl Run<'_> {
    /// Runs an operation, or gathers its commands.
    pub fn step(&mut self, place: (usize, usize), step: &Step) -> Result<(), DeviceError> {
        self.traced = self.session.array().is_traced().then(|| step.name(self.plan));
        if self.session.made.len() > MADE_HEADERS / 2 {
            self.flush()?;
        }
        self.dispatch(place, step)?;
        self.run_alone()
    }

    fn dispatch(&mut self, place: (usize, usize), step: &Step) -> Result<(), DeviceError> {
        match step {
            Step::Product(product) => self.product(place, product),
            Step::Normalise(normalise) => self.normalise(normalise),
            Step::Attention(attention) => self.attention(attention),
            Step::Embedding(embedding) => self.embedding(place, embedding),
            Step::Logits { rounded, exact, output } => self.logits(*rounded, *exact, *output),
            Step::LastRow { input, output } => {
                self.fetch(*input)?;
                let columns = self.held(*input).columns.logical;
                let spans = self.placement(*input).spans;
                for (index, span) in spans.iter().enumerate() {
                    let last = (span.logical + span.rows - 1) * columns;
                    let row = self.held(*input).host[last..][..columns].to_vec();
                    self.session.held[output.0].host[index * columns..][..columns].copy_from_slice(&row);
                }
                self.session.held[output.0].set_host();
                Ok(())
            }
            Step::Add { value, addend } => {
                self.fetch(*value)?;
                let added = self.added(addend);
                let held = &mut self.session.held[value.0];
                held.host.iter_mut().zip(added).for_each(|(x, add)| *x += add);
                held.set_host();
                Ok(())
            }
            Step::Remember { key, value, memory } => {
                assert!(self.extents.len() == 1, "a memory is written for one lane at a time");
                let lane = self.extents[0].memory_lane;
                for (from, is_key) in [(*key, true), (*value, false)] {
                    self.require(from, Form::Bf16)?;
                    self.flush()?;
                    let rows = self.held(from).rows.count(self.extents);
                    let (from, _) = &self.session.held[from.0].forms[&Form::Bf16];
                    let to = &mut self.session.memories[memory.0][lane];
                    to.rows = rows;
                    let to = if is_key { &to.key } else { &to.value };
                    let memory = self.session.arena.all_mut();
                    (0..rows).for_each(|row| from.copy_row(memory, row, to, row));
                }
                Ok(())
            }
        }
    }

    fn embedding(&mut self, place: (usize, usize), embedding: &EmbeddingPlan) -> Result<(), DeviceError> {
        let EmbeddingPlan { vocabulary_size, ref positions, output, tiles, headers, .. } = *embedding;
        let (target, placement) = (self.plan.target, self.placement(output));
        let tokens = self.session.tokens.clone();
        let columns = positions.columns;
        for (span, extent) in placement.spans.iter().zip(self.extents) {
            let own = span.logical..span.logical + span.rows;
            if let Some(&token) = tokens[own.clone()].iter().find(|&&token| token as usize >= vocabulary_size) {
                return Err(DeviceError::Token { token, vocabulary_size });
            }
            let from = &positions.rows[extent.past * columns..][..span.rows * columns];
            self.session.held[output.0].host[own.start * columns..own.end * columns].copy_from_slice(from);
        }
        self.session.held[output.0].set_host();
        self.require(output, Form::Wide)?;

        let sets = tiles.turns * target.columns * OBJECT_BYTES;
        for header in (0..=TOKENS_AT_A_TIME).flat_map(|depth| (0..sets / OBJECT_BYTES).map(move |n| (depth, n))) {
            let at = headers + header.0 * sets + header.1 * OBJECT_BYTES + 4 * word::ROW_GROUPS;
            self.session.headers.write(at, &(placement.row_groups() as i32).to_le_bytes());
        }
        // Each panel's tokens, with the rows that they are for.
        let panel_rows = target.core_rows * BLOCK_ROWS;
        let mut panels = vec![Vec::new(); placement.end().div_ceil(panel_rows)];
        for (logical, physical) in placement.rows() {
            panels[physical / panel_rows].push((physical, tokens[logical] as usize));
        }
        let most = panels.iter().map(Vec::len).max().unwrap_or(0);
        for first in (0..most).step_by(TOKENS_AT_A_TIME) {
            // What was gathered before reads the left operand that is written next.
            self.flush()?;
            let left = self.session.gathered[&place].clone();
            self.start_embedding(embedding, &left, &panels, first);
        }
        Ok(())
    }

    /// Adds the embeddings of each panel's tokens from the `first` on, as many as are looked up at a time.
    fn start_embedding(
        &mut self,
        embedding: &EmbeddingPlan,
        left: &Storage,
        panels: &[Vec<(usize, usize)>],
        first: usize,
    ) {
        let (target, block_rows) = (self.plan.target, Form::Bf16.columns());
        let held = &self.session.held[embedding.output.0];
        let before = held.forms[&Form::Wide].0.grid();
        let after = held.spare.as_ref().map_or(before, Storage::grid);
        let of_tile = embedding.tiles.turns * target.columns * OBJECT_BYTES;
        for (panel, tokens) in panels.iter().enumerate() {
            let looked_up = tokens.iter().skip(first).take(TOKENS_AT_A_TIME);
            let memory = self.session.arena.all_mut();
            let nothing = vec![0.0; TOKENS_AT_A_TIME * block_rows];
            tokens.iter().for_each(|(row, _)| left.write(memory, *row, &nothing));
            for (step, (row, token)) in looked_up.clone().enumerate() {
                let mut one = nothing.clone();
                one[step * block_rows + token % block_rows] = 1.0;
                left.write(memory, *row, &one);
            }
            let weights = looked_up.map(|(_, token)| (embedding.weights + token / block_rows * of_tile) as u64);
            let weights: Vec<u64> = weights.collect();
            let block = panel * target.core_rows;
            let lowered = Product {
                left: left.grid().rows_from(block),
                depth: weights.len(),
                is_int8: false,
                panels: 1,
                turns: embedding.tiles.turns,
                headers: (HEADERS, (embedding.headers + weights.len() * of_tile) as u64),
                weights: Weights::Gathered(WEIGHTS, weights),
                results: Results::Sum,
                output: after.rows_from(2 * block),
                before: before.rows_from(2 * block),
            };
            self.start(&lowered.rounds(target));
        }
        self.sequencer.barrier();
        self.session.held[embedding.output.0].set_sum();
    }

    fn product(&mut self, place: (usize, usize), product: &ProductPlan) -> Result<(), DeviceError> {
        let (left, is_int8) = match product.left {
            Left::Value(value, form) => {
                self.require(value, form)?;
                (self.storage(value, form).grid(), form == Form::Int8)
            }
            Left::Gathered { value, stride } => (self.gather(place, value, stride, product.output)?, false),
            Left::Frames { samples, window_samples, hop_samples } => {
                (self.frames(place, samples, window_samples, hop_samples, product.output)?, false)
            }
        };
        let form = product.results.form();
        if let Some(addend) = &product.addend {
            let added = self.added(addend);
            self.set_rows(product.output, &added);
        }
        if product.results == Results::Sum {
            self.require(product.output, form)?;
        }
        let placement = self.placement(product.output);
        let row_groups = placement.row_groups() as i32;
        let blocks = placement.end().div_ceil(BLOCK_ROWS);
        let before = self.storage(product.output, form).clone();
        let spare = self.session.held[product.output.0].spare.clone().filter(|_| product.results == Results::Sum);
        let after = spare.unwrap_or_else(|| before.clone());
        for ((part, &before), &output) in product.parts.iter().zip(&before.parts).zip(&after.parts) {
            let target = self.plan.target;
            for header in 0..part.tiles.turns * target.columns {
                let at = part.headers + header * OBJECT_BYTES + 4 * word::ROW_GROUPS;
                self.session.headers.write(at, &row_groups.to_le_bytes());
            }
            let lowered = Product {
                left,
                depth: product.depth,
                is_int8,
                panels: blocks.div_ceil(target.core_rows),
                turns: part.tiles.turns,
                headers: (HEADERS, part.headers as u64),
                weights: Weights::Strips(WEIGHTS, part.weights as u64),
                results: product.results,
                output,
                before,
            };
            self.start(&lowered.rounds(target));
        }
        if let Some(header) = product.kept_header {
            self.session.headers.write(header + 4 * word::ROW_GROUPS, &row_groups.to_le_bytes());
            self.start(&[Product::kept(self.plan.target, (HEADERS, header as u64), self.session.kept)]);
        }
        self.sequencer.barrier();
        let held = &mut self.session.held[product.output.0];
        if product.results == Results::Sum {
            held.set_sum()
        } else {
            held.set_form(form)
        }
        if self.held(product.output).rows.is_kept() { self.grow(product.output) } else { Ok(()) }
    }

    /// Puts the logits of each row together.
    fn logits(&mut self, rounded: Value, exact: Value, output: Value) -> Result<(), DeviceError> {
        self.fetch(rounded)?;
        self.fetch(exact)?;
        let placement = self.placement(output);
        let [columns, of_rounded, of_exact] = [output, rounded, exact].map(|value| self.held(value).columns.logical);
        for (logical, physical) in placement.rows() {
            let row = [(rounded, of_rounded), (exact, of_exact)];
            let row = row.map(|(value, columns)| self.held(value).host[logical * columns..][..columns].to_vec());
            let (kept, bytes) = (self.session.kept, self.session.arena.bytes());
            let objects = (0..kept.columns).map(|column| kept.at(physical / BLOCK_ROWS, column) as usize);
            let greatest: Vec<_> = objects
                .filter_map(|object| greatest(&bytes[object..][..OBJECT_BYTES], physical % BLOCK_ROWS))
                .collect();
            let to = &mut self.session.held[output.0].host[logical * columns..][..columns];
            to[..of_rounded].copy_from_slice(&row[0]);
            to[of_rounded..].copy_from_slice(&row[1]);
            // An array that only predicts leaves anything there.
            let greatest = greatest.into_iter().filter(|(column, _)| *column < of_rounded);
            greatest.for_each(|(column, value)| to[column] = value);
        }
        self.session.held[output.0].set_host();
        Ok(())
    }

    /// Gathers the commands of rounds; what reads their results waits for the barrier behind them.
    fn start(&mut self, rounds: &[Round]) {
        rounds.iter().for_each(|round| self.sequencer.start(round));
    }

    /// Appends a step's rows to what the lanes keep.
    fn grow(&mut self, value: Value) -> Result<(), DeviceError> {
        self.flush()?;
        let spans = self.placement(value).spans;
        let held = &self.session.held[value.0];
        let (step, _) = &held.forms[&Form::Bf16];
        let memory = self.session.arena.all_mut();
        for (span, extent) in spans.iter().zip(self.extents) {
            for row in 0..span.rows {
                step.copy_row(memory, span.physical + row, &held.kept[extent.lane], extent.past + row);
            }
        }
        Ok(())
    }

    /// Three rows around each that a convolution computes, side by side.
    fn gather(
        &mut self,
        place: (usize, usize),
        value: Value,
        stride: usize,
        output: Value,
    ) -> Result<Grid, DeviceError> {
        self.fetch(value)?;
        let rows = self.held(output).rows.count(self.extents);
        let storage = &self.session.gathered[&place];
        let (columns, host) = (self.held(value).columns.logical, &self.session.held[value.0].host);
        let memory = self.session.arena.all_mut();
        let mut side_by_side = vec![0.0; 3 * columns];
        for (_, physical) in Placement::new(self.plan.value(output).rows, self.extents).rows() {
            for (tap, to) in side_by_side.chunks_exact_mut(columns).enumerate() {
                match (physical * stride + tap).checked_sub(1).filter(|row| *row < rows * stride) {
                    Some(row) => to.copy_from_slice(&host[row * columns..][..columns]),
                    None => to.fill(0.0),
                }
            }
            storage.write(memory, physical, &side_by_side);
        }
        Ok(storage.grid())
    }

    /// Windows of samples, a hop apart.
    fn frames(
        &mut self,
        place: (usize, usize),
        samples: Value,
        window_samples: usize,
        hop_samples: usize,
        output: Value,
    ) -> Result<Grid, DeviceError> {
        self.fetch(samples)?;
        let storage = &self.session.gathered[&place];
        let host = &self.session.held[samples.0].host;
        let memory = self.session.arena.all_mut();
        let mut row = Vec::new();
        for (logical, physical) in Placement::new(self.plan.value(output).rows, self.extents).rows() {
            mel::split_row(&host[logical * hop_samples..][..window_samples], &mut row);
            storage.write(memory, physical, &row);
        }
        Ok(storage.grid())
    }

    fn normalise(&mut self, normalise: &NormalisePlan) -> Result<(), DeviceError> {
        self.require(normalise.input, Form::Wide)?;
        let kept = Kept::normalised(self.held(normalise.input).columns.logical)?;
        self.rows(
            kept,
            normalise.input,
            normalise.output,
            normalise.form,
            (normalise.header, normalise.weight_objects),
        );
        Ok(())
    }

    fn rows(&mut self, kept: Kept, input: Value, output: Value, form: Form, header: (usize, usize)) {
        let lowered = RowOperation {
            input: self.storage(input, kept.form).grid(),
            input_form: kept.form,
            input_columns: kept.read_columns,
            row_groups: kept.row_groups,
            header: (HEADERS, header.0 as u64, header.1),
            output: self.storage(output, form).grid(),
            output_form: form,
            result_objects: kept.result_objects(form),
            rows: self.placement(output).end(),
        };
        self.start(&lowered.rounds(self.plan.target));
        self.sequencer.barrier();
        let held = &mut self.session.held[output.0];
        if input == output { held.add_form(form) } else { held.set_form(form) }
    }

    fn attention(&mut self, attention: &AttentionPlan) -> Result<(), DeviceError> {
        self.require(attention.query, Form::Bf16)?;
        if let Keys::Values { key, value } = attention.keys {
            for value in [key, value] {
                if !self.held(value).rows.is_kept() {
                    self.require(value, Form::Bf16)?;
                }
            }
        }
        let spans = self.placement(attention.query).spans;
        let mut units = Vec::new();
        for (span, extent) in spans.iter().zip(self.extents) {
            let (key, value, keys, past) = self.keys(attention.keys, *span, extent);
            let blocks = Placement::blocks(*span);
            for head in 0..attention.heads {
                for first_block in blocks.clone().step_by(self.plan.target.core_rows / 2) {
                    let query = (first_block - blocks.start) * BLOCK_ROWS;
                    let causal = (attention.mask == Mask::Causal).then_some(past + query);
                    units.push(Unit {
                        first_block,
                        blocks: blocks.end - first_block,
                        head,
                        key,
                        value,
                        key_blocks: keys.div_ceil(KEY_BLOCK),
                        header: (
                            HEADERS,
                            self.header(Made::Attention { width: attention.width, keys, first_last_key: causal })?
                                as u64,
                        ),
                    });
                }
            }
        }
        let lowered = Attention {
            query: self.storage(attention.query, Form::Bf16).grid(),
            output: self.storage(attention.output, Form::Bf16).grid(),
            waste: self.session.waste,
        };
        self.start(&lowered.rounds(self.plan.target, &units));
        self.sequencer.barrier();
        self.session.held[attention.output.0].set_form(Form::Bf16);
        Ok(())
    }

    /// Keys and values of an extent, how many there are, and how many came before its own rows.
    fn keys(&self, keys: Keys, span: Span, extent: &Extent) -> (Grid, Grid, usize, usize) {
        match keys {
            Keys::Memory(memory) => {
                let lane = &self.session.memories[memory.0][extent.memory_lane];
                (lane.key.grid(), lane.value.grid(), lane.rows, 0)
            }
            Keys::Values { key, value } if self.held(key).rows.is_kept() => {
                let kept = |value: Value| self.held(value).kept[extent.lane].grid();
                (kept(key), kept(value), extent.past + extent.rows, extent.past)
            }
            Keys::Values { key, value } => {
                let own = |value: Value| self.storage(value, Form::Bf16).grid().rows_from(span.physical / BLOCK_ROWS);
                (own(key), own(value), span.rows, 0)
            }
        }
    }

    /// Where a header is that only this run knows.
    fn header(&mut self, made: Made) -> Result<usize, DeviceError> {
        if let Some(&at) = self.session.made.get(&made) {
            return Ok(at);
        }
        assert!(self.session.made.len() < MADE_HEADERS, "an operation makes too many headers");
        let at = self.plan.headers.len() + self.session.made.len() * OBJECT_BYTES;
        self.session.headers.write(at, &made.bytes()?);
        self.session.made.insert(made, at);
        Ok(at)
    }

    /// Makes sure that a value is there in this form.
    fn require(&mut self, value: Value, form: Form) -> Result<(), DeviceError> {
        if self.held(value).is_valid(form) {
            return Ok(());
        }
        let columns = self.held(value).columns.physical();
        if let Some(from) = [Form::Bf16, Form::Wide].into_iter().find(|from| self.held(value).is_valid(*from))
            && let Ok(kept) = Kept::converted(from, columns)
        {
            let header = self.header(Made::Conversion { from, to: form, columns })?;
            self.rows(kept, value, value, form, (header, 0));
            return Ok(());
        }
        self.fetch(value)?;
        let placement = self.placement(value);
        let held = &mut self.session.held[value.0];
        let columns = held.columns.logical;
        let Some((storage, _)) = held.forms.get(&form) else { return Ok(()) };
        let memory = self.session.arena.all_mut();
        for (logical, physical) in placement.rows() {
            storage.write(memory, physical, &held.host[logical * columns..][..columns]);
        }
        held.add_form(form);
        Ok(())
    }

    /// Makes sure that a value is there on the host.
    pub fn fetch(&mut self, value: Value) -> Result<(), DeviceError> {
        if self.held(value).is_on_host {
            return Ok(());
        }
        self.flush()?;
        let placement = self.placement(value);
        let held = &mut self.session.held[value.0];
        let columns = held.columns.logical;
        let valid = held.forms.values().find(|(storage, is_valid)| *is_valid && storage.form != Form::Int8);
        let Some((storage, _)) = valid else { return Ok(()) };
        for (logical, physical) in placement.rows() {
            let row = &mut held.host[logical * columns..][..columns];
            storage.read(self.session.arena.bytes(), physical, row);
        }
        held.is_on_host = true;
        Ok(())
    }

    /// The rows of a table that are added to a step's.
    fn added(&self, addend: &Table) -> Vec<f32> {
        let rows = |extent: &Extent| &addend.rows[extent.past * addend.columns..][..extent.rows * addend.columns];
        self.extents.iter().flat_map(rows).copied().collect()
    }

    /// Sets a value's rows on the host, as many as the run has.
    fn set_rows(&mut self, value: Value, rows: &[f32]) {
        let count = self.held(value).rows.count(self.extents) * self.held(value).columns.logical;
        let held = &mut self.session.held[value.0];
        held.host[..count].copy_from_slice(&rows[..count]);
        held.set_host();
    }

    /// Runs what has been gathered.
    pub fn flush(&mut self) -> Result<(), DeviceError> {
        if self.traced.is_some() {
            self.run_alone()?;
            if std::mem::take(&mut self.has_run) {
                self.session.array().count_launch();
            }
            return Ok(());
        }
        if self.sequencer.is_empty() { Ok(()) } else { self.execute(None) }
    }

    /// Runs the operation at hand by itself, if operations are traced.
    fn run_alone(&mut self) -> Result<(), DeviceError> {
        if self.traced.is_none() || self.sequencer.is_empty() {
            return Ok(());
        }
        self.has_run = true;
        self.execute(self.traced.clone())
    }

    fn execute(&mut self, name: Option<String>) -> Result<(), DeviceError> {
        let sequencer = std::mem::replace(&mut self.sequencer, Sequencer::new(self.plan.target));
        let sequence = sequencer.finish();
        self.session.execute(&sequence, name)
    }

    fn held(&self, value: Value) -> &Held {
        &self.session.held[value.0]
    }

    fn placement(&self, value: Value) -> Placement {
        Placement::new(self.plan.value(value).rows, self.extents)
    }

    fn storage(&self, value: Value, form: Form) -> &Storage {
        &self.held(value).forms[&form].0
    }
}

/// What a core has kept of a row of its block: the column, and the value there. None if no column counted (`kernels/finish/greatest.cc`).
fn greatest(object: &[u8], row: usize) -> Option<(usize, f32)> {
    let word = |index: usize| i32::read(&object[4 * index..]);
    let place = row / GROUP_ROWS * 2 * GROUP_ROWS + row % GROUP_ROWS;
    let (value, column) = (word(place), word(place + GROUP_ROWS));
    (value != i32::MIN).then(|| (column as usize, value as f32 / WIDE_ONE))
}
