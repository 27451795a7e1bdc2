// Each row's greatest size, at least 1, at most 2^31 - 1, eight times over; 0 for rows that are not there.

#include "../scalar.hpp"
#include "source.hpp"

using namespace layout;

namespace {

inline void set_scale(int32 *to, const Wide &greatest, const Wide &least, int half) {
    const uint32 size = greatest_size(aie::reduce_max(half == 0 ? greatest.template extract<8>(0) : greatest.template extract<8>(1)),
                                      aie::reduce_min(half == 0 ? least.template extract<8>(0) : least.template extract<8>(1)));
    const int32 scale = size < 1 ? 1 : size > 0x7fffffffu ? 0x7fffffff : int32(size);
    aie::store_v(to, aie::broadcast<int32, 8>(scale));
}

}  // namespace

KERNEL(maxima)(const int32 *scratch, int32 *scales, int32 row_groups, int32 column_blocks, int32 is_bf16) {
    set_arithmetic();
    aie::store_v(scales + 32, aie::zeros<int32, 32>());
    for (int group = 0; group < row_groups; group++) {
        Wide greatest_upper = aie::zeros<int32, LANES>();
        Wide greatest_lower = aie::zeros<int32, LANES>();
        Wide least_upper = aie::zeros<int32, LANES>();
        Wide least_lower = aie::zeros<int32, LANES>();
        for (int column = 0; column < PIECE_GROUPS * column_blocks; column++) {
            const int at = block_start(column, group, row_groups);
            const Wide upper = source(scratch, at, is_bf16 != 0);
            const Wide lower = source(scratch, at + LANES, is_bf16 != 0);
            greatest_upper = aie::max(greatest_upper, upper);
            greatest_lower = aie::max(greatest_lower, lower);
            least_upper = aie::min(least_upper, upper);
            least_lower = aie::min(least_lower, lower);
        }
        int32 *to = scales + group * BLOCK;
        set_scale(to, greatest_upper, least_upper, 0);
        set_scale(to + 8, greatest_upper, least_upper, 1);
        set_scale(to + 16, greatest_lower, least_lower, 0);
        set_scale(to + 24, greatest_lower, least_lower, 1);
    }
}
