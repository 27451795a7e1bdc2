// The matrix unit's int8 step: exact sums of 32 bits, whatever the order.

#pragma once

#include "simd.hpp"
#include "vector.hpp"

namespace aie {
inline namespace AIE_HOST {

// 8 x 8 elements, rows in pairs: [4 pairs of k][8 columns][2].
struct Int8Right {
    alignas(64) int16_t values[64];

    AIE_INLINE explicit Int8Right(const vector<int8, 64> &v) { simd::widen_pairs(v.data, values); }
};

// 4 rows of 4 pairs of k.
struct Int8Left {
    alignas(64) int16_t values[32];

    AIE_INLINE explicit Int8Left(const vector<int8, 32> &v) { simd::widen(v.data, values); }
};

// 4 x 8 results in native vectors, row by row.
struct Int8Block {
    static constexpr int VECTORS = 32 / simd::WIDTH;

    simd::Bits sums[VECTORS];

    AIE_INLINE void mac(const Int8Left &a, const Int8Right &b) {
        using namespace simd;
        for (int pair = 0; pair < 4; pair++) {
            for (int v = 0; v < VECTORS; v++) {
                sums[v] += Bits(pairs(Halves(left<4>(a.values, v, pair)), Halves(right(b.values, v, pair))));
            }
        }
    }
};

}  // namespace AIE_HOST
}  // namespace aie
