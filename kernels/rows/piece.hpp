// How rows lie in the scratch: [32-column block][row group][4 groups of 8 columns][4 rows][8 columns].

#pragma once

#include "../wide.hpp"

namespace {

// Column groups in a block of 32 columns.
inline constexpr int PIECE_GROUPS = 4;

// Element at which the four rows of 8 columns begin; `column_group` counts groups of 8 from the row's first.
[[maybe_unused]] inline int block_start(int column_group, int row_group, int row_groups) {
    return (((column_group >> 2) * row_groups + row_group) * PIECE_GROUPS + (column_group & 3)) * layout::BLOCK;
}

// 16 neighbouring columns of a row: two blocks' lines.
[[maybe_unused]] inline Wide line(const int32 *from) {
    return aie::concat(aie::load_v<8>(from), aie::load_v<8>(from + layout::BLOCK));
}

[[maybe_unused]] inline void set_line(int32 *to, const Wide &x) {
    aie::store_v(to, x.template extract<8>(0));
    aie::store_v(to + layout::BLOCK, x.template extract<8>(1));
}

}  // namespace
