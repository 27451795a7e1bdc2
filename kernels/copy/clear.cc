// A tile of results before its first product: zero as f32 and as i32.

#include "../entry.hpp"
#include "../layout.hpp"

KERNEL(clear)(int32 *acc) {
    const aie::vector<int32, 16> zero = aie::zeros<int32, 16>();
    for (int at = 0; at < layout::ACCUMULATORS / 4; at += 16) {
        aie::store_v(acc + at, zero);
    }
}
