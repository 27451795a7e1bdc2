// A tile of 64 columns by groups of 4 rows, whatever the type: `Product` is an mmul of 4 rows, `STEPS` the steps of 8 inputs of an
// object. Steps go upwards, each one MAC of the hardware: in bf16 the order is part of the result.

#pragma once

#include "../entry.hpp"
#include "../layout.hpp"

namespace tile {

using namespace layout;

inline constexpr int RESULT_ROW = COLUMN_GROUPS * BLOCK;
inline constexpr int STEP = COLUMN_GROUPS * WEIGHTS_BLOCK;

template <int STEPS>
inline constexpr int OPERAND_ROW = STEPS * BLOCK;

// Row groups at `a` and `acc` and the ones after them. 2 x 2 blocks of results keep four accumulators alive, which is as many as do
// not spill, and make two loads of each operand do for two products.
template <typename Product, int STEPS, typename Element, typename Sum>
inline void two_groups(const Element *__restrict a, const Element *__restrict b, Sum *__restrict acc) {
    static_assert(Product::size_A == BLOCK && Product::size_B == WEIGHTS_BLOCK && Product::size_C == BLOCK);
    for (int column = 0; column < COLUMN_GROUPS; column += 2) {
        const Element *__restrict b0 = b + column * WEIGHTS_BLOCK;
        Sum *__restrict c0 = acc + column * BLOCK;
        Sum *__restrict c1 = c0 + RESULT_ROW;
        Product c00(aie::load_v<BLOCK>(c0));
        Product c01(aie::load_v<BLOCK>(c0 + BLOCK));
        Product c10(aie::load_v<BLOCK>(c1));
        Product c11(aie::load_v<BLOCK>(c1 + BLOCK));
        for (int step = 0; step < STEPS; step++) {
            const aie::vector<Element, BLOCK> a0 = aie::load_v<BLOCK>(a + step * BLOCK);
            const aie::vector<Element, BLOCK> a1 = aie::load_v<BLOCK>(a + OPERAND_ROW<STEPS> + step * BLOCK);
            const aie::vector<Element, WEIGHTS_BLOCK> w0 = aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP);
            const aie::vector<Element, WEIGHTS_BLOCK> w1 = aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP + WEIGHTS_BLOCK);
            c00.mac(a0, w0);
            c01.mac(a0, w1);
            c10.mac(a1, w0);
            c11.mac(a1, w1);
        }
        aie::store_v(c0, c00.template to_vector<Sum>());
        aie::store_v(c0 + BLOCK, c01.template to_vector<Sum>());
        aie::store_v(c1, c10.template to_vector<Sum>());
        aie::store_v(c1 + BLOCK, c11.template to_vector<Sum>());
    }
}

template <typename Product, int STEPS, typename Element, typename Sum>
inline void one_group(const Element *__restrict a, const Element *__restrict b, Sum *__restrict acc) {
    for (int column = 0; column < COLUMN_GROUPS; column += 2) {
        const Element *__restrict b0 = b + column * WEIGHTS_BLOCK;
        Sum *__restrict c0 = acc + column * BLOCK;
        Product c00(aie::load_v<BLOCK>(c0));
        Product c01(aie::load_v<BLOCK>(c0 + BLOCK));
        for (int step = 0; step < STEPS; step++) {
            const aie::vector<Element, BLOCK> a0 = aie::load_v<BLOCK>(a + step * BLOCK);
            c00.mac(a0, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP));
            c01.mac(a0, aie::load_v<WEIGHTS_BLOCK>(b0 + step * STEP + WEIGHTS_BLOCK));
        }
        aie::store_v(c0, c00.template to_vector<Sum>());
        aie::store_v(c0 + BLOCK, c01.template to_vector<Sum>());
    }
}

}  // namespace tile
