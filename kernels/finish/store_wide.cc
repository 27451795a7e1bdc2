// A quarter of a tile of wide results, 32 rows x 32 columns, as a wide object, alone or with what was there before.

#include "../wide.hpp"

using namespace layout;

namespace {

constexpr int GROUPS = ROW_GROUPS / 2;
constexpr int COLUMNS = COLUMN_GROUPS / 2;

// The quarter's row group: rows (quarter / 2) * 32 onwards, columns (quarter % 2) * 32 onwards.
inline const int32 *quarter_row(const int32 *acc, int quarter, int group) {
    return acc + (((quarter >> 1) * GROUPS + group) * COLUMN_GROUPS + (quarter & 1) * COLUMNS) * BLOCK;
}

}  // namespace

KERNEL(store_wide)(const int32 *acc, int32 *object, int32 quarter) {
    for (int group = 0; group < GROUPS; group++) {
        const int32 *from = quarter_row(acc, quarter, group);
        int32 *to = object + group * COLUMNS * BLOCK;
        for (int at = 0; at < COLUMNS * BLOCK; at += LANES) {
            aie::store_v(to + at, aie::load_v<LANES>(from + at));
        }
    }
}

KERNEL(store_sum)(const int32 *acc, const int32 *before, int32 *object, int32 quarter) {
    set_arithmetic();
    for (int group = 0; group < GROUPS; group++) {
        const int32 *from = quarter_row(acc, quarter, group);
        const int32 *old = before + group * COLUMNS * BLOCK;
        int32 *to = object + group * COLUMNS * BLOCK;
        for (int at = 0; at < COLUMNS * BLOCK; at += LANES) {
            aie::store_v(to + at, saturating_sum(aie::load_v<LANES>(from + at), aie::load_v<LANES>(old + at)));
        }
    }
}
