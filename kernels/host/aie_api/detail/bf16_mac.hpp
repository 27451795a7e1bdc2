// The matrix unit's bf16 step: for each result, 8 products and the accumulator in one addition.
//
// A product's exponent is taken as ea + eb + 1 whatever its fraction, the accumulator's as it is; E is the greatest of the
// nine, at least -103. Each of the nine is rounded to nearest even onto the grid 2^(E - 23), they are added exactly, and the
// sum is rounded to a float. Zero and denormal operands count as zero. If E is above 127, or an operand is infinite or not a
// number, the result is the quiet NaN 0x7fc00000. The model is xdna-emu's (vector_matmul/bf16_pipeline.rs), which matches
// probes of the silicon; the bound below and the one NaN are ours, so that the grid and its inverse are normal floats.
//
// On a grid 2^(E - 23) each of the nine is an integer of at most 25 bits: x * 2^(23 - E), converted by rounding.

#pragma once

#include "simd.hpp"
#include "vector.hpp"

namespace aie {
inline namespace AIE_HOST {

// A bf16 vector made ready for steps: values as floats and exponents, denormals as zero.
template <unsigned N>
struct Operand {
    alignas(64) float values[N];
    alignas(64) int16_t exponents[N];

    // Out of the way of every sum of two exponents, and beyond every one.
    static constexpr int16_t ZERO = -1000;
    static constexpr int16_t INFINITE = 3000;

    AIE_INLINE explicit Operand(const vector<bfloat16, N> &v) {
        // At least one native vector each way.
        for (unsigned i = 0; i < N; i++) {
            const uint16_t bits = v.data[i].bits;
            const int16_t field = int16_t(bits >> 7 & 255);
            exponents[i] = field == 0 ? ZERO : field == 255 ? INFINITE : field;
            values[i] = bits_of<float>(field == 0 ? 0 : uint32_t(bits) << 16);
        }
    }
};

// 4 x 8 results in native vectors, row by row.
struct Bf16Block {
    static constexpr int VECTORS = 32 / simd::WIDTH;

    simd::Floats sums[VECTORS];

    AIE_INLINE void mac(const Operand<32> &a, const Operand<64> &b) {
        using namespace simd;
        // Biased exponents of the greatest product: ea + eb - 126, the bias of one operand less the 1 that the model adds.
        Halves greatest[VECTORS / 2];
        for (int h = 0; h < VECTORS / 2; h++) {
            greatest[h] = left_halves(a.exponents, h, 0) + right_halves(b.exponents, 0);
            for (int k = 1; k < 8; k++) {
                greatest[h] = greater(greatest[h], Halves(left_halves(a.exponents, h, k) + right_halves(b.exponents, k)));
            }
        }
        for (int v = 0; v < VECTORS; v++) {
            Words exponent = widened(greatest[v / 2], v % 2) - 126;
            exponent = greater(exponent, Words(Bits(sums[v]) >> 23 & 255));
            exponent = greater(exponent, Words{} + 24);
            const Floats scale = Floats((277 - exponent) << 23);
            const Floats grid = Floats((exponent - 23) << 23);
            // Unsigned, for what lies beyond the range adds up to anything and is not used.
            Bits sum = Bits(rounded(sums[v] * scale));
            for (int k = 0; k < 8; k++) {
                sum += Bits(rounded(Floats(left<8>(a.values, v, k)) * Floats(right(b.values, v, k)) * scale));
            }
            const Bits beyond = Bits(exponent > 254);
            const Bits result = Bits(to_floats(Words(sum)) * grid);
            sums[v] = Floats((result & ~beyond) | (beyond & 0x7fc00000u));
        }
    }
};

}  // namespace AIE_HOST
}  // namespace aie
