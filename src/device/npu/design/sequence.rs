//! What a run sends to the array: transfers of the shim, and waiting for them.

use super::{Dimension, Direction};

/// Commands in the order in which the command processor takes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// The commands.
    pub commands: Vec<Command>,
}

/// Number of a buffer in DDR, in the order of a run's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DdrBuffer(pub usize);

/// One command, about the shim tile of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Writes a descriptor.
    Configure {
        /// Column of the shim tile.
        column: usize,
        /// Number of the descriptor.
        number: usize,
        /// What is written.
        descriptor: ShimDescriptor,
    },
    /// Appends to a channel's task queue.
    Start {
        /// Column of the shim tile.
        column: usize,
        /// Which way.
        direction: Direction,
        /// Number of the channel.
        channel: usize,
        /// The descriptor that the task begins with.
        number: usize,
        /// How often the task's chain of descriptors runs, from 1.
        repeat: u32,
        /// Whether the channel says when the task is done.
        token: bool,
    },
    /// Waits for one token of a channel.
    Wait {
        /// Column of the shim tile.
        column: usize,
        /// Which way.
        direction: Direction,
        /// Number of the channel.
        channel: usize,
    },
}

/// A buffer descriptor of a shim tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShimDescriptor {
    /// The buffer.
    pub buffer: DdrBuffer,
    /// Where in it the first run starts.
    pub offset_bytes: u64,
    /// Words that a run moves.
    pub length_words: usize,
    /// Address pattern, outermost first; empty for consecutive words.
    pub dimensions: Vec<Dimension>,
    /// What is added to the start with each run, and after how many runs it begins anew.
    pub iteration: Option<Dimension>,
    /// Descriptor that follows in the chain.
    pub next: Option<usize>,
}
