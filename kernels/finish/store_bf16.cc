// Half of a tile of wide results, 64 rows x 32 columns, as an operand in bf16: to f32 and then to bf16, both to nearest even.

#include "../wide.hpp"

using namespace layout;

KERNEL(store_bf16)(const int32 *acc, bfloat16 *object, int32 half) {
    set_arithmetic();
    for (int group = 0; group < ROW_GROUPS; group++) {
        const int32 *from = acc + (group * COLUMN_GROUPS + half * STEPS_BF16) * BLOCK;
        bfloat16 *to = object + group * STEPS_BF16 * BLOCK;
        for (int at = 0; at < STEPS_BF16 * BLOCK; at += LANES) {
            const aie::accum<accfloat, LANES> value(aie::to_float<float>(aie::load_v<LANES>(from + at), Q));
            aie::store_v(to + at, value.template to_vector<bfloat16>());
        }
    }
}
