// acc[64][64] += A(64 x 64) . B(64 x 64) in 8-bit integers with exact sums of 32 bits, as many groups of 4 rows as are asked for.
//
// Where a step takes 8 rows, two groups of rows are one operand; a last single group goes by steps of 4 rows everywhere.

#include "../architecture.hpp"
#include "tile.hpp"

namespace {

using namespace layout;

using tile::RESULT_ROW;
using tile::STEP;
constexpr int OPERAND_ROW = tile::OPERAND_ROW<STEPS_INT8>;

using Four = aie::mmul<4, 8, 8, int8, int8>;
using Eight = aie::mmul<8, 8, 8, int8, int8>;
static_assert(Eight::size_A == 2 * BLOCK && Eight::size_C == 2 * BLOCK);

// Steps of 8 rows, 1 x 2 blocks of results: as many accumulator registers as 2 x 2 of 4 rows.
[[maybe_unused]] inline void two_groups_by_eight(const int8 *__restrict a, const int8 *__restrict b, int32 *__restrict acc) {
    for (int column = 0; column < COLUMN_GROUPS; column += 2) {
        const int8 *__restrict b0 = b + column * WEIGHTS_BLOCK;
        int32 *__restrict c0 = acc + column * BLOCK;
        int32 *__restrict c1 = c0 + RESULT_ROW;
        Eight left(aie::concat(aie::load_v<BLOCK>(c0), aie::load_v<BLOCK>(c1)));
        Eight right(aie::concat(aie::load_v<BLOCK>(c0 + BLOCK), aie::load_v<BLOCK>(c1 + BLOCK)));
        for (int step = 0; step < STEPS_INT8; step++) {
            const aie::vector<int8, 2 * BLOCK> rows =
                aie::concat(aie::load_v<BLOCK>(a + step * BLOCK), aie::load_v<BLOCK>(a + OPERAND_ROW + step * BLOCK));
            left.mac(rows, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP));
            right.mac(rows, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP + WEIGHTS_BLOCK));
        }
        const aie::vector<int32, 2 * BLOCK> left_results = left.template to_vector<int32>();
        const aie::vector<int32, 2 * BLOCK> right_results = right.template to_vector<int32>();
        aie::store_v(c0, left_results.template extract<BLOCK>(0));
        aie::store_v(c1, left_results.template extract<BLOCK>(1));
        aie::store_v(c0 + BLOCK, right_results.template extract<BLOCK>(0));
        aie::store_v(c1 + BLOCK, right_results.template extract<BLOCK>(1));
    }
}

}  // namespace

KERNEL(product_int8)(const int8 *a, const int8 *b, int32 *acc, int32 row_groups) {
    set_arithmetic();
    int group = 0;
    for (; group + 2 <= row_groups; group += 2) {
        const int8 *rows = a + group * OPERAND_ROW;
        int32 *results = acc + group * RESULT_ROW;
        if constexpr (architecture::HERE.int8_rows == 8) {
            two_groups_by_eight(rows, b, results);
        } else {
            tile::two_groups<Four, STEPS_INT8>(rows, b, results);
        }
    }
    if (group < row_groups) {
        tile::one_group<Four, STEPS_INT8>(a + group * OPERAND_ROW, b, acc + group * RESULT_ROW);
    }
}
