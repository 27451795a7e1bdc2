// scores = Q . K^T of 32 queries and 64 keys, over one half of the head's columns at a time; half 0 begins, half 1 adds.
//
// Steps of 8 columns go upwards. Two blocks of 4 keys, transposed, are a right operand.

#include "block.hpp"

using namespace layout;

KERNEL(scores)(const bfloat16 *query, const bfloat16 *keys, float *scores, int32 half) {
    set_arithmetic();
    const bfloat16 *queries = query + half * (QUERY_GROUPS * HALF_COLUMNS * BLOCK);
    const aie::vector<float, BLOCK> zero = aie::zeros<float, BLOCK>();
    for (int column = 0; column < COLUMNS; column += 2) {
        for (int group = 0; group < QUERY_GROUPS; group += 2) {
            const bfloat16 *__restrict q0 = queries + group * HALF_COLUMNS * BLOCK;
            const bfloat16 *__restrict q1 = q0 + HALF_COLUMNS * BLOCK;
            float *__restrict c0 = scores + (group * COLUMNS + column) * BLOCK;
            float *__restrict c1 = c0 + COLUMNS * BLOCK;
            Product c00(half == 0 ? zero : aie::load_v<BLOCK>(c0));
            Product c01(half == 0 ? zero : aie::load_v<BLOCK>(c0 + BLOCK));
            Product c10(half == 0 ? zero : aie::load_v<BLOCK>(c1));
            Product c11(half == 0 ? zero : aie::load_v<BLOCK>(c1 + BLOCK));
            for (int step = 0; step < HALF_COLUMNS; step++) {
                const Left a0 = aie::load_v<BLOCK>(q0 + step * BLOCK);
                const Left a1 = aie::load_v<BLOCK>(q1 + step * BLOCK);
                const Right k0 = aie::transpose(eight_rows(keys, column, step), 8, 8);
                const Right k1 = aie::transpose(eight_rows(keys, column + 1, step), 8, 8);
                c00.mac(a0, k0);
                c01.mac(a0, k1);
                c10.mac(a1, k0);
                c11.mac(a1, k1);
            }
            aie::store_v(c0, c00.template to_vector<float>());
            aie::store_v(c0 + BLOCK, c01.template to_vector<float>());
            aie::store_v(c1, c10.template to_vector<float>());
            aie::store_v(c1 + BLOCK, c11.template to_vector<float>());
        }
    }
}
