// The AIE API's registers without their contents: declarations alone, of types that take no memory.
//
// A core keeps vectors and accumulators in registers, a host in the frame. Compiled against these a kernel's frame has in it
// only what would be in memory on the core as well: arrays, structures and scalars.

#pragma once

#include <stdint.h>

using int8 = int8_t;
using int16 = int16_t;
using uint16 = uint16_t;
using int32 = int32_t;
using uint32 = uint32_t;

struct bfloat16 {
    uint16_t bits;
};

struct acc32;
struct acc64;
struct accfloat;

namespace aie {

enum class rounding_mode { floor, conv_even };
enum class saturation_mode { none, saturate };
void set_rounding(rounding_mode);
void set_saturation(saturation_mode);

template <typename T, unsigned N>
struct vector {
    T operator[](unsigned) const;
    T get(unsigned) const;
    void set(T, unsigned);
    template <unsigned M>
    vector<T, M> extract(unsigned) const;
    vector<int8, N> pack() const;
    template <typename To>
    vector<To, N * sizeof(T) / sizeof(To)> cast_to() const;
};

template <typename Tag, unsigned N>
struct accum {
    template <typename T>
    explicit accum(const vector<T, N> &, int = 0);
    template <typename T>
    vector<T, N> to_vector(int = 0) const;
};

template <unsigned N>
struct mask {};

template <unsigned M, unsigned K, unsigned N, typename A, typename B>
struct mmul {
    static constexpr unsigned size_A = M * K, size_B = K * N, size_C = M * N;
    template <typename T>
    explicit mmul(const vector<T, size_C> &);
    void mac(const vector<A, size_A> &, const vector<B, size_B> &);
    template <typename T>
    vector<T, size_C> to_vector() const;
};

template <unsigned N, typename T>
vector<T, N> load_v(const T *);
template <typename T, unsigned N>
void store_v(T *, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> broadcast(T);
template <typename T, unsigned N>
vector<T, N> zeros();
template <typename T, unsigned N>
vector<T, 2 * N> concat(const vector<T, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> add(const vector<T, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> add(const vector<T, N> &, T);
template <typename Tag, typename T, unsigned N>
accum<Tag, N> add(const accum<Tag, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> sub(const vector<T, N> &, const vector<T, N> &);
template <typename Tag, typename T, unsigned N>
accum<Tag, N> sub(const accum<Tag, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> max(const vector<T, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> max(const vector<T, N> &, T);
template <typename T, unsigned N>
vector<T, N> min(const vector<T, N> &, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> min(const vector<T, N> &, T);
template <typename T, unsigned N>
vector<T, N> bit_and(T, const vector<T, N> &);
template <typename T, unsigned N>
vector<T, N> downshift(const vector<T, N> &, unsigned);
template <typename T, unsigned N>
vector<T, N> upshift(const vector<T, N> &, unsigned);
template <typename T, unsigned N>
mask<N> lt(const vector<T, N> &, const vector<T, N> &);
template <typename T, unsigned N>
mask<N> lt(const vector<T, N> &, T);
template <typename T, unsigned N>
vector<T, N> select(const vector<T, N> &, const vector<T, N> &, const mask<N> &);
template <typename T, unsigned N>
T reduce_max(const vector<T, N> &);
template <typename T, unsigned N>
T reduce_min(const vector<T, N> &);
template <typename T, unsigned N>
T reduce_add(const vector<T, N> &);
template <unsigned N>
accum<acc64, N> mul(const vector<int32, N> &, const vector<int32, N> &);
template <unsigned N>
accum<accfloat, N> mul(const vector<float, N> &, const vector<float, N> &);
template <unsigned N>
accum<acc64, N> mac(const accum<acc64, N> &, const vector<int16, N> &, const vector<int16, N> &);
template <typename T, unsigned N>
vector<T, N> to_fixed(const vector<float, N> &, int = 0);
template <typename T, unsigned N>
vector<T, N> to_float(const vector<int32, N> &, int = 0);
template <typename T, unsigned N>
vector<T, N> transpose(const vector<T, N> &, unsigned, unsigned);

}  // namespace aie
