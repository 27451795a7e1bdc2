// Sizes and places that kernels and host agree upon. src/device/npu/layout.rs is the same in Rust; a test compares the two.

#pragma once

namespace layout {

// Everything that moves through the array moves in objects of this many bytes.
inline constexpr int OBJECT = 4096;
inline constexpr int ACCUMULATORS = 16384;
inline constexpr int SCRATCH = 28672;

// Elements stand in blocks of 4 rows x 8 columns.
inline constexpr int BLOCK_ROWS = 4;
inline constexpr int BLOCK_COLUMNS = 8;
inline constexpr int BLOCK = BLOCK_ROWS * BLOCK_COLUMNS;

// A tile of results: 64 x 64.
inline constexpr int ROW_GROUPS = 16;
inline constexpr int COLUMN_GROUPS = 8;

// Blocks of a right operand: 8 inputs x 8 outputs.
inline constexpr int WEIGHTS_BLOCK = 64;

// Steps of 8 inputs in an operand object.
inline constexpr int STEPS_BF16 = 4;
inline constexpr int STEPS_INT8 = 8;

static_assert(ROW_GROUPS * STEPS_BF16 * BLOCK * 2 == OBJECT, "operand bf16: 64 rows x 32 columns");
static_assert(ROW_GROUPS * STEPS_INT8 * BLOCK == OBJECT, "operand int8: 64 rows x 64 columns");
static_assert(STEPS_BF16 * COLUMN_GROUPS * WEIGHTS_BLOCK * 2 == OBJECT, "weights bf16: 32 inputs x 64 outputs");
static_assert(STEPS_INT8 * COLUMN_GROUPS * WEIGHTS_BLOCK == OBJECT, "weights int8: 64 inputs x 64 outputs");
static_assert(8 * 4 * BLOCK * 4 == OBJECT, "wide: 32 rows x 32 columns of i32");
static_assert(ROW_GROUPS * COLUMN_GROUPS * BLOCK * 4 == ACCUMULATORS, "a tile of results");

// Fraction bits of the wide format.
inline constexpr int Q = 16;

// The header, in bytes.
inline constexpr int HEADER_BIAS = 64;
inline constexpr int HEADER_MULTIPLIER = 320;
inline constexpr int HEADER_TABLE = 1024;

// The header's words.
inline constexpr int WORD_KEYS = 4;
inline constexpr int WORD_SCORE_SCALE = 5;
inline constexpr int WORD_CAUSAL = 6;
inline constexpr int WORD_LAST_KEY = 7;
inline constexpr int WORD_FIRST_SHIFT = 8;
inline constexpr int WORD_SECOND_SHIFT = 9;

// A scale object and a row group's scale piece: [4 rows][8 lanes] of i32, then as many bytes of nothing.
inline constexpr int SCALE_PIECE = 256;

// Attention: the state's parts, in bytes.
inline constexpr int STATE = 512;
inline constexpr int STATE_SUM = 128;

// Attention: a block of keys and a head's columns.
inline constexpr int QUERIES = 32;
inline constexpr int QUERY_GROUPS = QUERIES / BLOCK_ROWS;
inline constexpr int KEYS = 64;
inline constexpr int SCORES = QUERIES * KEYS * 4;

}  // namespace layout
