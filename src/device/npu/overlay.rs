//! The one configuration of the array that every operation runs on, so that no run waits for another to be loaded.
//!
//! Three kinds of streams carry objects of [`OBJECT_BYTES`]: *rows* go from the memory tile of column r to all cores of row r,
//! *columns* from the memory tile of a column to all its cores, and *results* from each core down its column, a core's
//! object after the other's. Each stream is a ring of buffers in every tile that it passes, with a lock for what is empty and
//! one for what is full.

use super::design::{Buffer, Channel, Descriptor, Design, Direction, Flow, Lock, LockUse, Place, Port, Tile};
use super::object::OBJECT_BYTES;
use super::program;
use super::target::{FIRST_CORE_ROW, MEMORY_ROW, SHIM_ROW, Target, WORD_BYTES};

/// Buffers of the row stream in a memory tile.
const ROW_BUFFERS: usize = 6;
/// Buffers of the column stream in a memory tile.
const COLUMN_BUFFERS: usize = 8;
/// Buffers of every other ring: one is filled while the other is used.
const BUFFERS: usize = 2;

/// Channels of the shim.
pub const SHIM_COLUMN_OUT: usize = 0;
pub const SHIM_ROW_OUT: usize = 1;
pub const SHIM_RESULT_IN: usize = 0;

/// Channels of a memory tile. Even and odd channels have descriptors of their own, and the numbers are chosen for both to
/// have enough.
const MEMORY_COLUMN: usize = 0;
const MEMORY_ROW_STREAM: usize = 1;
const MEMORY_FIRST_RESULT: usize = 2;
const MEMORY_RESULT_OUT: usize = 3;
const ODD_DESCRIPTORS: usize = 24;

/// Channels of a core.
const CORE_ROW: usize = 0;
const CORE_COLUMN: usize = 1;
const CORE_RESULT: usize = 0;

/// Configures an array.
pub fn overlay(target: Target) -> Design {
    let mut tiles = Vec::new();
    let mut flows = Vec::new();
    for column in 0..target.columns {
        tiles.push(shim(target, column));
        tiles.push(memory(target, column));
        flows.extend(column_flows(target, column));
        for core_row in 0..target.core_rows {
            tiles.push(core(target, column, core_row));
        }
    }
    flows.extend((0..target.core_rows).flat_map(|core_row| row_flows(target, core_row)));
    Design { target, tiles, flows }
}

/// Whether the memory tile of this column feeds a row of cores.
fn feeds_a_row(target: Target, column: usize) -> bool {
    column < target.core_rows
}

fn column_flows(target: Target, column: usize) -> Vec<Flow> {
    let (shim, memory) = (Place { column, row: SHIM_ROW }, Place { column, row: MEMORY_ROW });
    let cores = (0..target.core_rows).map(|core_row| Place { column, row: FIRST_CORE_ROW + core_row });
    let mut flows = vec![
        flow(shim, SHIM_COLUMN_OUT, [(memory, MEMORY_COLUMN)]),
        flow(memory, MEMORY_COLUMN, cores.clone().map(|core| (core, CORE_COLUMN))),
        flow(memory, MEMORY_RESULT_OUT, [(shim, SHIM_RESULT_IN)]),
    ];
    flows.extend(
        cores.enumerate().map(|(core_row, core)| flow(core, CORE_RESULT, [(memory, MEMORY_FIRST_RESULT + core_row)])),
    );
    flows
}

fn row_flows(target: Target, core_row: usize) -> [Flow; 2] {
    let (shim, memory) = (Place { column: core_row, row: SHIM_ROW }, Place { column: core_row, row: MEMORY_ROW });
    let cores = (0..target.columns).map(|column| Place { column, row: FIRST_CORE_ROW + core_row });
    [
        flow(shim, SHIM_ROW_OUT, [(memory, MEMORY_ROW_STREAM)]),
        flow(memory, MEMORY_ROW_STREAM, cores.map(|core| (core, CORE_ROW))),
    ]
}

fn flow(source: Place, channel: usize, destinations: impl IntoIterator<Item = (Place, usize)>) -> Flow {
    let port = |(place, channel)| Port { place, channel };
    Flow { source: port((source, channel)), destinations: destinations.into_iter().map(port).collect() }
}

fn shim(target: Target, column: usize) -> Tile {
    let channel = |direction, number| Channel { direction, number, first: None };
    let mut channels = vec![channel(Direction::Out, SHIM_COLUMN_OUT), channel(Direction::In, SHIM_RESULT_IN)];
    if feeds_a_row(target, column) {
        channels.push(channel(Direction::Out, SHIM_ROW_OUT));
    }
    Tile { channels, ..Tile::empty(Place { column, row: SHIM_ROW }) }
}

fn memory(target: Target, column: usize) -> Tile {
    let mut tile = Wiring::new(Place { column, row: MEMORY_ROW }, 0);
    let stream = tile.ring("column", COLUMN_BUFFERS);
    tile.fill(&stream, MEMORY_COLUMN, 0);
    tile.drain(&[stream], MEMORY_COLUMN, COLUMN_BUFFERS);
    if feeds_a_row(target, column) {
        let stream = tile.ring("row", ROW_BUFFERS);
        tile.fill(&stream, MEMORY_ROW_STREAM, ODD_DESCRIPTORS);
        tile.drain(&[stream], MEMORY_ROW_STREAM, ODD_DESCRIPTORS + ROW_BUFFERS);
    }
    let mut results = Vec::new();
    let (mut even, mut odd) = (2 * COLUMN_BUFFERS, ODD_DESCRIPTORS + 2 * ROW_BUFFERS);
    for core_row in 0..target.core_rows {
        let result = tile.ring(&format!("result {core_row}"), BUFFERS);
        let channel = MEMORY_FIRST_RESULT + core_row;
        let first = if channel.is_multiple_of(2) { &mut even } else { &mut odd };
        tile.fill(&result, channel, *first);
        *first += BUFFERS;
        results.push(result);
    }
    tile.drain(&results, MEMORY_RESULT_OUT, odd);
    tile.tile
}

fn core(target: Target, column: usize, core_row: usize) -> Tile {
    let mut tile = Wiring::new(Place { column, row: FIRST_CORE_ROW + core_row }, program::STACK_BYTES);
    let parameters = tile.buffer("parameters", OBJECT_BYTES);
    let state = tile.buffer("state", program::STATE_BYTES);
    tile.address = program::ROW_RING_ADDRESS;
    let row = tile.ring("row", BUFFERS);
    let stream = tile.ring("column", BUFFERS);
    let result = tile.ring("result", BUFFERS);
    let scratch = tile.buffer("scratch", program::SCRATCH_BYTES);
    tile.fill(&row, CORE_ROW, 0);
    tile.fill(&stream, CORE_COLUMN, BUFFERS);
    tile.drain(std::slice::from_ref(&result), CORE_RESULT, 2 * BUFFERS);
    let memory = program::Memory { parameters, state, scratch, row, stream, result };
    tile.tile.core = Some(program::program(memory, target, column, core_row));
    tile.tile
}

/// Buffers of a tile that are filled and drained in turn.
#[derive(Clone, Debug)]
pub struct RingOfTile {
    /// Positions in the tile's buffers.
    pub buffers: Vec<usize>,
    /// Lock of how many are empty.
    pub empty: usize,
    /// Lock of how many are full.
    pub full: usize,
}

/// A memory or core tile being wired.
struct Wiring {
    tile: Tile,
    /// Where the next buffer goes.
    address: usize,
}

impl Wiring {
    fn new(place: Place, address: usize) -> Self {
        Self { tile: Tile::empty(place), address }
    }

    fn buffer(&mut self, name: &str, bytes: usize) -> usize {
        self.tile.buffers.push(Buffer { name: name.to_owned(), address: self.address, bytes });
        self.address += bytes;
        self.tile.buffers.len() - 1
    }

    fn lock(&mut self, name: String, initial: usize) -> usize {
        self.tile.locks.push(Lock { name, initial: initial as i8 });
        self.tile.locks.len() - 1
    }

    fn ring(&mut self, name: &str, count: usize) -> RingOfTile {
        let buffers = (0..count).map(|index| self.buffer(&format!("{name} {index}"), OBJECT_BYTES)).collect();
        let (empty, full) = (self.lock(format!("{name} empty"), count), self.lock(format!("{name} full"), 0));
        RingOfTile { buffers, empty, full }
    }

    /// Lets a channel fill a ring, with descriptors from this number on.
    fn fill(&mut self, ring: &RingOfTile, channel: usize, first: usize) {
        let buffers = ring.buffers.iter().map(|&buffer| (buffer, ring.empty, ring.full)).collect();
        self.transfers(buffers, Direction::In, channel, first);
    }

    /// Lets a channel drain rings, a buffer of each in turn, with descriptors from this number on.
    fn drain(&mut self, rings: &[RingOfTile], channel: usize, first: usize) {
        let count = rings.iter().map(|ring| ring.buffers.len()).min().unwrap_or(0);
        let turns =
            (0..count).flat_map(|turn| rings.iter().map(move |ring| (ring.buffers[turn], ring.full, ring.empty)));
        self.transfers(turns.collect(), Direction::Out, channel, first);
    }

    fn transfers(&mut self, buffers: Vec<(usize, usize, usize)>, direction: Direction, channel: usize, first: usize) {
        let count = buffers.len();
        for (index, (buffer, acquire, release)) in buffers.into_iter().enumerate() {
            self.tile.descriptors.push(Descriptor {
                number: first + index,
                buffer,
                offset_bytes: 0,
                length_words: OBJECT_BYTES / WORD_BYTES,
                dimensions: Vec::new(),
                acquire: Some(LockUse { lock: acquire, amount: 1 }),
                release: Some(LockUse { lock: release, amount: 1 }),
                next: Some(first + (index + 1) % count),
            });
        }
        self.tile.channels.push(Channel { direction, number: channel, first: Some(first) });
    }
}

impl Tile {
    fn empty(place: Place) -> Self {
        Self {
            place,
            buffers: Vec::new(),
            locks: Vec::new(),
            descriptors: Vec::new(),
            channels: Vec::new(),
            core: None,
        }
    }
}
