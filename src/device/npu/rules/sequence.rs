//! A run's commands: descriptors that fit the registers and the buffers, and queues and descriptors that are not overrun.

use std::collections::{BTreeMap, VecDeque};

use super::super::design::{Command, Design, Direction, Place, Sequence, ShimDescriptor};
use super::super::target::{ITERATION_WRAP, Kind, SHIM_ROW, TASK_QUEUE, TASK_REPEAT, WORD_BYTES};
use super::{Violation, pattern};

pub(super) fn check(design: &Design, sequence: &Sequence, ddr_bytes: &[u64]) -> Vec<Violation> {
    let mut state =
        State { design, ddr_bytes, violations: Vec::new(), descriptors: BTreeMap::new(), tasks: BTreeMap::new() };
    for (index, command) in sequence.commands.iter().enumerate() {
        match command {
            Command::Configure { column, number, descriptor } => state.configure(index, *column, *number, descriptor),
            Command::Start { column, direction, channel, number, repeat, token } => {
                let key = (*column, *direction, *channel);
                if state.channel(index, key) {
                    state.start(index, key, *number, *repeat, *token);
                }
            }
            Command::Wait { column, direction, channel } => {
                let key = (*column, *direction, *channel);
                if state.channel(index, key) {
                    state.wait(index, key);
                }
            }
        }
    }
    state.violations
}

/// Column, direction and number of a channel.
type ChannelKey = (usize, Direction, usize);

struct State<'a> {
    design: &'a Design,
    ddr_bytes: &'a [u64],
    violations: Vec<Violation>,
    /// By column and number: what was written, and how often it ran since.
    descriptors: BTreeMap<(usize, usize), (&'a ShimDescriptor, u64)>,
    /// Tasks that nobody knows to be over, the oldest first.
    tasks: BTreeMap<ChannelKey, VecDeque<Task>>,
}

struct Task {
    command: usize,
    numbers: Vec<usize>,
    token: bool,
}

impl<'a> State<'a> {
    fn configure(&mut self, index: usize, column: usize, number: usize, descriptor: &'a ShimDescriptor) {
        let limits = Kind::Shim.limits();
        if self.design.tile(Place { column, row: SHIM_ROW }).is_none() {
            self.violations.push(Violation::CommandColumn { index, column });
        }
        if number >= limits.descriptors {
            self.violations.push(Violation::CommandDescriptor { index, number });
        }
        let user = format!("descriptor {number} of column {column}, command {index},");
        pattern::check(&user, &limits, descriptor.length_words, &descriptor.dimensions, &mut self.violations);
        if !descriptor.offset_bytes.is_multiple_of(WORD_BYTES as u64) {
            self.violations.push(Violation::Offset { user, offset_bytes: descriptor.offset_bytes });
        }
        if let Some(iteration) = descriptor.iteration {
            let (wrap, step_words, limit) = (iteration.wrap, iteration.step_words, limits.step_words);
            if wrap == 0 || wrap > ITERATION_WRAP {
                self.violations.push(Violation::IterationWrap { index, wrap });
            }
            if step_words > limit {
                self.violations.push(Violation::IterationStep { index, step_words, limit });
            }
        }
        if descriptor.buffer.0 >= self.ddr_bytes.len() {
            let (buffer, count) = (descriptor.buffer.0, self.ddr_bytes.len());
            self.violations.push(Violation::DdrBuffer { index, buffer, count });
        }
        let user = self.tasks.iter().filter(|((other, ..), _)| *other == column).flat_map(|(_, tasks)| tasks);
        if let Some(task) = user.into_iter().find(|task| task.numbers.contains(&number)) {
            let violation = Violation::Rewritten { index, column, number, task: task.command };
            self.violations.push(violation);
        }
        self.descriptors.insert((column, number), (descriptor, 0));
    }

    fn channel(&mut self, index: usize, key: ChannelKey) -> bool {
        let (column, direction, channel) = key;
        let tile = self.design.tile(Place { column, row: SHIM_ROW });
        let found = tile
            .is_some_and(|tile| tile.channels.iter().any(|one| (one.direction, one.number) == (direction, channel)));
        if !found {
            self.violations.push(Violation::CommandChannel { index, column, direction, channel });
        }
        found
    }

    fn start(&mut self, index: usize, key: ChannelKey, number: usize, repeat: u32, token: bool) {
        let (column, direction, channel) = key;
        if repeat == 0 || repeat > TASK_REPEAT {
            self.violations.push(Violation::Repeat { index, repeat });
        }
        let mut numbers = Vec::new();
        let mut next = Some(number);
        while let Some(number) = next {
            if numbers.contains(&number) {
                self.violations.push(Violation::ChainLoop { index, number });
                break;
            }
            numbers.push(number);
            let Some((descriptor, runs)) = self.descriptors.get_mut(&(column, number)) else {
                self.violations.push(Violation::NotWritten { index, column, number });
                break;
            };
            *runs += u64::from(repeat);
            let (descriptor, runs) = (*descriptor, *runs);
            self.range(index, column, number, descriptor, runs);
            next = descriptor.next;
        }
        let tasks = self.tasks.entry(key).or_default();
        if tasks.len() >= TASK_QUEUE {
            self.violations.push(Violation::QueueFull { index, column, direction, channel });
        }
        tasks.push_back(Task { command: index, numbers, token });
    }

    fn range(&mut self, index: usize, column: usize, number: usize, descriptor: &ShimDescriptor, runs: u64) {
        let Some(&bytes) = self.ddr_bytes.get(descriptor.buffer.0) else { return };
        let steps = descriptor.iteration.map_or(0, |iteration| {
            runs.min(u64::from(iteration.wrap)).saturating_sub(1) * u64::from(iteration.step_words)
        });
        let span = pattern::span_bytes(descriptor.length_words, &descriptor.dimensions);
        let end = descriptor.offset_bytes.saturating_add(steps * WORD_BYTES as u64 + span);
        if end > bytes {
            let user = format!("descriptor {number} of column {column}, started by command {index},");
            let buffer = format!("DDR buffer {}", descriptor.buffer.0);
            self.violations.push(Violation::Range { user, buffer, end, bytes });
        }
    }

    fn wait(&mut self, index: usize, key: ChannelKey) {
        let tasks = self.tasks.entry(key).or_default();
        match tasks.iter().position(|task| task.token) {
            // Tasks of a channel end in the order of their starts.
            Some(position) => drop(tasks.drain(..=position)),
            None => self.violations.push(Violation::Token { index }),
        }
    }
}
