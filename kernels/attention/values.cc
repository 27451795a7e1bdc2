// output += P . V of 32 queries and 64 keys, for one half of the head's columns at a time. Steps of 8 keys go upwards.
//
// Probabilities lie as [8 row groups][8 groups of keys][4][8] in bf16, which is the order that softmax leaves them in.

#include "block.hpp"

using namespace layout;

KERNEL(values)(const bfloat16 *probabilities, const bfloat16 *values, float *output, int32 half) {
    set_arithmetic();
    for (int column = 0; column < HALF_COLUMNS; column += 2) {
        for (int group = 0; group < QUERY_GROUPS; group += 2) {
            const bfloat16 *__restrict p0 = probabilities + group * COLUMNS * BLOCK;
            const bfloat16 *__restrict p1 = p0 + COLUMNS * BLOCK;
            float *__restrict c0 = output + (group * COLUMNS + half * HALF_COLUMNS + column) * BLOCK;
            float *__restrict c1 = c0 + COLUMNS * BLOCK;
            Product c00(aie::load_v<BLOCK>(c0));
            Product c01(aie::load_v<BLOCK>(c0 + BLOCK));
            Product c10(aie::load_v<BLOCK>(c1));
            Product c11(aie::load_v<BLOCK>(c1 + BLOCK));
            for (int step = 0; step < COLUMNS; step++) {
                const Left a0 = aie::load_v<BLOCK>(p0 + step * BLOCK);
                const Left a1 = aie::load_v<BLOCK>(p1 + step * BLOCK);
                const Right v0 = eight_rows(values, step, column);
                const Right v1 = eight_rows(values, step, column + 1);
                c00.mac(a0, v0);
                c01.mac(a0, v1);
                c10.mac(a1, v0);
                c11.mac(a1, v1);
            }
            aie::store_v(c0, c00.template to_vector<float>());
            aie::store_v(c0 + BLOCK, c01.template to_vector<float>());
            aie::store_v(c1, c10.template to_vector<float>());
            aie::store_v(c1 + BLOCK, c11.template to_vector<float>());
        }
    }
}
