// Retained rows as wide values, kept wide or as operand pieces in bf16.

#pragma once

#include "piece.hpp"

namespace {

// 16 values from element `at`: two rows of a block.
[[maybe_unused]] inline Wide source(const int32 *scratch, int at, bool is_bf16) {
    if (is_bf16) {
        const bfloat16 *halves = reinterpret_cast<const bfloat16 *>(scratch);
        const aie::accum<accfloat, LANES> value(aie::load_v<LANES>(halves + at));
        return aie::to_fixed<int32>(value.template to_vector<float>(), layout::Q);
    }
    return aie::load_v<LANES>(scratch + at);
}

}  // namespace
