// A piece of rows into the scratch, where the operations on rows find them.

#include "../entry.hpp"
#include "../layout.hpp"

KERNEL(keep)(const int8 *object, int8 *scratch, int32 index) {
    int8 *to = scratch + index * layout::OBJECT;
    for (int at = 0; at < layout::OBJECT; at += 64) {
        aie::store_v(to + at, aie::load_v<64>(object + at));
    }
}
