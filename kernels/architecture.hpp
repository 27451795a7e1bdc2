// The architectures that the kernels know: one row each. Rows of int8 blocks that one mmul takes are what differs.

#pragma once

#include <aie_api/aie.hpp>

namespace architecture {

struct Row {
    int number;      // __AIE_ARCH__, the compilers' number
    int bf16_rows;   // mmul<rows, 8, 8, bfloat16, bfloat16>
    int int8_rows;   // mmul<rows, 8, 8, int8, int8>
};

inline constexpr Row AIE2 = {20, 4, 4};
inline constexpr Row AIE2P = {21, 4, 8};

#if __AIE_ARCH__ == 20
inline constexpr Row HERE = AIE2;
#elif __AIE_ARCH__ == 21
inline constexpr Row HERE = AIE2P;
#else
#error "an architecture without a row in this table"
#endif

static_assert(HERE.number == __AIE_ARCH__);

}  // namespace architecture
