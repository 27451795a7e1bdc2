// acc[64][64] += A(64 x 32) . B(32 x 64) in bf16, as many groups of 4 rows as are asked for.
//
// Steps of 8 inputs go upwards, and each is one MAC of the hardware: the order is part of the result. 2 x 2 blocks of results
// keep four accumulators alive, which is as many as do not spill, and make two loads of each operand do for two products.

#include "../architecture.hpp"
#include "../entry.hpp"
#include "../layout.hpp"

namespace {

using namespace layout;
using Product = aie::mmul<architecture::HERE.bf16_rows, 8, 8, bfloat16, bfloat16>;

static_assert(Product::size_A == BLOCK && Product::size_B == WEIGHTS_BLOCK && Product::size_C == BLOCK);

constexpr int RESULT_ROW = COLUMN_GROUPS * BLOCK;
constexpr int OPERAND_ROW = STEPS_BF16 * BLOCK;
constexpr int STEP = COLUMN_GROUPS * WEIGHTS_BLOCK;

// Row groups at `a` and `acc` and the ones after them.
inline void two_groups(const bfloat16 *__restrict a, const bfloat16 *__restrict b, float *__restrict acc) {
    for (int column = 0; column < COLUMN_GROUPS; column += 2) {
        const bfloat16 *__restrict b0 = b + column * WEIGHTS_BLOCK;
        float *__restrict c0 = acc + column * BLOCK;
        float *__restrict c1 = c0 + RESULT_ROW;
        Product c00(aie::load_v<BLOCK>(c0));
        Product c01(aie::load_v<BLOCK>(c0 + BLOCK));
        Product c10(aie::load_v<BLOCK>(c1));
        Product c11(aie::load_v<BLOCK>(c1 + BLOCK));
        for (int step = 0; step < STEPS_BF16; step++) {
            const aie::vector<bfloat16, BLOCK> a0 = aie::load_v<BLOCK>(a + step * BLOCK);
            const aie::vector<bfloat16, BLOCK> a1 = aie::load_v<BLOCK>(a + OPERAND_ROW + step * BLOCK);
            const aie::vector<bfloat16, WEIGHTS_BLOCK> w0 = aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP);
            const aie::vector<bfloat16, WEIGHTS_BLOCK> w1 = aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP + WEIGHTS_BLOCK);
            c00.mac(a0, w0);
            c01.mac(a0, w1);
            c10.mac(a1, w0);
            c11.mac(a1, w1);
        }
        aie::store_v(c0, c00.template to_vector<float>());
        aie::store_v(c0 + BLOCK, c01.template to_vector<float>());
        aie::store_v(c1, c10.template to_vector<float>());
        aie::store_v(c1 + BLOCK, c11.template to_vector<float>());
    }
}

inline void one_group(const bfloat16 *__restrict a, const bfloat16 *__restrict b, float *__restrict acc) {
    for (int column = 0; column < COLUMN_GROUPS; column += 2) {
        const bfloat16 *__restrict b0 = b + column * WEIGHTS_BLOCK;
        float *__restrict c0 = acc + column * BLOCK;
        Product c00(aie::load_v<BLOCK>(c0));
        Product c01(aie::load_v<BLOCK>(c0 + BLOCK));
        for (int step = 0; step < STEPS_BF16; step++) {
            const aie::vector<bfloat16, BLOCK> a0 = aie::load_v<BLOCK>(a + step * BLOCK);
            c00.mac(a0, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP));
            c01.mac(a0, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP + WEIGHTS_BLOCK));
        }
        aie::store_v(c0, c00.template to_vector<float>());
        aie::store_v(c0 + BLOCK, c01.template to_vector<float>());
    }
}

}  // namespace

KERNEL(product_bf16)(const bfloat16 *a, const bfloat16 *b, float *acc, int32 row_groups) {
    set_arithmetic();
    int group = 0;
    for (; group + 2 <= row_groups; group += 2) {
        two_groups(a + group * OPERAND_ROW, b, acc + group * RESULT_ROW);
    }
    if (group < row_groups) {
        one_group(a + group * OPERAND_ROW, b, acc + group * RESULT_ROW);
    }
}
