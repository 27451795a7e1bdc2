// output / sum as an operand in bf16, [2 halves][8 row groups][4 groups of columns][4][8]; a sum of 0 gives zeros.
//
// The reciprocal is made from the sum's bits, exponent field x and 23 bits of fraction:
//
//   h = (2^23 + fraction + 128) >> 8, from 2^15 to 2^16;  q = (2^31 + (h >> 1)) / h, unsigned
//   bits = (253 - x) * 2^23 + (q - 2^15) * 256, within 2^-15 of 1 / sum; 0 if x is 0 or above 252
//
// output * reciprocal is a product of floats, then rounded to bf16, each to nearest even.

#include "../entry.hpp"
#include "../layout.hpp"

using namespace layout;

namespace {

constexpr int LANES = 16;

inline int32 reciprocal(int32 bits) {
    const int32 exponent = bits >> 23 & 255;
    if (exponent == 0 || exponent > 252) {
        return 0;
    }
    const uint32 h = ((1u << 23) + (uint32(bits) & 0x7fffffu) + 128u) >> 8;
    const uint32 q = ((1u << 31) + (h >> 1)) / h;
    return ((253 - exponent) << 23) + ((int32(q) - (1 << 15)) * 256);
}

inline aie::vector<float, LANES> both(int32 upper, int32 lower) {
    return aie::concat(aie::broadcast<int32, 8>(upper), aie::broadcast<int32, 8>(lower)).template cast_to<float>();
}

}  // namespace

KERNEL(attend_finish)(const float *output, const int32 *state, bfloat16 *object) {
    set_arithmetic();
    const int32 *sums = state + STATE_SUM / 4;
    for (int group = 0; group < QUERY_GROUPS; group++) {
        const int32 *sum = sums + group * BLOCK_ROWS;
        const aie::vector<float, LANES> upper = both(reciprocal(sum[0]), reciprocal(sum[1]));
        const aie::vector<float, LANES> lower = both(reciprocal(sum[2]), reciprocal(sum[3]));
        for (int column = 0; column < COLUMN_GROUPS; column++) {
            const float *from = output + (group * COLUMN_GROUPS + column) * BLOCK;
            const int half = column / STEPS_BF16;
            bfloat16 *to = object + ((half * QUERY_GROUPS + group) * STEPS_BF16 + column % STEPS_BF16) * BLOCK;
            aie::store_v(to, aie::mul(aie::load_v<LANES>(from), upper).template to_vector<bfloat16>());
            aie::store_v(to + LANES, aie::mul(aie::load_v<LANES>(from + LANES), lower).template to_vector<bfloat16>());
        }
    }
}
