// Scalar arithmetic of 32 bits, for what is done once a row.

#pragma once

#include "entry.hpp"

namespace {

[[maybe_unused]] inline int leading_zeros(uint32 x) { return x == 0 ? 32 : __builtin_clz(x); }

// The greater of the sizes of a row's greatest and least element; up to 2^31.
[[maybe_unused]] inline uint32 greatest_size(int32 greatest, int32 least) {
    const uint32 above = greatest > 0 ? uint32(greatest) : 0;
    const uint32 below = least < 0 ? 0 - uint32(least) : 0;
    return above > below ? above : below;
}

// x * 2^-shift to nearest even, shift from 0 to 30.
[[maybe_unused]] inline int32 halved_even(int32 x, int shift) {
    if (shift == 0) {
        return x;
    }
    const int32 floor = x >> shift;
    const uint32 rest = uint32(x) & ((uint32(1) << shift) - 1);
    const uint32 half = uint32(1) << (shift - 1);
    return floor + (rest > half || (rest == half && (floor & 1)) ? 1 : 0);
}

// x * 2^shift, saturated, shift from 0 to 30.
[[maybe_unused]] inline int32 doubled(int32 x, int shift) {
    const int32 most = 0x7fffffff >> shift;
    return x > most ? 0x7fffffff : x < -most - 1 ? -0x7fffffff - 1 : int32(uint32(x) << shift);
}

}  // namespace
