//! The one description of what the array is configured to: tiles with buffers, locks and descriptors, streams between them,
//! and the programs of the cores.
//!
//! It is what the emulator executes, what the compiler's text is printed from, and what the rules are checked on. What is sent
//! anew for each run, the shim's transfers, is a [`Sequence`]. Read this file, then `core_program.rs`.

mod core_program;
mod sequence;

pub use core_program::{CoreProgram, Operand, Ring, RingIndex, Scalar, Statement};
pub use sequence::{Command, DdrBuffer, Sequence, ShimDescriptor};

use super::target::{Kind, Target};

/// Everything that is configured once.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// The array.
    pub target: Target,
    /// Its tiles, each at most once.
    pub tiles: Vec<Tile>,
    /// Circuit-switched streams.
    pub flows: Vec<Flow>,
}

/// Place of a tile; row 0 is the shim's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// From 0, to the east.
    pub column: usize,
    /// From 0, to the north.
    pub row: usize,
}

/// A tile's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Where it is.
    pub place: Place,
    /// Ranges of its memory.
    pub buffers: Vec<Buffer>,
    /// Its semaphores; the position is the lock's number.
    pub locks: Vec<Lock>,
    /// Its descriptors, each with a number of its own.
    pub descriptors: Vec<Descriptor>,
    /// Its channels that are in use.
    pub channels: Vec<Channel>,
    /// What its core runs.
    pub core: Option<CoreProgram>,
}

/// A range of a tile's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Name, unique in its tile.
    pub name: String,
    /// First byte.
    pub address: usize,
    /// Length.
    pub bytes: usize,
}

/// A semaphore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Name, unique in its tile.
    pub name: String,
    /// Value at the start.
    pub initial: i8,
}

/// Waits until a lock is at least `amount` and subtracts it, or adds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockUse {
    /// Number of the lock in the tile.
    pub lock: usize,
    /// How much.
    pub amount: i8,
}

/// A buffer descriptor of a memory tile or a core's DMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Number in the tile.
    pub number: usize,
    /// Position in the tile's buffers.
    pub buffer: usize,
    /// Where in the buffer it starts.
    pub offset_bytes: usize,
    /// Words that it moves.
    pub length_words: usize,
    /// Address pattern, outermost first; empty for consecutive words.
    pub dimensions: Vec<Dimension>,
    /// Waited for before the first word.
    pub acquire: Option<LockUse>,
    /// Given after the last word.
    pub release: Option<LockUse>,
    /// Descriptor that follows.
    pub next: Option<usize>,
}

/// One dimension of an address pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// How many.
    pub wrap: u32,
    /// Words from one to the next.
    pub step_words: u32,
}

/// Which way a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Stream to memory.
    In,
    /// Memory to stream.
    Out,
}

/// A DMA channel that starts by itself, or is the shim's and is started by commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Which way.
    pub direction: Direction,
    /// Number among those of its direction.
    pub number: usize,
    /// Number of the descriptor that it starts with; none for the shim.
    pub first: Option<usize>,
}

/// End of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// The tile.
    pub place: Place,
    /// Number of the tile's channel of the end's direction.
    pub channel: usize,
}

/// A stream from one channel to one or, word for word the same, several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// An outgoing channel.
    pub source: Port,
    /// Incoming channels.
    pub destinations: Vec<Port>,
}

impl Design {
    /// The tile at a place.
    pub fn tile(&self, place: Place) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.place == place)
    }
}

impl Place {
    /// What kind of tile is there.
    pub fn kind(self) -> Kind {
        Kind::of_row(self.row)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "tile ({}, {})", self.column, self.row)
    }
}
