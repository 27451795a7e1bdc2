// Arithmetic on the wide format, 16 lanes at a time: two rows of a block.

#pragma once

#include "entry.hpp"
#include "layout.hpp"

namespace {

inline constexpr int LANES = 16;

using Wide = aie::vector<int32, LANES>;

static_assert(layout::BLOCK % LANES == 0);

// a + b, saturated: a vector's own addition would wrap.
[[maybe_unused]] inline Wide saturating_sum(const Wide &a, const Wide &b) {
    return aie::add(aie::accum<acc64, LANES>(a), b).template to_vector<int32>(0);
}

// a * b * 2^-shift, to nearest even, saturated.
[[maybe_unused]] inline Wide scaled(const Wide &a, const Wide &b, int shift) {
    return aie::mul(a, b).template to_vector<int32>(shift);
}

// 8 columns' values for two rows.
[[maybe_unused]] inline Wide both_rows(const int32 *columns) {
    const aie::vector<int32, layout::BLOCK_COLUMNS> once = aie::load_v<layout::BLOCK_COLUMNS>(columns);
    return aie::concat(once, once);
}

}  // namespace
