// An object from one buffer to another.

#include "../entry.hpp"
#include "../layout.hpp"

KERNEL(copy_object)(const int8 *object, int8 *target) {
    for (int at = 0; at < layout::OBJECT; at += 64) {
        aie::store_v(target + at, aie::load_v<64>(object + at));
    }
}
