// One block of 64 keys' scores to probabilities in place, against the greatest score so far; output and sum follow when it grows.
//
// For each of 32 queries, in log2 units and Q16; "srs" rounds to even and saturates:
//
//   s = srs(to_fixed(score, 12) * words[5], 26), not beyond +-2^29; absent keys have s = -2^30
//   m' = max(maximum, the greatest s, up to a multiple of 65536)
//   k = (m' - maximum) >> 16; if k > 0, output row and sum by 2^-k: the exponent field less k, +0 where it is not above k
//   p = bf16(2^(s - m')) to nearest even; 0 if s - m' < -125 * 65536 or the key is absent
//   sum = the row's p times ones, 8 keys at a step upwards, on top of the sum so far: steps of the matrix unit
//
// A key is absent if it is not below words[4], or, where words[6] is 1, beyond key words[7] + i for query i. With no key present,
// the row keeps its maximum and all its probabilities are 0.
//
// Row group g's probabilities go to bytes g * 512 onwards, [8 groups of keys][4][8] in bf16. Its scores begin at g * 1024, so
// nothing unread is overwritten, if columns are taken upwards.

#include "../architecture.hpp"
#include "exponential.hpp"

using namespace layout;

namespace {

using Product = aie::mmul<architecture::HERE.bf16_rows, 8, 8, bfloat16, bfloat16>;
using Eight = aie::vector<int32, 8>;

constexpr int32 ABSENT = -(1 << 30);
constexpr int32 BOUND = 1 << 29;
constexpr int GROUP = COLUMN_GROUPS * BLOCK;
constexpr uint16 ONE = 0x3f80;

alignas(64) constexpr int32 KEY_NUMBERS[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};

inline Wide lanes_of(int32 upper, int32 lower) {
    return aie::concat(aie::broadcast<int32, 8>(upper), aie::broadcast<int32, 8>(lower));
}

// The number of keys that a query sees.
inline int32 limit_of(const int32 *parameters, int query) {
    const int32 keys = parameters[WORD_KEYS];
    const int32 causal = parameters[WORD_LAST_KEY] + query + 1;
    return parameters[WORD_CAUSAL] != 0 && causal < keys ? causal : keys;
}

// Two rows' scores of all keys to s, in place; gives the greatest of each lane.
inline Wide scale_scores(float *rows, int32 factor, const Wide &limits, int first_key) {
    const Wide factors = aie::broadcast<int32, LANES>(factor);
    const Wide absent = aie::broadcast<int32, LANES>(ABSENT);
    Wide greatest = absent;
    for (int column = 0; column < COLUMN_GROUPS; column++) {
        const Wide key = aie::add(aie::load_v<LANES>(KEY_NUMBERS), int32(first_key + column * BLOCK_COLUMNS));
        const Wide fixed = aie::to_fixed<int32>(aie::load_v<LANES>(rows + column * BLOCK), 12);
        const Wide bounded = aie::min(aie::max(scaled(fixed, factors, 26), -BOUND), BOUND);
        const Wide s = aie::select(absent, bounded, aie::lt(key, limits));
        greatest = aie::max(greatest, s);
        aie::store_v(rows + column * BLOCK, s.template cast_to<float>());
    }
    return greatest;
}

// Two rows' probabilities of one group of keys.
inline aie::vector<bfloat16, LANES> probabilities(const Wide &s, const Wide &maximum, const int32 *table) {
    const Wide t = aie::sub(s, maximum);
    const aie::vector<float, LANES> p = exponential(aie::max(t, LEAST), table);
    const Wide bits = p.template cast_to<int32>();
    const Wide zero = aie::zeros<int32, LANES>();
    const Wide near = aie::select(bits, zero, aie::lt(t, LEAST));
    const Wide present = aie::select(near, zero, aie::lt(s, -BOUND));
    return aie::accum<accfloat, LANES>(present.template cast_to<float>()).template to_vector<bfloat16>();
}

// The float's bits by 2^-k, k from 1 to 255.
inline Eight shrunk(const Eight &bits, int32 k) {
    const Eight field = aie::broadcast<int32, 8>(k << 23);
    const Eight exponent = aie::bit_and(int32(0x7f800000), bits);
    return aie::select(aie::zeros<int32, 8>(), aie::sub(bits, field), aie::lt(field, exponent));
}

// Raises a row's maximum to `greatest` if that is above it, and takes its output and sum along.
inline void raise(int32 *state, int32 *output, int query, int32 greatest) {
    const int32 whole = int32(uint32(greatest + 65535) & 0xffff0000u);
    const int32 before = state[query];
    if (whole <= before) {
        return;
    }
    state[query] = whole;
    const int32 steps = int32(uint32(whole) - uint32(before)) >> 16;
    const int32 k = steps >= 126 ? 255 : steps;
    int32 *sum = state + STATE_SUM / 4 + query;
    *sum = shrunk(aie::broadcast<int32, 8>(*sum), k)[0];
    int32 *row = output + (query >> 2) * GROUP + (query & 3) * BLOCK_COLUMNS;
    for (int column = 0; column < COLUMN_GROUPS; column++) {
        aie::store_v(row + column * BLOCK, shrunk(aie::load_v<8>(row + column * BLOCK), k));
    }
}

// Four rows from maxima that are settled.
inline void group_probabilities(float *group_scores, bfloat16 *to, int32 *maximum, const int32 *table) {
    const aie::vector<bfloat16, WEIGHTS_BLOCK> ones =
        aie::broadcast<uint16, WEIGHTS_BLOCK>(ONE).template cast_to<bfloat16>();
    int32 *sums = maximum + STATE_SUM / 4;
    const Wide upper = lanes_of(maximum[0], maximum[1]);
    const Wide lower = lanes_of(maximum[2], maximum[3]);
    Product sum(aie::concat(lanes_of(sums[0], sums[1]), lanes_of(sums[2], sums[3])).template cast_to<float>());
    for (int column = 0; column < COLUMN_GROUPS; column++) {
        const Wide s_upper = aie::load_v<LANES>(group_scores + column * BLOCK).template cast_to<int32>();
        const Wide s_lower = aie::load_v<LANES>(group_scores + column * BLOCK + LANES).template cast_to<int32>();
        const aie::vector<bfloat16, BLOCK> p =
            aie::concat(probabilities(s_upper, upper, table), probabilities(s_lower, lower, table));
        aie::store_v(to + column * BLOCK, p);
        sum.mac(p, ones);
    }
    const aie::vector<int32, BLOCK> totals = sum.template to_vector<float>().template cast_to<int32>();
    sums[0] = totals[0];
    sums[1] = totals[8];
    sums[2] = totals[16];
    sums[3] = totals[24];
}

}  // namespace

KERNEL(softmax)(float *scores, int32 *output, int32 *state, const int32 *parameters, int32 block) {
    set_arithmetic();
    const int32 factor = parameters[WORD_SCORE_SCALE];
    const int32 *table = parameters + HEADER_TABLE / 4;
    bfloat16 *to = reinterpret_cast<bfloat16 *>(scores);
    for (int group = 0; group < QUERY_GROUPS; group++) {
        float *group_scores = scores + group * GROUP;
        for (int pair = 0; pair < 2; pair++) {
            const int query = group * BLOCK_ROWS + 2 * pair;
            const Wide limits = lanes_of(limit_of(parameters, query), limit_of(parameters, query + 1));
            const Wide greatest = scale_scores(group_scores + pair * LANES, factor, limits, block * KEYS);
            raise(state, output, query, aie::reduce_max(greatest.template extract<8>(0)));
            raise(state, output, query + 1, aie::reduce_max(greatest.template extract<8>(1)));
        }
        group_probabilities(group_scores, to + group * GROUP, state + group * BLOCK_ROWS, table);
    }
}
