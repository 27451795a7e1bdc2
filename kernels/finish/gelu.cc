// GELU of a tile of wide results in place: x * Phi(x) = max(x, 0) - g(|x|) with g(a) = a * Phi(-a), which a table holds.
//
// a = min(|x|, 8 * 65536 - 1); the table has g in Q17 at every 64th: index = a >> 10, f = a & 1023, and between two entries
// g = table[index] * (1024 - f) + table[index + 1] * f in Q27; the result is max(x, 0) - srs(g, 11). Beyond 8, g is below a
// half of the last place. Scalar: an element needs two entries of its own from the table.

#include "../wide.hpp"

using namespace layout;

namespace {

constexpr int LAST = 8 * 65536 - 1;

inline int32 gelu_of(int32 x, const int16 *table) {
    const int32 a = x > LAST || x < -LAST ? LAST : x < 0 ? -x : x;
    const int32 index = a >> 10;
    const int32 f = a & 1023;
    const int32 g = table[index] * (1024 - f) + table[index + 1] * f;
    const int32 rounded = (g + 1023 + (g >> 11 & 1)) >> 11;
    return (x > 0 ? x : 0) - rounded;
}

}  // namespace

KERNEL(gelu)(int32 *acc, const int16 *parameters) {
    const int16 *table = parameters + HEADER_TABLE / 2;
    for (int at = 0; at < ACCUMULATORS / 4; at++) {
        acc[at] = gelu_of(acc[at], table);
    }
}
