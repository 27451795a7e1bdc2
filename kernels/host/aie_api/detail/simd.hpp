// Native vectors of this build, and the few movements that portable code cannot name. Nothing else knows instruction sets.
//
// WIDTH lanes of 32 bits, or twice as many of 16. Every function gives the same result at every width.

#pragma once

#include "scalar.hpp"

// The widest set that the build has; with AIE_HOST_PORTABLE none, which is what other architectures get.
#if defined(AIE_HOST_PORTABLE)
#elif defined(__AVX512BW__) && defined(__AVX512DQ__)
#define AIE_SIMD_512
#define AIE_SIMD_128
#elif defined(__AVX2__)
#define AIE_SIMD_256
#define AIE_SIMD_128
#elif defined(__SSE2__)
#define AIE_SIMD_128
#endif

#if defined(AIE_SIMD_512) || defined(AIE_SIMD_256)
// GCC 12 takes its own headers' undefined vectors for uninitialised ones (GCC bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#elif defined(AIE_SIMD_128)
#include <emmintrin.h>
#endif

namespace aie {
inline namespace AIE_HOST {
namespace simd {

#if defined(AIE_SIMD_512)
inline constexpr int WIDTH = 16;
#elif defined(AIE_SIMD_256)
inline constexpr int WIDTH = 8;
#else
inline constexpr int WIDTH = 4;
#endif

typedef float Floats __attribute__((vector_size(4 * WIDTH)));
typedef int32_t Words __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t Bits __attribute__((vector_size(4 * WIDTH)));
typedef int16_t Halves __attribute__((vector_size(4 * WIDTH)));

template <typename V, typename T>
AIE_INLINE V load(const T *from) {
    V v;
    __builtin_memcpy(&v, from, sizeof(v));
    return v;
}

template <typename V, typename T>
AIE_INLINE void store(T *to, V v) {
    __builtin_memcpy(to, &v, sizeof(v));
}

AIE_INLINE Words greater(Words a, Words b) { return a > b ? a : b; }
AIE_INLINE Halves greater(Halves a, Halves b) { return a > b ? a : b; }

// The nearest integer, even of two; of numbers outside 32 bits anything.
AIE_INLINE Words rounded(Floats x) {
#if defined(AIE_SIMD_512)
    return Words(_mm512_cvtps_epi32(__m512(x)));
#elif defined(AIE_SIMD_256)
    return Words(_mm256_cvtps_epi32(__m256(x)));
#elif defined(AIE_SIMD_128)
    return Words(_mm_cvtps_epi32(__m128(x)));
#else
    // A float of 2^23 has no fraction bits: to add and subtract it rounds. From there on all floats are integers.
    const Bits bits = (Bits)x;
    const Bits size = bits & 0x7fffffffu;
    const Floats rounder = (Floats)((bits & 0x80000000u) | 0x4b000000u);
    const Floats near = (x + rounder) - rounder;
    const Bits far = (Bits)(size >= 0x4b000000u);
    const Bits outside = (Bits)(size >= 0x4f000000u);
    const Bits integer = ((bits & far) | ((Bits)near & ~far)) & ~outside;
    return __builtin_convertvector((Floats)integer, Words);
#endif
}

AIE_INLINE Floats to_floats(Words x) { return __builtin_convertvector(x, Floats); }

// A block has 4 x 8 results, row by row: vector v of them covers the lanes from WIDTH * v. `left` is, for each of its lanes,
// element `step` of the lane's row in a left operand of 4 rows of ROW elements of 32 bits; `right` the lane's column in row
// `step` of a right operand of 8 columns.
template <int ROW>
AIE_INLINE Bits left(const void *values, int v, int step) {
    static_assert(ROW == 8 || ROW == 4);
    const auto *bytes = static_cast<const unsigned char *>(values);
#if defined(AIE_SIMD_512)
    const __m512i rows = _mm512_load_si512(ROW == 8 ? bytes + 64 * v : bytes);
    const int first = ROW == 8 ? step : 8 * v + step;
    const int second = first + ROW;
    return Bits(_mm512_permutexvar_epi32(
        _mm512_set_epi32(second, second, second, second, second, second, second, second, first, first, first, first, first,
                         first, first, first),
        rows));
#else
    uint32_t x;
    __builtin_memcpy(&x, bytes + 4 * (ROW * (v * WIDTH / 8) + step), 4);
    return Bits{} + x;
#endif
}

AIE_INLINE Bits right(const void *values, [[maybe_unused]] int v, int step) {
    const auto *row = static_cast<const unsigned char *>(values) + 32 * step;
#if defined(AIE_SIMD_512)
    return Bits(_mm512_broadcast_i32x8(_mm256_load_si256(reinterpret_cast<const __m256i *>(row))));
#else
    return load<Bits>(row + 4 * (v * WIDTH % 8));
#endif
}

// The same two for 16-bit elements: vector h covers the results' lanes 2 * WIDTH * h onwards.
AIE_INLINE Halves left_halves(const int16_t *values, int h, int k) {
#if defined(AIE_SIMD_512)
    const __m512i step = _mm512_set1_epi16(short(0x0100 + 0x0202 * k));
    return Halves(_mm512_shuffle_epi8(_mm512_load_si512(values + 32 * h), step));
#elif defined(AIE_SIMD_256)
    const __m256i step = _mm256_set1_epi16(short(0x0100 + 0x0202 * k));
    return Halves(_mm256_shuffle_epi8(_mm256_load_si256((const __m256i *)(values + 16 * h)), step));
#else
    const int16_t x = values[8 * h + k];
    return Halves{x, x, x, x, x, x, x, x};
#endif
}

AIE_INLINE Halves right_halves(const int16_t *values, int k) {
#if defined(AIE_SIMD_512)
    return Halves(_mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(values + 8 * k))));
#elif defined(AIE_SIMD_256)
    return Halves(_mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(values + 8 * k))));
#else
    return load<Halves>(values + 8 * k);
#endif
}

// Lanes of a vector of halves as words: part 0 the lower lanes, part 1 the upper ones.
AIE_INLINE Words widened(Halves x, int part) {
#if defined(AIE_SIMD_512)
    return Words(_mm512_cvtepi16_epi32(part ? _mm512_extracti64x4_epi64(__m512i(x), 1) : _mm512_castsi512_si256(__m512i(x))));
#elif defined(AIE_SIMD_256)
    return Words(_mm256_cvtepi16_epi32(part ? _mm256_extracti128_si256(__m256i(x), 1) : _mm256_castsi256_si128(__m256i(x))));
#else
    Words to;
    for (int i = 0; i < WIDTH; i++) to[i] = x[WIDTH * part + i];
    return to;
#endif
}

// 32 elements of 8 bits as 16 bits.
AIE_INLINE void widen(const int8_t *from, int16_t *to) {
#if defined(AIE_SIMD_512)
    _mm512_store_si512(to, _mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i *>(from))));
#elif defined(AIE_SIMD_256)
    for (int half = 0; half < 32; half += 16) {
        const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i *>(from + half));
        _mm256_store_si256(reinterpret_cast<__m256i *>(to + half), _mm256_cvtepi8_epi16(bytes));
    }
#else
    for (int i = 0; i < 32; i++) to[i] = from[i];
#endif
}

// 8 rows of 8 elements of 8 bits as 16 bits, rows in pairs: [4 pairs][8 columns][2].
AIE_INLINE void widen_pairs(const int8_t *from, int16_t *to) {
    for (int pair = 0; pair < 4; pair++) {
#if defined(AIE_SIMD_128)
        const __m128i rows = _mm_load_si128(reinterpret_cast<const __m128i *>(from + 16 * pair));
        const __m128i both = _mm_unpacklo_epi8(rows, _mm_srli_si128(rows, 8));
#if defined(AIE_SIMD_512) || defined(AIE_SIMD_256)
        _mm256_store_si256(reinterpret_cast<__m256i *>(to + 16 * pair), _mm256_cvtepi8_epi16(both));
#else
        const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(both, both), 8);
        const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(both, both), 8);
        _mm_store_si128(reinterpret_cast<__m128i *>(to + 16 * pair), low);
        _mm_store_si128(reinterpret_cast<__m128i *>(to + 16 * pair + 8), high);
#endif
#else
        for (int column = 0; column < 8; column++) {
            to[16 * pair + 2 * column] = from[16 * pair + column];
            to[16 * pair + 2 * column + 1] = from[16 * pair + 8 + column];
        }
#endif
    }
}

// 8 x 8 elements of 16 bits, rows to columns.
template <typename T>
AIE_INLINE void transpose(const T *from, T *to) {
    static_assert(sizeof(T) == 2);
#if defined(AIE_SIMD_128)
    __m128i rows[8];
    for (int i = 0; i < 8; i++) rows[i] = _mm_load_si128(reinterpret_cast<const __m128i *>(from + 8 * i));
    // Three rounds of row i with row i + 4, each of which doubles what lies together.
    for (int round = 0; round < 3; round++) {
        __m128i next[8];
        for (int i = 0; i < 4; i++) {
            next[2 * i] = _mm_unpacklo_epi16(rows[i], rows[i + 4]);
            next[2 * i + 1] = _mm_unpackhi_epi16(rows[i], rows[i + 4]);
        }
        for (int i = 0; i < 8; i++) rows[i] = next[i];
    }
    for (int i = 0; i < 8; i++) _mm_store_si128(reinterpret_cast<__m128i *>(to + 8 * i), rows[i]);
#else
    for (int row = 0; row < 8; row++) {
        for (int column = 0; column < 8; column++) to[8 * column + row] = from[8 * row + column];
    }
#endif
}

// Sums of neighbours' products: lane i is a[2i] * b[2i] + a[2i + 1] * b[2i + 1].
AIE_INLINE Words pairs(Halves a, Halves b) {
#if defined(AIE_SIMD_512)
    return Words(_mm512_madd_epi16(__m512i(a), __m512i(b)));
#elif defined(AIE_SIMD_256)
    return Words(_mm256_madd_epi16(__m256i(a), __m256i(b)));
#elif defined(AIE_SIMD_128)
    return Words(_mm_madd_epi16(__m128i(a), __m128i(b)));
#else
    Words to;
    for (int i = 0; i < WIDTH; i++) to[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
    return to;
#endif
}

}  // namespace simd
}  // namespace AIE_HOST
}  // namespace aie
