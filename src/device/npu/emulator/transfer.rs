//! What a channel is moving, and the shim's descriptors and tasks.

use std::collections::VecDeque;

use super::super::design::ShimDescriptor;
use super::super::target::WORD_BYTES;
use super::clocks::Stamp;
use super::pattern::{Cursor, Pattern};

/// A channel as it stands.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// The descriptor that it is at: position in a tile, number in a shim.
    pub(super) descriptor: Option<usize>,
    /// Whether `transfer` is under way, its lock acquired.
    pub(super) active: bool,
    pub(super) transfer: Transfer,
    /// Of a shim: the task that runs, and how often it still begins anew.
    pub(super) task: Option<(Task, u32)>,
    pub(super) tasks: VecDeque<Task>,
    /// Tokens sent and not taken, with their times.
    pub(super) tokens: VecDeque<(u64, Stamp)>,
    /// Tokens that tasks were asked for and that nobody waited for.
    pub(super) promised: usize,
}

/// One descriptor's movement of words.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    pub(super) cursor: Cursor,
    pub(super) left_bytes: usize,
    pub(super) total_bytes: usize,
    /// First byte in its buffer.
    pub(super) offset_bytes: usize,
    /// Time of the first word.
    pub(super) begin_cycles: Option<u64>,
}

/// An entry of a shim channel's queue.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) number: usize,
    pub(super) repeat: u32,
    pub(super) token: bool,
    pub(super) time_cycles: u64,
    pub(super) stamp: Option<Stamp>,
}

/// A shim's descriptor as it stands.
#[derive(Debug)]
pub(super) struct ShimState {
    pub(super) buffer: usize,
    pub(super) pattern: Pattern,
    offset_bytes: u64,
    wrap: u32,
    step_bytes: u64,
    iteration: u32,
    pub(super) next: Option<usize>,
}

impl ShimState {
    pub(super) fn new(descriptor: &ShimDescriptor) -> Self {
        let step_words = descriptor.iteration.map_or(0, |iteration| iteration.step_words);
        Self {
            buffer: descriptor.buffer.0,
            pattern: Pattern::new(descriptor.length_words, &descriptor.dimensions),
            offset_bytes: descriptor.offset_bytes,
            wrap: descriptor.iteration.map_or(1, |iteration| iteration.wrap.max(1)),
            step_bytes: u64::from(step_words) * WORD_BYTES as u64,
            iteration: 0,
            next: descriptor.next,
        }
    }

    /// Where the next run starts; the one after it starts a step further.
    pub(super) fn begin(&mut self) -> u64 {
        let start = self.offset_bytes + u64::from(self.iteration) * self.step_bytes;
        self.iteration = (self.iteration + 1) % self.wrap;
        start
    }
}

impl Channel {
    /// Begins a transfer at this byte.
    pub(super) fn start(&mut self, pattern: &Pattern, start: usize) {
        pattern.begin(&mut self.transfer.cursor, start);
        self.transfer.left_bytes = pattern.bytes;
        self.transfer.total_bytes = pattern.bytes;
        self.transfer.offset_bytes = start;
        self.transfer.begin_cycles = None;
        self.active = true;
    }
}
