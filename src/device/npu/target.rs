//! The arrays that programs are made for: sizes and limits of their hardware.

/// A generation of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// AIE2: Phoenix and Hawk Point.
    Npu1,
    /// AIE2P: Strix, Strix Halo and Krackan.
    Npu2,
}

/// What a tile is: row 0 reaches DDR, row 1 holds the large memories, the others compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Interface to DDR, without memory of its own.
    Shim,
    /// Memory tile.
    Memory,
    /// Core with its data memory.
    Core,
}

/// Limits of one kind of tile (AMD AM020 and AM027; `AIETargetModel.h` of mlir-aie; register widths of the buffer descriptors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Data memory in bytes.
    pub memory_bytes: usize,
    /// Banks that the memory is divided into.
    pub banks: usize,
    /// Buffer descriptors.
    pub descriptors: usize,
    /// Locks.
    pub locks: usize,
    /// DMA channels in each direction.
    pub channels: usize,
    /// Address dimensions of a descriptor, the innermost included, without the iteration.
    pub dimensions: usize,
    /// Largest length of a transfer in 32-bit words.
    pub length_words: u64,
    /// Largest wrap of a dimension; the outermost has none to state.
    pub wrap: u32,
    /// Largest step of a dimension in 32-bit words.
    pub step_words: u32,
}

/// Largest number of steps of a descriptor's iteration.
pub const ITERATION_WRAP: u32 = 64;

/// Most times that one push into a task queue starts its descriptors.
pub const TASK_REPEAT: u32 = 256;

/// Pushes that a channel's task queue holds.
pub const TASK_QUEUE: usize = 4;

/// Largest value of a lock.
pub const LOCK_VALUE: i8 = 63;

/// Bytes that a core's linked program may have.
pub const PROGRAM_BYTES: usize = 16 * 1024;

/// Granularity of every DMA address and length, in bytes.
pub const WORD_BYTES: usize = 4;

/// One array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its generation.
    pub generation: Generation,
    /// Columns that a program may use.
    pub columns: usize,
    /// Rows of cores.
    pub core_rows: usize,
    /// Hardware contexts that can exist at a time.
    pub contexts: usize,
}

/// Row of the shim tiles.
pub const SHIM_ROW: usize = 0;
/// Row of the memory tiles.
pub const MEMORY_ROW: usize = 1;
/// First row of cores.
pub const FIRST_CORE_ROW: usize = 2;

impl Target {
    /// Phoenix and Hawk Point: 4 columns of 4 cores.
    pub const NPU1: Self = Self { generation: Generation::Npu1, columns: 4, core_rows: 4, contexts: 6 };
    /// Strix and its relatives: 8 columns of 4 cores.
    pub const NPU2: Self = Self { generation: Generation::Npu2, columns: 8, core_rows: 4, contexts: 16 };

    /// Rows of all kinds of tiles.
    pub fn rows(&self) -> usize {
        FIRST_CORE_ROW + self.core_rows
    }

    /// Name in the textual form of the AIE compiler.
    pub fn device(&self) -> &'static str {
        match self.generation {
            Generation::Npu1 => "npu1",
            Generation::Npu2 => "npu2",
        }
    }
}

impl Kind {
    /// The kind of the tiles of a row.
    pub fn of_row(row: usize) -> Self {
        match row {
            SHIM_ROW => Kind::Shim,
            MEMORY_ROW => Kind::Memory,
            _ => Kind::Core,
        }
    }

    /// The limits of such tiles, the same in both generations.
    pub fn limits(self) -> Limits {
        match self {
            Kind::Shim => Limits {
                memory_bytes: 0,
                banks: 0,
                descriptors: 16,
                locks: 16,
                channels: 2,
                dimensions: 3,
                length_words: u32::MAX as u64,
                wrap: 1023,
                step_words: 1 << 20,
            },
            Kind::Memory => Limits {
                memory_bytes: 512 * 1024,
                banks: 8,
                descriptors: 48,
                locks: 64,
                channels: 6,
                dimensions: 4,
                length_words: (1 << 17) - 1,
                wrap: 1023,
                step_words: 1 << 17,
            },
            Kind::Core => Limits {
                memory_bytes: 64 * 1024,
                banks: 4,
                descriptors: 16,
                locks: 16,
                channels: 2,
                dimensions: 3,
                length_words: (1 << 14) - 1,
                wrap: 255,
                step_words: 1 << 13,
            },
        }
    }
}
