// Vector registers and memory.

#pragma once

#include "scalar.hpp"

#ifdef AIE_HOST_CHECKS
#include <assert.h>
#define AIE_HOST_ASSERT(condition) assert(condition)
#else
#define AIE_HOST_ASSERT(condition) ((void)0)
#endif

namespace aie {
inline namespace AIE_HOST {

constexpr unsigned alignment(unsigned bytes) { return bytes < 64 ? bytes : 64; }

template <typename T, unsigned N>
struct alignas(alignment(N * sizeof(T))) vector {
    static_assert((N & (N - 1)) == 0, "registers hold powers of two");
    static_assert(N * sizeof(T) >= 16 && N * sizeof(T) <= 256, "128 to 2048 bits: a register or a few of them");

    using value_type = T;
    static constexpr unsigned size() { return N; }

    T data[N];

    AIE_INLINE T operator[](unsigned i) const { return data[i]; }
    AIE_INLINE T get(unsigned i) const { return data[i]; }
    AIE_INLINE void set(T x, unsigned i) { data[i] = x; }

    template <unsigned M>
    AIE_INLINE vector<T, M> extract(unsigned index) const {
        static_assert(M <= N);
        AIE_HOST_ASSERT((index + 1) * M <= N);
        vector<T, M> part;
        __builtin_memcpy(part.data, data + index * M, sizeof(part));
        return part;
    }

    template <unsigned M>
    AIE_INLINE vector &insert(unsigned index, const vector<T, M> &part) {
        static_assert(M <= N);
        AIE_HOST_ASSERT((index + 1) * M <= N);
        __builtin_memcpy(data + index * M, part.data, sizeof(part));
        return *this;
    }

    // To elements of half the size: saturated or cut off, as the mode says.
    AIE_INLINE vector<int8, N> pack() const {
        static_assert(same<T, int16>::value);
        const bool saturate = mode.saturation == saturation_mode::saturate;
        vector<int8, N> to;
        AIE_LANES
        for (unsigned i = 0; i < N; i++) {
            const int16 x = data[i];
            to.data[i] = int8(!saturate ? x : x < -128 ? -128 : x > 127 ? 127 : x);
        }
        return to;
    }

    template <typename To>
    AIE_INLINE vector<To, N * sizeof(T) / sizeof(To)> cast_to() const {
        vector<To, N * sizeof(T) / sizeof(To)> to;
        __builtin_memcpy(to.data, data, sizeof(data));
        return to;
    }
};

// Aligned to the vector, as the core's load and store units demand.
template <unsigned N, typename T>
AIE_INLINE vector<T, N> load_v(const T *from) {
    AIE_HOST_ASSERT(reinterpret_cast<uintptr_t>(from) % alignof(vector<T, N>) == 0);
    vector<T, N> x;
    __builtin_memcpy(x.data, __builtin_assume_aligned(from, alignof(vector<T, N>)), sizeof(x));
    return x;
}

template <typename T, unsigned N>
AIE_INLINE void store_v(T *to, const vector<T, N> &x) {
    AIE_HOST_ASSERT(reinterpret_cast<uintptr_t>(to) % alignof(vector<T, N>) == 0);
    __builtin_memcpy(__builtin_assume_aligned(to, alignof(vector<T, N>)), x.data, sizeof(x));
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> broadcast(T x) {
    vector<T, N> all;
    AIE_LANES
    for (unsigned i = 0; i < N; i++) all.data[i] = x;
    return all;
}

template <typename T, unsigned N>
AIE_INLINE vector<T, N> zeros() {
    vector<T, N> all;
    __builtin_memset(all.data, 0, sizeof(all));
    return all;
}

template <typename T, unsigned N>
AIE_INLINE vector<T, 2 * N> concat(const vector<T, N> &low, const vector<T, N> &high) {
    vector<T, 2 * N> both;
    both.insert(0, low).insert(1, high);
    return both;
}

// One bit for each lane.
template <unsigned N>
struct mask {
    int32_t data[N];
};

}  // namespace AIE_HOST
}  // namespace aie
