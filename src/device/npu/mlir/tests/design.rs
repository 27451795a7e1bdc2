//! A design of one column and one core that has one of everything.

use super::super::super::design::{
    Buffer, Channel, Command, CoreProgram, DdrBuffer, Descriptor, Design, Dimension, Direction, Flow, Lock, LockUse,
    Operand, Place, Port, Ring, Scalar, Sequence, ShimDescriptor, Statement, Tile,
};
use super::super::super::kernels::Kernel;
use super::super::super::layout::{ACCUMULATORS, OBJECT};
use super::super::super::target::Target;

const SHIM: Place = Place { column: 0, row: 0 };
const MEMORY: Place = Place { column: 0, row: 1 };
pub const CORE: Place = Place { column: 0, row: 2 };

const PARAMETERS: usize = 0;
const FIRST_IN: usize = 1;
const FIRST_OUT: usize = 3;
const SINGLE: usize = 6;
const SCRATCH: usize = 7;

pub fn design() -> Design {
    let port = |place, channel| Port { place, channel };
    let flow = |source, destinations| Flow { source, destinations };
    Design {
        target: Target::NPU1,
        tiles: vec![shim(), memory(), core()],
        flows: vec![
            flow(port(SHIM, 0), vec![port(MEMORY, 0)]),
            flow(port(MEMORY, 1), vec![port(CORE, 0), port(CORE, 1)]),
            flow(port(CORE, 0), vec![port(SHIM, 0)]),
        ],
    }
}

/// Two transfers out, in a chain, and one in, of which the first has everything that a descriptor can have.
pub fn sequence() -> Sequence {
    let out = ShimDescriptor {
        buffer: DdrBuffer(1),
        offset_bytes: 4096,
        length_words: 1024,
        dimensions: vec![Dimension { wrap: 4, step_words: 512 }, Dimension { wrap: 256, step_words: 1 }],
        iteration: Some(Dimension { wrap: 3, step_words: 2048 }),
        next: Some(2),
    };
    let plain = ShimDescriptor { dimensions: Vec::new(), iteration: None, next: None, ..out.clone() };
    let start = |direction, number, repeat| Command::Start {
        column: 0,
        direction,
        channel: 0,
        number,
        repeat,
        token: direction == Direction::In,
    };
    let back = ShimDescriptor { buffer: DdrBuffer(0), offset_bytes: 0, ..plain.clone() };
    let commands = vec![
        Command::Configure { column: 0, number: 1, descriptor: out },
        Command::Configure { column: 0, number: 2, descriptor: plain },
        start(Direction::Out, 1, 3),
        Command::Configure { column: 0, number: 0, descriptor: back },
        start(Direction::In, 0, 1),
        Command::Wait { column: 0, direction: Direction::In, channel: 0 },
    ];
    Sequence { commands }
}

fn tile(place: Place, buffers: &[(&str, usize, usize)], locks: &[(&str, i8)]) -> Tile {
    let buffer = |&(name, address, bytes): &(&str, usize, usize)| Buffer { name: name.to_owned(), address, bytes };
    let lock = |&(name, initial): &(&str, i8)| Lock { name: name.to_owned(), initial };
    Tile {
        place,
        buffers: buffers.iter().map(buffer).collect(),
        locks: locks.iter().map(lock).collect(),
        descriptors: Vec::new(),
        channels: Vec::new(),
        core: None,
    }
}

fn channel(direction: Direction, number: usize, first: Option<usize>) -> Channel {
    Channel { direction, number, first }
}

fn shim() -> Tile {
    Tile { channels: vec![channel(Direction::Out, 0, None), channel(Direction::In, 0, None)], ..tile(SHIM, &[], &[]) }
}

fn transfer(number: usize, buffer: usize, acquire: Option<usize>, release: Option<usize>, next: usize) -> Descriptor {
    let one = |lock| LockUse { lock, amount: 1 };
    Descriptor {
        number,
        buffer,
        offset_bytes: 0,
        length_words: OBJECT / 4,
        dimensions: Vec::new(),
        acquire: acquire.map(one),
        release: release.map(one),
        next: Some(next),
    }
}

fn memory() -> Tile {
    let pattern = vec![
        Dimension { wrap: 2, step_words: 512 },
        Dimension { wrap: 64, step_words: 1 },
        Dimension { wrap: 8, step_words: 64 },
    ];
    let turned = Descriptor { dimensions: pattern, ..transfer(24, 0, Some(1), Some(0), 25) };
    let part = Descriptor { offset_bytes: 64, length_words: 16, ..transfer(26, 1, Some(1), Some(0), 24) };
    Tile {
        descriptors: vec![
            transfer(0, 0, Some(0), Some(1), 1),
            transfer(1, 1, Some(0), Some(1), 0),
            turned,
            transfer(25, 1, Some(1), None, 26),
            part,
        ],
        channels: vec![channel(Direction::In, 0, Some(0)), channel(Direction::Out, 1, Some(24))],
        ..tile(MEMORY, &[("object 0", 0, OBJECT), ("object 1", 0x10000, OBJECT)], &[("empty", 2), ("full", 0)])
    }
}

fn core() -> Tile {
    let buffers = [
        ("parameters", 0x400, OBJECT),
        ("in 0", 0x4000, OBJECT),
        ("in 1", 0x5000, OBJECT),
        ("out 0", 0x6000, OBJECT),
        ("out 1", 0x7000, OBJECT),
        ("out 2", 0x8000, OBJECT),
        ("single", 0x9000, 2 * OBJECT),
        ("scratch", 0xc000, ACCUMULATORS),
    ];
    let locks =
        [("in empty", 2), ("in full", 0), ("out empty", 3), ("out full", 0), ("single empty", 1), ("single full", 0)];
    let wide = Descriptor {
        length_words: OBJECT / 4,
        dimensions: vec![Dimension { wrap: 512, step_words: 2 }, Dimension { wrap: 2, step_words: 1 }],
        ..transfer(2, SINGLE, None, Some(5), 6)
    };
    let strided = Descriptor {
        offset_bytes: 4,
        length_words: 32,
        dimensions: vec![Dimension { wrap: 32, step_words: 3 }],
        ..transfer(6, SINGLE, None, None, 2)
    };
    Tile {
        descriptors: vec![
            transfer(0, FIRST_IN, Some(0), Some(1), 1),
            transfer(1, FIRST_IN + 1, Some(0), Some(1), 0),
            wide,
            transfer(3, FIRST_OUT, Some(3), Some(2), 4),
            transfer(4, FIRST_OUT + 1, Some(3), Some(2), 5),
            transfer(5, FIRST_OUT + 2, Some(3), Some(2), 3),
            Descriptor { next: None, ..strided },
        ],
        channels: vec![
            channel(Direction::In, 0, Some(0)),
            channel(Direction::In, 1, Some(2)),
            channel(Direction::Out, 0, Some(3)),
        ],
        core: Some(program()),
        ..tile(CORE, &buffers, &locks)
    }
}

const IN: usize = 0;
const OUT: usize = 1;
const ONE: usize = 2;

fn program() -> CoreProgram {
    let ring = |name, first, count, take, give| Ring { name, buffers: (first..first + count).collect(), take, give };
    let call = |kernel, operands: &[Operand], scalars: &[Scalar]| Statement::Call {
        kernel,
        operands: operands.to_vec(),
        scalars: scalars.to_vec(),
    };
    let repeat = |times, body| Statement::Repeat { times, body };
    let scratch = Operand::Buffer { buffer: SCRATCH, offset_bytes: 0 };
    let parameters = Operand::Buffer { buffer: PARAMETERS, offset_bytes: 0 };
    let within = Operand::Buffer { buffer: SINGLE, offset_bytes: OBJECT };
    let multiply = call(
        Kernel::ProductBf16,
        &[Operand::Ring(IN), Operand::Ring(ONE), scratch],
        &[Scalar::Sum { parameter: 2, depth: 0 }],
    );
    let store = call(Kernel::StoreWide, &[scratch, Operand::Ring(OUT)], &[Scalar::Loop(0)]);
    CoreProgram {
        rings: vec![ring("in", FIRST_IN, 2, 1, 0), ring("out", FIRST_OUT, 3, 2, 3), ring("one", SINGLE, 1, 5, 4)],
        parameters: PARAMETERS,
        stack_bytes: 1024,
        body: vec![
            Statement::Take(IN),
            call(Kernel::CopyObject, &[Operand::Ring(IN), parameters], &[]),
            Statement::Give(IN),
            call(Kernel::Clear, &[scratch], &[]),
            Statement::Take(ONE),
            repeat(
                Scalar::Parameter(1),
                vec![Statement::Take(IN), repeat(Scalar::Constant(2), vec![multiply]), Statement::Give(IN)],
            ),
            Statement::Give(ONE),
            Statement::Select {
                case: Scalar::Parameter(0),
                cases: vec![
                    vec![],
                    vec![repeat(Scalar::Constant(4), vec![Statement::Take(OUT), store.clone(), Statement::Give(OUT)])],
                    vec![
                        Statement::Take(OUT),
                        Statement::Take(IN),
                        repeat(Scalar::Constant(-1), vec![call(Kernel::CopyObject, &[Operand::Ring(IN), within], &[])]),
                        repeat(Scalar::Constant(1), vec![store]),
                        call(Kernel::CopyObject, &[within, Operand::Ring(OUT)], &[]),
                        Statement::Give(IN),
                        Statement::Give(OUT),
                    ],
                ],
            },
            // Taken in one region, used and given in another.
            repeat(Scalar::Constant(1), vec![Statement::Take(OUT)]),
            repeat(
                Scalar::Constant(1),
                vec![call(Kernel::CopyObject, &[parameters, Operand::Ring(OUT)], &[]), Statement::Give(OUT)],
            ),
        ],
    }
}
