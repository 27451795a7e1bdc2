// Retained rows as operand pieces in int8, q = 127 v / M with the row's M, and behind the last piece the scales.
//
//   b = leading zeros of M - 1;  h = (M * 2^b + 2^14) >> 15, unsigned, from 2^15 to 2^16
//   inverse = (127 * 2^24 + (h >> 1)) / h
//   q = srs(v * 2^b * inverse, 39) to even; 127.004 at most before it is rounded, and 0.004 at most from 127 v / M
//
// |v| is at most M, so v * 2^b fits in 32 bits; M is at least 1.

#include "../scalar.hpp"
#include "source.hpp"

using namespace layout;

namespace {

struct Factor {
    int32 power;
    int32 inverse;
};

inline Factor factor_of(int32 scale) {
    const uint32 greatest = scale < 1 ? 1u : uint32(scale);
    const int b = leading_zeros(greatest) - 1;
    const uint32 h = ((greatest << b) + (1u << 14)) >> 15;
    return {int32(1) << b, int32(((127u << 24) + (h >> 1)) / h)};
}

// Two rows' factors, lane by lane.
struct Factors {
    Wide powers;
    Wide inverses;
};

inline Factors factors_of(const int32 *scales) {
    const Factor upper = factor_of(scales[0]);
    const Factor lower = factor_of(scales[8]);
    return {aie::concat(aie::broadcast<int32, 8>(upper.power), aie::broadcast<int32, 8>(lower.power)),
            aie::concat(aie::broadcast<int32, 8>(upper.inverse), aie::broadcast<int32, 8>(lower.inverse))};
}

inline aie::vector<int16, LANES> quantised(const Wide &v, const Factors &factors) {
    return aie::mul(scaled(v, factors.powers, 0), factors.inverses).template to_vector<int16>(39);
}

}  // namespace

KERNEL(store_rows_int8)(const int32 *scratch, const int32 *scales, int8 *object, int32 row_groups, int32 index,
                        int32 column_blocks, int32 is_bf16) {
    set_arithmetic();
    const int piece = row_groups * SCALE_PIECE;
    const int pieces = OBJECT / piece;
    const int data_pieces = column_blocks >> 1;
    const aie::vector<int8, 32> zero = aie::zeros<int8, 32>();
    for (int group = 0; group < row_groups; group++) {
        const int32 *group_scales = scales + group * BLOCK;
        const Factors upper = factors_of(group_scales);
        const Factors lower = factors_of(group_scales + LANES);
        for (int i = 0; i < pieces; i++) {
            const int number = index * pieces + i;
            int8 *to = object + i * piece + group * SCALE_PIECE;
            for (int column = 0; column < COLUMN_GROUPS; column++) {
                aie::vector<int8, 32> block = zero;
                if (number < data_pieces) {
                    const int at = block_start(number * COLUMN_GROUPS + column, group, row_groups);
                    block = aie::concat(quantised(source(scratch, at, is_bf16 != 0), upper),
                                        quantised(source(scratch, at + LANES, is_bf16 != 0), lower))
                                .pack();
                } else if (number == data_pieces && column < BLOCK_ROWS) {
                    block = aie::load_v<8>(group_scales + column * 8).template cast_to<int8>();
                }
                aie::store_v(to + column * BLOCK, block);
            }
        }
    }
}
