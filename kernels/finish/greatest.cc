// The greatest of each row over the tiles of a product, and its column: logits with argmax.
//
// "best" has for each 4 rows their greatest values so far and, behind them, these values' columns: [16]{i32[4], i32[4]}. Of a tile, only
// the first `columns` columns count; its first is column `first_column` of the whole. Of equals, the first stays.

#include "../scalar.hpp"
#include "../wide.hpp"

using namespace layout;

namespace {

constexpr int32 NONE = -0x7fffffff - 1;
constexpr int32 BEHIND_ALL = 0x7fffffff;

alignas(64) constexpr int32 COLUMN_NUMBERS[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};

// A row's eight lanes to one.
inline void settle(int32 *best, int row, const aie::vector<int32, 8> &values, const aie::vector<int32, 8> &columns,
                   int32 first_column, int32 begins) {
    const int32 value = aie::reduce_max(values);
    if (begins == 0 && value <= best[row]) {
        return;
    }
    const aie::vector<int32, 8> behind = aie::broadcast<int32, 8>(BEHIND_ALL);
    best[row] = value;
    best[BLOCK_ROWS + row] = first_column + aie::reduce_min(aie::select(columns, behind, aie::lt(values, value)));
}

}  // namespace

KERNEL(greatest)(const int32 *acc, int32 *best, int32 row_groups, int32 first_column, int32 columns, int32 begins) {
    for (int group = 0; group < row_groups; group++) {
        int32 *to = best + group * 2 * BLOCK_ROWS;
        for (int half = 0; half < 2; half++) {
            const int32 *rows = acc + group * COLUMN_GROUPS * BLOCK + half * LANES;
            Wide values = aie::broadcast<int32, LANES>(NONE);
            Wide places = aie::load_v<LANES>(COLUMN_NUMBERS);
            for (int column = 0; column < COLUMN_GROUPS; column++) {
                const Wide place = aie::add(aie::load_v<LANES>(COLUMN_NUMBERS), int32(column * BLOCK_COLUMNS));
                const Wide value = aie::load_v<LANES>(rows + column * BLOCK);
                const Wide counted = aie::select(aie::broadcast<int32, LANES>(NONE), value, aie::lt(place, columns));
                const aie::mask<LANES> is_greater = aie::lt(values, counted);
                values = aie::select(values, counted, is_greater);
                places = aie::select(places, place, is_greater);
            }
            settle(to, 2 * half, values.template extract<8>(0), places.template extract<8>(0), first_column, begins);
            settle(to, 2 * half + 1, values.template extract<8>(1), places.template extract<8>(1), first_column, begins);
        }
    }
}

// The same as the first bytes of an object.
KERNEL(store_greatest)(const int32 *best, int32 *object, int32 row_groups) {
    const aie::vector<int32, 8> zeros = aie::zeros<int32, 8>();
    for (int at = 0; at < OBJECT / 4; at += 2 * BLOCK_ROWS) {
        aie::store_v(object + at, at < row_groups * 2 * BLOCK_ROWS ? aie::load_v<8>(best + at) : zeros);
    }
}
