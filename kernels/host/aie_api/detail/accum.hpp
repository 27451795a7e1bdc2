// Accumulators: filled by products and sums, emptied through shift, round and saturate.

#pragma once

#include "vector.hpp"

namespace aie {
inline namespace AIE_HOST {

template <typename Tag, unsigned N>
struct alignas(64) accum {
    using lane_type = typename lane<Tag>::type;
    static constexpr unsigned size() { return N; }

    lane_type data[N];

    accum() = default;

    template <typename T>
    AIE_INLINE explicit accum(const vector<T, N> &v, int shift = 0) {
        from_vector(v, shift);
    }

    template <typename T>
    AIE_INLINE void from_vector(const vector<T, N> &v, int shift = 0) {
        if constexpr (same<Tag, accfloat>::value) {
            static_assert(same<T, float>::value || same<T, bfloat16>::value);
            AIE_LANES
            for (unsigned i = 0; i < N; i++) {
                if constexpr (same<T, bfloat16>::value) {
                    data[i] = to_scalar_float(v.data[i]);
                } else {
                    data[i] = v.data[i];
                }
            }
        } else {
            AIE_LANES
            for (unsigned i = 0; i < N; i++) data[i] = lane_type(uint64_t(int64_t(v.data[i])) << (shift & 63));
        }
    }

    template <typename T>
    AIE_INLINE vector<T, N> to_vector(int shift = 0) const {
        vector<T, N> to;
        if constexpr (same<Tag, accfloat>::value) {
            AIE_LANES
            for (unsigned i = 0; i < N; i++) {
                if constexpr (same<T, bfloat16>::value) {
                    to.data[i] = to_bfloat16(data[i], mode.rounding);
                } else {
                    static_assert(same<T, float>::value);
                    to.data[i] = data[i];
                }
            }
        } else {
            AIE_HOST_ASSERT(shift >= 0 && shift < 63);
            shift &= 63;
            const bool even = mode.rounding == rounding_mode::conv_even;
            const bool saturate = mode.saturation == saturation_mode::saturate;
            if (even && saturate) {
                drain<T, true, true>(to, shift);
            } else if (even) {
                drain<T, true, false>(to, shift);
            } else if (saturate) {
                drain<T, false, true>(to, shift);
            } else {
                drain<T, false, false>(to, shift);
            }
        }
        return to;
    }

  private:
    template <typename T, bool EVEN, bool SATURATE>
    AIE_INLINE void drain(vector<T, N> &to, int shift) const {
        AIE_LANES
        for (unsigned i = 0; i < N; i++) to.data[i] = shifted<T, EVEN, SATURATE>(data[i], shift);
    }
};

}  // namespace AIE_HOST
}  // namespace aie
