//! Every register, operation and bit of the stream, in one place.
//!
//! Sources, all in mlir-aie: operations and header from `lib/Targets/AIETargetNPU.cpp` (`append…` and
//! `AIETranslateNpuToBinary`); registers from `AIE2TargetModel::getDmaBdAddress`, `getDmaBdAddressOffset` and
//! `getDmaControlAddress` in `lib/Dialect/AIE/IR/AIETargetModel.cpp`, the shifts from `AIETargetModel.h`; the descriptor's bits
//! from `WriteBdToBlockWritePattern`, the queue's from `PushQueuetoWrite32Pattern` in
//! `lib/Dialect/AIEX/Transforms/AIEDmaToNpu.cpp`, and the same in AMD's register reference AM025, NoC module, DMA.

use super::super::design::Direction;
use super::super::target::{Generation, SHIM_ROW, Target};

/// Some bits of a word of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub word: usize,
    pub low: u32,
    pub bits: u32,
}

/// An operation, of which one word says how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    pub name: &'static str,
    pub code: u32,
    pub words: usize,
    pub size_word: usize,
}

const fn field(name: &'static str, word: usize, low: u32, bits: u32) -> Field {
    Field { name, word, low, bits }
}

/// The four words before the operations.
pub mod header {
    use super::{Field, field};

    pub const WORDS: usize = 4;
    pub const MAJOR: Field = field("major version", 0, 0, 8);
    pub const MINOR: Field = field("minor version", 0, 8, 8);
    pub const GENERATION: Field = field("generation", 0, 16, 8);
    pub const ROWS: Field = field("rows", 0, 24, 8);
    pub const COLUMNS: Field = field("columns", 1, 0, 8);
    pub const MEMORY_ROWS: Field = field("rows of memory tiles", 1, 8, 8);
    pub const OPERATIONS: Field = field("number of operations", 2, 0, 32);
    pub const BYTES: Field = field("length in bytes", 3, 0, 32);
}

/// A word into a register.
pub const WRITE: Operation = Operation { name: "write", code: 0, words: 6, size_word: 5 };
/// Eight words into registers one behind the other.
pub const BLOCK_WRITE: Operation = Operation { name: "block write", code: 1, words: 12, size_word: 3 };
/// Some bits of a register.
pub const MASK_WRITE: Operation = Operation { name: "mask write", code: 3, words: 7, size_word: 6 };
/// Waits for a token.
pub const SYNC: Operation = Operation { name: "sync", code: 0x80, words: 4, size_word: 1 };
/// Adds the address of an argument to a descriptor.
pub const PATCH: Operation = Operation { name: "address patch", code: 0x81, words: 12, size_word: 1 };

/// All of them.
pub const OPERATIONS: [Operation; 5] = [WRITE, BLOCK_WRITE, MASK_WRITE, SYNC, PATCH];

/// Address of [`WRITE`], [`BLOCK_WRITE`] and [`MASK_WRITE`].
pub const ADDRESS: Field = field("register address", 2, 0, 32);
/// Value of [`WRITE`] and [`MASK_WRITE`].
pub const VALUE: Field = field("value", 4, 0, 32);
/// Bits that [`MASK_WRITE`] writes.
pub const MASK: Field = field("mask", 5, 0, 32);
/// Word of [`BLOCK_WRITE`] at which the payload begins.
pub const PAYLOAD: usize = 4;

/// Which token [`SYNC`] waits for.
pub mod sync {
    use super::{Field, field};

    pub const DIRECTION: Field = field("direction", 2, 0, 8);
    pub const ROW: Field = field("row", 2, 8, 8);
    pub const COLUMN: Field = field("column", 2, 16, 8);
    pub const ROWS: Field = field("number of rows", 3, 8, 8);
    pub const COLUMNS: Field = field("number of columns", 3, 16, 8);
    pub const CHANNEL: Field = field("channel", 3, 24, 8);
}

/// What [`PATCH`] patches.
pub mod patch {
    use super::{Field, field};

    pub const ADDRESS: Field = field("patched register", 6, 0, 32);
    pub const ARGUMENT: Field = field("argument", 8, 0, 32);
    pub const OFFSET: Field = field("offset in bytes", 10, 0, 32);
}

/// The words of a shim tile's descriptor. Not here, and zero: address (the patch writes it), packets and locks.
pub mod descriptor {
    use super::{Field, field};

    pub const WORDS: usize = 8;
    pub const LENGTH: Field = field("length in words", 0, 0, 32);
    pub const D0_STEP: Field = field("step of dimension 0 - 1", 3, 0, 20);
    pub const D0_WRAP: Field = field("wrap of dimension 0", 3, 20, 10);
    pub const D1_STEP: Field = field("step of dimension 1 - 1", 4, 0, 20);
    pub const D1_WRAP: Field = field("wrap of dimension 1", 4, 20, 10);
    pub const BURST: Field = field("burst length", 4, 30, 2);
    pub const D2_STEP: Field = field("step of dimension 2 - 1", 5, 0, 20);
    pub const CACHE: Field = field("AxCache", 5, 24, 4);
    pub const ITERATION_STEP: Field = field("step of the iteration - 1", 6, 0, 20);
    pub const ITERATION_WRAP: Field = field("wrap of the iteration - 1", 6, 20, 6);
    pub const VALID: Field = field("valid", 7, 25, 1);
    pub const USE_NEXT: Field = field("use next descriptor", 7, 26, 1);
    pub const NEXT: Field = field("next descriptor", 7, 27, 4);

    /// Lets the NoC join accesses.
    pub const CACHE_UPSIZING: u32 = 2;
}

/// What is written to a channel's task queue.
pub mod queue {
    use super::{Field, field};

    pub const DESCRIPTOR: Field = field("first descriptor", 4, 0, 4);
    pub const REPEAT: Field = field("repeat count - 1", 4, 16, 8);
    pub const TOKEN: Field = field("token", 4, 31, 1);
}

/// Number under which a column's shim tile sends its tokens: the first of `validTileIds` in
/// `lib/Dialect/AIE/Transforms/AIEGenerateColumnControlOverlay.cpp`, which also routes them.
pub const CONTROLLER: u32 = 15;
/// The number in a channel's control register.
pub const CONTROLLER_BITS: Field = field("controller of tokens", 4, 8, 5);

const COLUMN_SHIFT: u32 = 25;
const ROW_SHIFT: u32 = 20;
const DESCRIPTORS: u32 = 0x1d000;
const DESCRIPTOR_BYTES: u32 = 0x20;
/// Where in a descriptor its address is.
const BASE_ADDRESS: u32 = 4;
const CONTROL_IN: u32 = 0x1d200;
const CONTROL_OUT: u32 = 0x1d210;
const CONTROL_BYTES: u32 = 8;
/// From a channel's control register to its task queue.
const QUEUE: u32 = 4;

/// Registers that a run writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    Descriptor(usize),
    DescriptorAddress(usize),
    Control(Direction, usize),
    Queue(Direction, usize),
}

impl Field {
    /// The largest value.
    pub fn largest(self) -> u32 {
        (u64::MAX >> (64 - self.bits)) as u32
    }

    pub fn get(self, words: &[u32]) -> u32 {
        words[self.word] >> self.low & self.largest()
    }

    /// Writes a value that fits.
    pub fn set(self, words: &mut [u32], value: u32) {
        debug_assert!(value <= self.largest(), "{}: {value}", self.name);
        words[self.word] |= (value & self.largest()) << self.low;
    }

    /// Its bits in their word.
    pub fn mask(self) -> u32 {
        self.largest() << self.low
    }
}

impl Operation {
    /// Its words, of which only code and length are not zero.
    pub fn words(self) -> Vec<u32> {
        let mut words = vec![0; self.words];
        words[self.size_word] = (4 * self.words) as u32;
        words[0] = self.code;
        words
    }
}

impl Register {
    /// Its address, in the shim tile of a column.
    pub fn address(self, column: usize) -> u32 {
        let control = |direction: Direction, channel: usize| match direction {
            Direction::In => CONTROL_IN + CONTROL_BYTES * channel as u32,
            Direction::Out => CONTROL_OUT + CONTROL_BYTES * channel as u32,
        };
        let offset = match self {
            Register::Descriptor(number) => DESCRIPTORS + DESCRIPTOR_BYTES * number as u32,
            Register::DescriptorAddress(number) => DESCRIPTORS + DESCRIPTOR_BYTES * number as u32 + BASE_ADDRESS,
            Register::Control(direction, channel) => control(direction, channel),
            Register::Queue(direction, channel) => control(direction, channel) + QUEUE,
        };
        (column as u32) << COLUMN_SHIFT | (SHIM_ROW as u32) << ROW_SHIFT | offset
    }
}

/// Address of the register of a descriptor that holds the address of the data.
pub fn descriptor_address(column: usize, number: usize) -> u32 {
    Register::DescriptorAddress(number).address(column)
}

/// Number of a direction.
pub fn bit_of(direction: Direction) -> u32 {
    match direction {
        Direction::In => 0,
        Direction::Out => 1,
    }
}

/// Number of a generation in the header: `devGen`.
pub fn generation(target: Target) -> u32 {
    match target.generation {
        Generation::Npu1 => 3,
        Generation::Npu2 => 4,
    }
}

/// The longest burst that the generation has, 256 bytes or 512: `getShimBurstEncodingsAndLengths`.
pub fn burst(target: Target) -> u32 {
    match target.generation {
        Generation::Npu1 => 2,
        Generation::Npu2 => 3,
    }
}
