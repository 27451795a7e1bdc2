// Products of a block of attention: 32 queries, 64 keys, heads of 64 columns in two halves.

#pragma once

#include "../architecture.hpp"
#include "../entry.hpp"
#include "../layout.hpp"

namespace {

using Product = aie::mmul<architecture::HERE.bf16_rows, 8, 8, bfloat16, bfloat16>;
using Left = aie::vector<bfloat16, Product::size_A>;
using Right = aie::vector<bfloat16, Product::size_B>;

static_assert(Product::size_A == layout::BLOCK && Product::size_B == 2 * layout::BLOCK && Product::size_C == layout::BLOCK);

// Blocks in a row group of an operand of 32 columns, and in one of results or probabilities of 64.
inline constexpr int HALF_COLUMNS = layout::STEPS_BF16;
inline constexpr int COLUMNS = layout::COLUMN_GROUPS;

// 8 rows x 8 columns of an operand in bf16: two blocks, one above the other.
[[maybe_unused]] inline Right eight_rows(const bfloat16 *object, int rows, int column) {
    const bfloat16 *upper = object + (2 * rows * HALF_COLUMNS + column) * layout::BLOCK;
    return aie::concat(aie::load_v<layout::BLOCK>(upper), aie::load_v<layout::BLOCK>(upper + HALF_COLUMNS * layout::BLOCK));
}

}  // namespace
