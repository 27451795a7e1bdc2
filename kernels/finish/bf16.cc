// f32 results to wide ones in place, with the bias: saturate(rne(x * 2^16)) + bias[column], saturating; NaN becomes 0 + bias.

#include "../wide.hpp"

using namespace layout;

KERNEL(finish_bf16)(float *acc, const int32 *parameters) {
    set_arithmetic();
    for (int column = 0; column < COLUMN_GROUPS; column++) {
        const Wide bias = both_rows(parameters + HEADER_BIAS / 4 + column * BLOCK_COLUMNS);
        for (int group = 0; group < ROW_GROUPS; group++) {
            float *block = acc + (group * COLUMN_GROUPS + column) * BLOCK;
            for (int at = 0; at < BLOCK; at += LANES) {
                const Wide value = aie::to_fixed<int32>(aie::load_v<LANES>(block + at), Q);
                aie::store_v(block + at, saturating_sum(value, bias).template cast_to<float>());
            }
        }
    }
}
