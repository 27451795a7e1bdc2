// i32 results to wide ones in place: by the column's multiplier, by the row's scale, plus the column's bias.
//
// t = srs(acc * multiplier[column], words[8]); v = srs(t * scale[row], words[9]); v + bias[column], each saturating to 32 bits.

#include "../wide.hpp"

using namespace layout;

KERNEL(finish_int8)(int32 *acc, const int32 *scales, const int32 *parameters) {
    set_arithmetic();
    const int first_shift = parameters[WORD_FIRST_SHIFT];
    const int second_shift = parameters[WORD_SECOND_SHIFT];
    for (int column = 0; column < COLUMN_GROUPS; column++) {
        const Wide bias = both_rows(parameters + HEADER_BIAS / 4 + column * BLOCK_COLUMNS);
        const Wide multiplier = both_rows(parameters + HEADER_MULTIPLIER / 4 + column * BLOCK_COLUMNS);
        for (int group = 0; group < ROW_GROUPS; group++) {
            int32 *block = acc + (group * COLUMN_GROUPS + column) * BLOCK;
            const int32 *scale = scales + group * (SCALE_PIECE / 4);
            for (int at = 0; at < BLOCK; at += LANES) {
                const Wide by_column = scaled(aie::load_v<LANES>(block + at), multiplier, first_shift);
                const Wide by_row = scaled(by_column, aie::load_v<LANES>(scale + at), second_shift);
                aie::store_v(block + at, saturating_sum(by_row, bias));
            }
        }
    }
}
