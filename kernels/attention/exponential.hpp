// 2^x of 16 lanes by a table.

#pragma once

#include "../wide.hpp"

namespace {

// The least exponent; what is below it is 0.
inline constexpr int32 LEAST = -125 * 65536;

// round(ln 2 * 2^18)
inline constexpr int32 SLOPE = 181704;

// 2^t as f32, t from LEAST to 0 in Q16; the caller makes 0 of what is less. `table` has round(2^23 (2^(i/256) - 1)), i = 0..255.
//
//   f = t & 65535, lo = f & 255, M = table[f >> 8]
//   m = M + srs((2^23 + M) * (lo * SLOPE), 34), the tangent at the table's point, below the curve by at most 3.7e-6 of it
//   the result's bits are ((t >> 16) + 127) * 2^23 + m
//
// m stays below 2^23, for the tangent lies below the curve.
[[maybe_unused]] inline aie::vector<float, LANES> exponential(const Wide &t, const int32 *table) {
    const Wide f = aie::bit_and(int32(65535), t);
    const Wide lo = aie::bit_and(int32(255), f);
    const Wide hi = aie::downshift(aie::sub(f, lo), 8);
    Wide mantissa;
    for (int i = 0; i < LANES; i++) {
        mantissa.set(table[hi.get(i)], i);
    }
    const Wide slope = scaled(lo, aie::broadcast<int32, LANES>(SLOPE), 0);
    const Wide rise = scaled(aie::add(mantissa, int32(1 << 23)), slope, 34);
    const Wide exponent = aie::upshift(aie::sub(t, f), 7);
    const Wide bits = aie::add(aie::add(exponent, int32(127 << 23)), aie::add(mantissa, rise));
    return bits.template cast_to<float>();
}

}  // namespace
