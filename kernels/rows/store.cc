// Retained rows back into objects: as they are, or as operand pieces in bf16.

#include "piece.hpp"

using namespace layout;

KERNEL(store_rows_wide)(const int32 *scratch, int32 *object, int32, int32 index) {
    const int32 *from = scratch + index * (OBJECT / 4);
    for (int at = 0; at < OBJECT / 4; at += LANES) {
        aie::store_v(object + at, aie::load_v<LANES>(from + at));
    }
}

// Blocks of 32 columns from number index * (blocks of an object) on; behind the last one zeros.
KERNEL(store_rows_bf16)(const int32 *scratch, bfloat16 *object, int32 row_groups, int32 index, int32 column_blocks) {
    set_arithmetic();
    const int piece = row_groups * PIECE_GROUPS * BLOCK;
    const int blocks = OBJECT / 2 / piece;
    const int32 *from = scratch + index * blocks * piece;
    const int whole = column_blocks - index * blocks;
    const int filled = (whole < 0 ? 0 : whole < blocks ? whole : blocks) * piece;
    for (int at = 0; at < filled; at += LANES) {
        const aie::accum<accfloat, LANES> value(aie::to_float<float>(aie::load_v<LANES>(from + at), Q));
        aie::store_v(object + at, value.template to_vector<bfloat16>());
    }
    const aie::vector<bfloat16, LANES> zero = aie::zeros<bfloat16, LANES>();
    for (int at = filled; at < OBJECT / 2; at += LANES) {
        aie::store_v(object + at, zero);
    }
}
