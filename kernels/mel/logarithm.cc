// log10 of a quarter of a tile of f32 results, at least -10, as a wide object.
//
// Of the float's bits, e = (bits >> 23) - 127 and m = bits & (2^23 - 1): log2 = e * 2^20 + T[hi] + ((T[hi + 1] - T[hi]) * lo >> 15)
// in Q20 with hi = m >> 15, lo = m & 32767 and the table T[i] = round(2^20 * log2(1 + i / 256)), i = 0 to 256, in the header.
// The result is srs(log2 * 1292913986, 36), 1292913986 = round(2^32 * log10(2)), and not less than -10 * 2^16, which is also what
// zero and negative numbers give. Scalar up to the table's value: an element needs two entries of its own.

#include "../wide.hpp"

using namespace layout;

namespace {

constexpr int GROUPS = ROW_GROUPS / 2;
constexpr int COLUMNS = COLUMN_GROUPS / 2;
constexpr int32 FLOOR = -10 * 65536;
constexpr int32 LOG10_OF_2 = 1292913986;

// In Q20.
inline int32 log2_of(int32 bits, const int32 *table) {
    const int32 mantissa = bits & 0x7fffff;
    const int32 hi = mantissa >> 15;
    const int32 lo = mantissa & 32767;
    return ((bits >> 23) - 127) * (1 << 20) + table[hi] + ((table[hi + 1] - table[hi]) * lo >> 15);
}

}  // namespace

KERNEL(store_logarithm)(const int32 *acc, const int32 *parameters, int32 *object, int32 quarter) {
    set_arithmetic();
    const int32 *table = parameters + HEADER_TABLE / 4;
    const Wide factor = aie::broadcast<int32, LANES>(LOG10_OF_2);
    const Wide floor = aie::broadcast<int32, LANES>(FLOOR);
    for (int group = 0; group < GROUPS; group++) {
        const int row = (quarter >> 1) * GROUPS + group;
        const int32 *from = acc + (row * COLUMN_GROUPS + (quarter & 1) * COLUMNS) * BLOCK;
        int32 *to = object + group * COLUMNS * BLOCK;
        for (int at = 0; at < COLUMNS * BLOCK; at++) {
            // Bits below those of the smallest normal float are a number too small, bits with the sign a negative one.
            to[at] = from[at] < 1 << 23 ? INT32_MIN : log2_of(from[at], table);
        }
        for (int at = 0; at < COLUMNS * BLOCK; at += LANES) {
            aie::store_v(to + at, aie::max(scaled(aie::load_v<LANES>(to + at), factor, 36), floor));
        }
    }
}
