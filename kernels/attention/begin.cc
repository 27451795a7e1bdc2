// A block of 32 queries before its first keys: the queries kept, no output, no sum, a maximum below every score.

#include "../entry.hpp"
#include "../layout.hpp"

using namespace layout;

namespace {

constexpr int32 BELOW_ALL = -(1 << 30);

inline void fill(int32 *to, int words, int32 x) {
    const aie::vector<int32, 16> filling = aie::broadcast<int32, 16>(x);
    for (int at = 0; at < words; at += 16) {
        aie::store_v(to + at, filling);
    }
}

}  // namespace

KERNEL(attend_begin)(const int32 *object, int32 *query, int32 *output, int32 *state) {
    for (int at = 0; at < OBJECT / 4; at += 16) {
        aie::store_v(query + at, aie::load_v<16>(object + at));
    }
    fill(output, SCORES / 4, 0);
    fill(state, QUERIES, BELOW_ALL);
    fill(state + QUERIES, STATE / 4 - QUERIES, 0);
}
