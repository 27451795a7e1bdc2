//! Parts that small designs are made of.

use std::sync::Arc;

use gstwhispernpu::device::npu::Kernel;
use gstwhispernpu::device::npu::design::{
    Buffer, Channel, Command, CoreProgram, DdrBuffer, Descriptor, Design, Dimension, Direction, Flow, Lock, LockUse,
    Operand, Place, Port, Ring, Sequence, ShimDescriptor, Statement, Tile,
};
use gstwhispernpu::device::npu::emulator::{DdrMemory, Emulator, Fault, Report};
use gstwhispernpu::device::npu::target::Target;

use super::kernels::Copies;

pub const OBJECT: usize = 4096;

pub fn place(column: usize, row: usize) -> Place {
    Place { column, row }
}

pub fn port(column: usize, row: usize, channel: usize) -> Port {
    Port { place: place(column, row), channel }
}

pub fn flow(source: Port, destinations: &[Port]) -> Flow {
    Flow { source, destinations: destinations.to_vec() }
}

pub fn tile(column: usize, row: usize) -> Tile {
    Tile {
        place: place(column, row),
        buffers: vec![],
        locks: vec![],
        descriptors: vec![],
        channels: vec![],
        core: None,
    }
}

pub fn shim(column: usize, outs: usize, ins: usize) -> Tile {
    let channel = |direction| move |number| Channel { direction, number, first: None };
    let mut tile = tile(column, 0);
    tile.channels = (0..outs).map(channel(Direction::Out)).chain((0..ins).map(channel(Direction::In))).collect();
    tile
}

pub fn buffer(tile: &mut Tile, name: &str, bytes: usize) -> usize {
    let start = if tile.place.row >= 2 { 1024 } else { 0 };
    let address = tile.buffers.last().map_or(start, |last| (last.address + last.bytes).next_multiple_of(64));
    tile.buffers.push(Buffer { name: name.to_owned(), address, bytes });
    tile.buffers.len() - 1
}

pub fn lock(tile: &mut Tile, name: &str, initial: i8) -> usize {
    tile.locks.push(Lock { name: name.to_owned(), initial });
    tile.locks.len() - 1
}

/// Buffers, with locks for how many are empty and full.
pub struct Fifo {
    pub buffers: Vec<usize>,
    pub empty: usize,
    pub full: usize,
}

pub fn fifo(tile: &mut Tile, name: &str, depth: usize, bytes: usize) -> Fifo {
    let buffers = (0..depth).map(|index| buffer(tile, &format!("{name}_{index}"), bytes)).collect();
    let empty = lock(tile, &format!("{name}_empty"), depth as i8);
    let full = lock(tile, &format!("{name}_full"), 0);
    Fifo { buffers, empty, full }
}

/// A part of a buffer, in an order.
#[derive(Clone, Default)]
pub struct Part {
    pub offset_bytes: usize,
    pub length_words: usize,
    pub dimensions: Vec<Dimension>,
}

pub fn whole(bytes: usize) -> Part {
    Part { offset_bytes: 0, length_words: bytes / 4, dimensions: vec![] }
}

fn free_number(tile: &Tile, channel: usize) -> usize {
    let first = if tile.place.row == 1 && channel % 2 == 1 { 24 } else { 0 };
    (first..).find(|number| tile.descriptors.iter().all(|one| one.number != *number)).unwrap()
}

/// A channel that goes round buffers, from each of them in turn the parts.
pub fn chain(
    tile: &mut Tile,
    direction: Direction,
    channel: usize,
    buffers: &[usize],
    parts: &[Part],
    locks: (LockUse, LockUse),
) {
    let mut numbers = Vec::new();
    for buffer in buffers {
        for part in parts {
            let number = free_number(tile, channel);
            numbers.push(number);
            tile.descriptors.push(Descriptor {
                number,
                buffer: *buffer,
                offset_bytes: part.offset_bytes,
                length_words: part.length_words,
                dimensions: part.dimensions.clone(),
                acquire: Some(locks.0),
                release: Some(locks.1),
                next: None,
            });
        }
    }
    for (index, number) in numbers.iter().enumerate() {
        let next = numbers[(index + 1) % numbers.len()];
        tile.descriptors.iter_mut().find(|one| one.number == *number).unwrap().next = Some(next);
    }
    tile.channels.push(Channel { direction, number: channel, first: Some(numbers[0]) });
}

pub fn one(lock: usize) -> LockUse {
    LockUse { lock, amount: 1 }
}

pub fn fill(tile: &mut Tile, channel: usize, fifo: &Fifo, part: Part) {
    chain(tile, Direction::In, channel, &fifo.buffers, &[part], (one(fifo.empty), one(fifo.full)));
}

pub fn drain(tile: &mut Tile, channel: usize, fifo: &Fifo, part: Part) {
    chain(tile, Direction::Out, channel, &fifo.buffers, &[part], (one(fifo.full), one(fifo.empty)));
}

/// A core that copies objects from its first to its second ring.
pub fn copying_core(column: usize, row: usize) -> Tile {
    let mut tile = tile(column, row);
    let input = fifo(&mut tile, "input", 2, OBJECT);
    let output = fifo(&mut tile, "output", 2, OBJECT);
    fill(&mut tile, 0, &input, whole(OBJECT));
    drain(&mut tile, 0, &output, whole(OBJECT));
    let parameters = buffer(&mut tile, "parameters", 64);
    tile.core = Some(CoreProgram {
        rings: vec![
            Ring { name: "input", buffers: input.buffers, take: input.full, give: input.empty },
            Ring { name: "output", buffers: output.buffers, take: output.empty, give: output.full },
        ],
        parameters,
        stack_bytes: 1024,
        body: vec![Statement::Take(0), Statement::Take(1), copy(0, 1), Statement::Give(0), Statement::Give(1)],
    });
    tile
}

pub fn copy(from: usize, to: usize) -> Statement {
    Statement::Call {
        kernel: Kernel::CopyObject,
        operands: vec![Operand::Ring(from), Operand::Ring(to)],
        scalars: vec![],
    }
}

/// Shim, memory tile, core, memory tile, shim; each of two buffers deep.
pub fn copy_design() -> Design {
    let mut memory = tile(0, 1);
    let there = fifo(&mut memory, "there", 2, OBJECT);
    let back = fifo(&mut memory, "back", 2, OBJECT);
    fill(&mut memory, 0, &there, whole(OBJECT));
    drain(&mut memory, 0, &there, whole(OBJECT));
    fill(&mut memory, 1, &back, whole(OBJECT));
    drain(&mut memory, 1, &back, whole(OBJECT));
    Design {
        target: Target::NPU1,
        tiles: vec![shim(0, 1, 1), memory, copying_core(0, 2)],
        flows: vec![
            flow(port(0, 0, 0), &[port(0, 1, 0)]),
            flow(port(0, 1, 0), &[port(0, 2, 0)]),
            flow(port(0, 2, 0), &[port(0, 1, 1)]),
            flow(port(0, 1, 1), &[port(0, 0, 0)]),
        ],
    }
}

pub fn contiguous(buffer: usize, offset_bytes: u64, bytes: usize) -> ShimDescriptor {
    ShimDescriptor {
        buffer: DdrBuffer(buffer),
        offset_bytes,
        length_words: bytes / 4,
        dimensions: vec![],
        iteration: None,
        next: None,
    }
}

pub fn configure(number: usize, descriptor: ShimDescriptor) -> Command {
    Command::Configure { column: 0, number, descriptor }
}

pub fn start(direction: Direction, number: usize) -> Command {
    Command::Start { column: 0, direction, channel: 0, number, repeat: 1, token: true }
}

pub fn wait(direction: Direction) -> Command {
    Command::Wait { column: 0, direction, channel: 0 }
}

/// Sends the first buffer and gets the second.
pub fn there_and_back(there: ShimDescriptor, back: ShimDescriptor) -> Sequence {
    Sequence {
        commands: vec![
            configure(0, there),
            configure(1, back),
            start(Direction::In, 1),
            start(Direction::Out, 0),
            wait(Direction::Out),
            wait(Direction::In),
        ],
    }
}

pub fn copy_sequence(bytes: usize) -> Sequence {
    there_and_back(contiguous(0, 0, bytes), contiguous(1, 0, bytes))
}

/// Bytes that differ from word to word.
pub fn sample(bytes: usize) -> Vec<u8> {
    (0..bytes as u32 / 4).flat_map(|word| (word.wrapping_mul(0x9E37_79B1) ^ word).to_le_bytes()).collect()
}

pub fn emulator(design: Design, threads: usize) -> Emulator {
    Emulator::with_kernels(Arc::new(design), threads, Arc::new(Copies)).unwrap()
}

/// Runs once from one buffer to another; what the other holds then.
pub fn run(design: Design, sequence: &Sequence, input: &[u8], output: usize) -> Result<(Vec<u8>, Report), Fault> {
    let mut ddr = [DdrMemory::from_bytes(input.to_vec()), DdrMemory::new(output)];
    let mut emulator = Emulator::with_kernels(Arc::new(design), 1, Arc::new(Copies))?;
    let report = emulator.run(sequence, &mut ddr)?;
    Ok((ddr[1].bytes().to_vec(), report))
}
