// 1 / sqrt(x) in 32-bit integers.

#pragma once

#include "../scalar.hpp"

namespace {

// mantissa * 2^-exponent, the mantissa from 2^14 to 2^15 - 1.
struct Inverse {
    int32 mantissa;
    int32 exponent;
};

// Of x * 2^scale, x from 1 to 2^32 - 1, scale even; within 2^-13.9 of the value.
//
//   a = leading zeros of x, made even downwards; x * 2^a = v * 2^32, v from 1/4 to 1
//   v16 = min((x * 2^a + 2^15, if that is below 2^32) >> 16, 65535)                                          Q16
//   y = 43759 - (53827 v16 >> 16) + (26846 (v16 v16 >> 16) >> 16)     the quadratic nearest to 1/sqrt(v), 2.4 % off    Q14
//   twice: w = y y >> 13; p = v16 w; h = (3 * 2^29 - (p >> 2) + 2^14) >> 15; y = (y h + 2^14) >> 15          Newton
//   the result is min(max(y, 2^14), 2^15 - 1) * 2^-14 * 2^((a - 32 - scale) / 2)
//
// All of it in unsigned 32 bits; no product exceeds them.
[[maybe_unused]] inline Inverse inverse_root(uint32 x, int scale) {
    const int a = leading_zeros(x) & ~1;
    const uint32 normal = x << a;
    const uint32 v = normal >= 0xffff8000u ? 0xffffu : (normal + 0x8000u) >> 16;
    uint32 y = 43759u - (53827u * v >> 16) + (26846u * (v * v >> 16) >> 16);
    for (int step = 0; step < 2; step++) {
        const uint32 w = y * y >> 13;
        const uint32 p = v * w;
        const uint32 h = ((3u << 29) - (p >> 2) + (1u << 14)) >> 15;
        y = (y * h + (1u << 14)) >> 15;
    }
    const int32 mantissa = y < 0x4000u ? 0x4000 : y > 0x7fffu ? 0x7fff : int32(y);
    return {mantissa, 14 + ((32 + scale - a) >> 1)};
}

}  // namespace
