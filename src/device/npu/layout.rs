//! Sizes and places that kernels and host agree upon: `kernels/layout.hpp` in Rust.

/// Bytes of an object: everything that moves through the array moves in objects.
pub const OBJECT: usize = 4096;
/// Bytes of a tile of 64 x 64 results.
pub const ACCUMULATORS: usize = 16384;
/// Bytes of the rows that a core retains.
pub const SCRATCH: usize = 28672;

/// Rows of a block.
pub const BLOCK_ROWS: usize = 4;
/// Columns of a block.
pub const BLOCK_COLUMNS: usize = 8;
/// Groups of 4 rows in a tile.
pub const ROW_GROUPS: usize = 16;
/// Groups of 8 columns in a tile.
pub const COLUMN_GROUPS: usize = 8;

/// Fraction bits of the wide format.
pub const Q: u32 = 16;

/// Byte of the header at which the biases begin.
pub const HEADER_BIAS: usize = 64;
/// Byte of the header at which the multipliers begin.
pub const HEADER_MULTIPLIER: usize = 320;
/// Byte of the header at which its table begins.
pub const HEADER_TABLE: usize = 1024;

/// Word of the header: number of keys.
pub const WORD_KEYS: usize = 4;
/// Word of the header: round(2^30 log2(e) / sqrt(head width)).
pub const WORD_SCORE_SCALE: usize = 5;
/// Word of the header: 1 if queries see no later keys than their own.
pub const WORD_CAUSAL: usize = 6;
/// Word of the header: the first query's last visible key.
pub const WORD_LAST_KEY: usize = 7;
/// Word of the header: shift after the multiplier.
pub const WORD_FIRST_SHIFT: usize = 8;
/// Word of the header: shift after the row's scale.
pub const WORD_SECOND_SHIFT: usize = 9;

/// Bytes of one row group's scales, with what is left free behind them.
pub const SCALE_PIECE: usize = 256;
/// Bytes of attention's state.
pub const STATE: usize = 512;
/// Byte of the state at which the sums begin.
pub const STATE_SUM: usize = 128;
/// Queries that are attended to at a time.
pub const QUERIES: usize = 32;
/// Keys of a block, and columns of a head.
pub const KEYS: usize = 64;
/// Bytes of the scores of a block of keys.
pub const SCORES: usize = 8192;
