// The matrix unit: accumulators of ROWS x 8 results that take a left block of ROWS x 8 and a right block of 8 x 8 at a time.

#pragma once

#include "bf16_mac.hpp"
#include "int8_mac.hpp"
#include "operations.hpp"

namespace aie {
inline namespace AIE_HOST {

template <unsigned M, unsigned K, unsigned N, typename A, typename B>
class mmul;

template <>
class mmul<4, 8, 8, bfloat16, bfloat16> {
  public:
    static constexpr unsigned size_A = 32, size_B = 64, size_C = 32;

    AIE_INLINE explicit mmul(const vector<float, 32> &results) {
        for (int v = 0; v < Bf16Block::VECTORS; v++) {
            block.sums[v] = simd::load<simd::Floats>(results.data + v * simd::WIDTH);
        }
    }

    AIE_INLINE void mac(const vector<bfloat16, 32> &a, const vector<bfloat16, 64> &b) {
        block.mac(Operand<32>(a), Operand<64>(b));
    }

    template <typename T>
    AIE_INLINE vector<T, 32> to_vector() const {
        static_assert(same<T, float>::value);
        vector<T, 32> results;
        for (int v = 0; v < Bf16Block::VECTORS; v++) simd::store(results.data + v * simd::WIDTH, block.sums[v]);
        return results;
    }

  private:
    Bf16Block block;
};

// On AIE2 4 rows a step, on AIE2P 8; the host has either on both, and of 8 rows makes two blocks of 4.
template <unsigned M>
class mmul<M, 8, 8, int8, int8> {
  public:
    static_assert(M == 4 || M == 8);
    static constexpr unsigned size_A = M * 8, size_B = 64, size_C = M * 8;

    AIE_INLINE explicit mmul(const vector<int32, size_C> &results) {
        for (unsigned half = 0; half < M / 4; half++) {
            for (int v = 0; v < Int8Block::VECTORS; v++) {
                blocks[half].sums[v] = simd::load<simd::Bits>(results.data + 32 * half + v * simd::WIDTH);
            }
        }
    }

    AIE_INLINE void mac(const vector<int8, size_A> &a, const vector<int8, 64> &b) {
        const Int8Right right(b);
        for (unsigned half = 0; half < M / 4; half++) blocks[half].mac(Int8Left(a.template extract<32>(half)), right);
    }

    // To 32 bits without a shift: neither rounding nor saturation has anything to do.
    template <typename T>
    AIE_INLINE vector<T, size_C> to_vector() const {
        static_assert(same<T, int32>::value);
        vector<T, size_C> results;
        for (unsigned half = 0; half < M / 4; half++) {
            for (int v = 0; v < Int8Block::VECTORS; v++) {
                simd::store(results.data + 32 * half + v * simd::WIDTH, blocks[half].sums[v]);
            }
        }
        return results;
    }

  private:
    Int8Block blocks[M / 4];
};

}  // namespace AIE_HOST
}  // namespace aie
