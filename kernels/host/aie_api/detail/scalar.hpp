// Element types and the conversions between them, one element at a time.

#pragma once

#include <stdint.h>

#include "mode.hpp"

using int8 = int8_t;
using uint8 = uint8_t;
using int16 = int16_t;
using uint16 = uint16_t;
using int32 = int32_t;
using uint32 = uint32_t;
using int64 = int64_t;

struct bfloat16 {
    uint16_t bits;
};

struct acc32;
struct acc64;
struct accfloat;

namespace aie {
inline namespace AIE_HOST {

template <typename A, typename B>
struct same {
    static constexpr bool value = false;
};
template <typename A>
struct same<A, A> {
    static constexpr bool value = true;
};

// What an accumulator's lane is kept in.
template <typename Tag>
struct lane;
template <>
struct lane<acc32> {
    using type = int32_t;
};
template <>
struct lane<acc64> {
    using type = int64_t;
};
template <>
struct lane<accfloat> {
    using type = float;
};

template <typename T>
struct limits;
template <>
struct limits<int8_t> {
    static constexpr int64_t least = INT8_MIN, greatest = INT8_MAX;
};
template <>
struct limits<int16_t> {
    static constexpr int64_t least = INT16_MIN, greatest = INT16_MAX;
};
template <>
struct limits<int32_t> {
    static constexpr int64_t least = INT32_MIN, greatest = INT32_MAX;
};

template <typename To, typename From>
AIE_INLINE To bits_of(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof(To));
    return to;
}

AIE_INLINE float to_scalar_float(bfloat16 x) { return bits_of<float>(uint32_t(x.bits) << 16); }

AIE_INLINE bfloat16 to_bfloat16(float x, rounding_mode rounding) {
    const uint32_t bits = bits_of<uint32_t>(x);
    if ((bits & 0x7fffffff) > 0x7f800000) {
        return {uint16_t(bits >> 16 | 0x40)};
    }
    const uint32_t up = rounding == rounding_mode::conv_even ? 0x7fff + (bits >> 16 & 1) : 0;
    return {uint16_t((bits + up) >> 16)};
}

// Shift, round, saturate: what every move from an accumulator to a vector does. Shifts from 0 to 62.
template <typename T, bool EVEN, bool SATURATE>
AIE_INLINE T shifted(int64_t x, int shift) {
    int64_t y = x;
    if constexpr (EVEN) {
        // Less than a half, and a last place more if what lies above it is odd: to the nearest, and of two to the even one.
        const uint64_t below_half = shift > 0 ? (uint64_t(1) << (shift - 1)) - 1 : 0;
        const uint64_t odd = uint64_t(x) >> shift & (shift > 0 ? 1 : 0);
        y = int64_t(uint64_t(x) + below_half + odd);
    }
    y >>= shift;
    if constexpr (SATURATE) {
        y = y < limits<T>::least ? limits<T>::least : y;
        y = y > limits<T>::greatest ? limits<T>::greatest : y;
    }
    return T(y);
}

// The nearest integer to x * 2^shift, even of two, saturated whatever the mode; 0 if x is not a number.
AIE_INLINE int32_t fixed(float x, int shift) {
    const double scaled = double(x) * bits_of<double>(uint64_t(1023 + shift) << 52);
    // A double of this size has no fraction bits left, so that adding it rounds as its addition does: to even.
    const double rounder = 6755399441055744.0;
    const double bounded = scaled < -2147483648.0 ? -2147483648.0 : scaled > 2147483647.0 ? 2147483647.0 : scaled;
    const double integer = (bounded + rounder) - rounder;
    return x == x ? int32_t(integer) : 0;
}

}  // namespace AIE_HOST
}  // namespace aie
