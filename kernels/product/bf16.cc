// acc[64][64] += A(64 x 32) . B(32 x 64) in bf16, as many groups of 4 rows as are asked for.

#include "../architecture.hpp"
#include "tile.hpp"

namespace {

using namespace layout;
using Product = aie::mmul<architecture::HERE.bf16_rows, 8, 8, bfloat16, bfloat16>;

}  // namespace

KERNEL(product_bf16)(const bfloat16 *a, const bfloat16 *b, float *acc, int32 row_groups) {
    set_arithmetic();
    int group = 0;
    for (; group + 2 <= row_groups; group += 2) {
        tile::two_groups<Product, STEPS_BF16>(a + group * tile::OPERAND_ROW<STEPS_BF16>, b, acc + group * tile::RESULT_ROW);
    }
    if (group < row_groups) {
        tile::one_group<Product, STEPS_BF16>(a + group * tile::OPERAND_ROW<STEPS_BF16>, b, acc + group * tile::RESULT_ROW);
    }
}
