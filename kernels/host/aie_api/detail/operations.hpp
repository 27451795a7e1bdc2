// Functions on vectors and accumulators. Vector addition and subtraction wrap whatever the mode; accumulators are wide enough.

#pragma once

#include "accum.hpp"
#include "simd.hpp"

namespace aie {
inline namespace AIE_HOST {

template <typename T>
AIE_INLINE T wrapping_add(T a, T b) {
    if constexpr (same<T, float>::value) {
        return a + b;
    } else {
        return T(uint32_t(a) + uint32_t(b));
    }
}

template <typename T>
AIE_INLINE T wrapping_sub(T a, T b) {
    if constexpr (same<T, float>::value) {
        return a - b;
    } else {
        return T(uint32_t(a) - uint32_t(b));
    }
}

#define AIE_HOST_LANES(expression)                   \
    AIE_LANES                                        \
    for (unsigned i = 0; i < N; i++) {               \
        to.data[i] = expression;                     \
    }                                                \
    return to

template <typename T, unsigned N>
AIE_INLINE vector<T, N> add(const vector<T, N> &a, const vector<T, N> &b) {
    vector<T, N> to;
    AIE_HOST_LANES(wrapping_add(a.data[i], b.data[i]));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> add(const vector<T, N> &a, T b) {
    return add(a, broadcast<T, N>(b));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> sub(const vector<T, N> &a, const vector<T, N> &b) {
    vector<T, N> to;
    AIE_HOST_LANES(wrapping_sub(a.data[i], b.data[i]));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> sub(const vector<T, N> &a, T b) {
    return sub(a, broadcast<T, N>(b));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> max(const vector<T, N> &a, const vector<T, N> &b) {
    vector<T, N> to;
    AIE_HOST_LANES(a.data[i] > b.data[i] ? a.data[i] : b.data[i]);
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> max(const vector<T, N> &a, T b) {
    return max(a, broadcast<T, N>(b));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> min(const vector<T, N> &a, const vector<T, N> &b) {
    vector<T, N> to;
    AIE_HOST_LANES(a.data[i] < b.data[i] ? a.data[i] : b.data[i]);
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> min(const vector<T, N> &a, T b) {
    return min(a, broadcast<T, N>(b));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> bit_and(T a, const vector<T, N> &b) {
    vector<T, N> to;
    AIE_HOST_LANES(T(a & b.data[i]));
}

// Through an accumulator: rounds and saturates as the mode says.
template <typename T, unsigned N>
AIE_INLINE vector<T, N> downshift(const vector<T, N> &v, unsigned shift) {
    return accum<acc64, N>(v).template to_vector<T>(int(shift));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> upshift(const vector<T, N> &v, unsigned shift) {
    return accum<acc64, N>(v, int(shift)).template to_vector<T>(0);
}

template <typename T, unsigned N>
AIE_INLINE mask<N> lt(const vector<T, N> &a, const vector<T, N> &b) {
    mask<N> to;
    AIE_HOST_LANES(a.data[i] < b.data[i] ? -1 : 0);
}

template <typename T, unsigned N>
AIE_INLINE mask<N> lt(const vector<T, N> &a, T b) {
    return lt(a, broadcast<T, N>(b));
}

// The second vector's lanes where the mask is set, the first one's where it is not.
template <typename T, unsigned N>
AIE_INLINE vector<T, N> select(const vector<T, N> &a, const vector<T, N> &b, const mask<N> &set) {
    vector<T, N> to;
    AIE_HOST_LANES(set.data[i] ? b.data[i] : a.data[i]);
}

template <typename T, unsigned N>
AIE_INLINE T reduce_max(const vector<T, N> &v) {
    T greatest = v.data[0];
    for (unsigned i = 1; i < N; i++) greatest = v.data[i] > greatest ? v.data[i] : greatest;
    return greatest;
}

template <typename T, unsigned N>
AIE_INLINE T reduce_min(const vector<T, N> &v) {
    T least = v.data[0];
    for (unsigned i = 1; i < N; i++) least = v.data[i] < least ? v.data[i] : least;
    return least;
}

template <typename T, unsigned N>
AIE_INLINE T reduce_add(const vector<T, N> &v) {
    static_assert(!same<T, float>::value, "the order of float additions is the kernel's to say");
    T sum = 0;
    AIE_LANES
    for (unsigned i = 0; i < N; i++) sum = wrapping_add(sum, v.data[i]);
    return sum;
}

template <typename Tag, typename T, unsigned N>
AIE_INLINE accum<Tag, N> product(const vector<T, N> &a, const vector<T, N> &b) {
    using L = typename lane<Tag>::type;
    accum<Tag, N> to;
    AIE_HOST_LANES(L(a.data[i]) * L(b.data[i]));
}

template <unsigned N>
AIE_INLINE accum<acc64, N> mul(const vector<int32, N> &a, const vector<int32, N> &b) {
    return product<acc64>(a, b);
}

template <typename Tag, unsigned N>
AIE_INLINE accum<Tag, N> mul(const vector<int16, N> &a, const vector<int16, N> &b) {
    return product<Tag>(a, b);
}

template <unsigned N>
AIE_INLINE accum<accfloat, N> mul(const vector<float, N> &a, const vector<float, N> &b) {
    return product<accfloat>(a, b);
}

template <unsigned N>
AIE_INLINE accum<acc64, N> mac(const accum<acc64, N> &sum, const vector<int16, N> &a, const vector<int16, N> &b) {
    accum<acc64, N> to;
    AIE_HOST_LANES(sum.data[i] + int64_t(a.data[i]) * int64_t(b.data[i]));
}

template <typename Tag, typename T, unsigned N>
AIE_INLINE accum<Tag, N> add(const accum<Tag, N> &a, const vector<T, N> &b) {
    const accum<Tag, N> added(b);
    accum<Tag, N> to;
    AIE_HOST_LANES(a.data[i] + added.data[i]);
}

template <typename Tag, typename T, unsigned N>
AIE_INLINE accum<Tag, N> sub(const accum<Tag, N> &a, const vector<T, N> &b) {
    const accum<Tag, N> taken(b);
    accum<Tag, N> to;
    AIE_HOST_LANES(a.data[i] - taken.data[i]);
}

// v * 2^shift as integers, to nearest even, saturated.
template <typename T, unsigned N>
AIE_INLINE vector<T, N> to_fixed(const vector<float, N> &v, int shift = 0) {
    static_assert(same<T, int32>::value);
    vector<T, N> to;
    AIE_HOST_LANES(fixed(v.data[i], shift));
}

// v * 2^-shift as floats, to nearest even.
template <typename T, unsigned N>
AIE_INLINE vector<T, N> to_float(const vector<int32, N> &v, int shift = 0) {
    static_assert(same<T, float>::value);
    const float scale = bits_of<float>(uint32_t(127 - shift) << 23);
    vector<T, N> to;
    AIE_HOST_LANES(float(v.data[i]) * scale);
}

// Of a matrix of `rows` x `columns` in row order.
template <typename T, unsigned N>
AIE_INLINE vector<T, N> transpose(const vector<T, N> &v, unsigned rows, unsigned columns) {
    AIE_HOST_ASSERT(rows * columns == N);
    vector<T, N> to;
    if constexpr (N == 64 && sizeof(T) == 2) {
        if (rows == 8) {
            simd::transpose(v.data, to.data);
            return to;
        }
    }
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            to.data[column * rows + row] = v.data[row * columns + column];
        }
    }
    return to;
}

#undef AIE_HOST_LANES

}  // namespace AIE_HOST
}  // namespace aie
