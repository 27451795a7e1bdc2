// Layer normalisation of retained rows in place, wide in and wide out, all of it in integers.
//
// For a row x of W columns, sums over 16 columns at a time; columns from W on count as 0 and become 0. "srs" rounds to even and
// saturates; every shift of a vector below is one.
//
//   M = max |x|;  e = max(0, 18 - leading zeros of M), so that |x| * 2^-e < 2^14
//   s = sum of srs(x, e);  mean5 = (s * 32) / W towards zero;  mean = mean5 * 2^(e - 5), srs or saturated
//   d = saturate(x - mean);  n = srs16(d, e + 1)
//   q = sum over the 16 lanes of srs(sum of the lane's n * n, 10)
//   E = 42950 >> 2(e + 1), 0 if that is 32 or more: epsilon 1e-5 in units of n * n
//   z = min(leading zeros of max(q, 1) - 1, leading zeros of E + 7), made even downwards: neither overflows below
//   u = (q * 2^z) / W + E * 2^(z - 10) (shifted right, cutting, if negative), at least 1, unsigned: variance * 2^(z - 10)
//   r * 2^-p = 1 / sqrt(u * 2^(10 - z)), see inverse_root.hpp
//   shift = p + e + 1 - 16;  y = srs(d * r, shift), or srs(d * (r * 2^-shift), 0) if shift is negative
//   x = saturate(srs(y * gamma, 16) + beta)

#include "../scalar.hpp"
#include "inverse_root.hpp"
#include "piece.hpp"

using namespace layout;

namespace {

constexpr int32 EPSILON = 42950;  // 1e-5 in Q32

alignas(64) constexpr int32 LANE_NUMBERS[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// A row of the scratch, 16 columns at a time.
struct Row {
    int32 *first;
    int row_groups;
    int row_group;
    int columns;
    int pieces;

    int32 *piece(int index) const { return first + block_start(2 * index, row_group, row_groups); }

    // x with the columns behind the last as zero.
    Wide inside(const Wide &x, int index) const {
        const Wide numbers = aie::load_v<LANES>(LANE_NUMBERS);
        return aie::select(aie::zeros<int32, LANES>(), x, aie::lt(numbers, columns - LANES * index));
    }

    Wide load(int index) const { return inside(line(piece(index)), index); }
};

inline uint32 greatest_of(const Row &row) {
    Wide greatest = aie::zeros<int32, LANES>();
    Wide least = aie::zeros<int32, LANES>();
    for (int index = 0; index < row.pieces; index++) {
        const Wide x = row.load(index);
        greatest = aie::max(greatest, x);
        least = aie::min(least, x);
    }
    return greatest_size(aie::reduce_max(greatest), aie::reduce_min(least));
}

inline int32 mean_of(const Row &row, int e) {
    Wide sums = aie::zeros<int32, LANES>();
    for (int index = 0; index < row.pieces; index++) {
        sums = aie::add(sums, aie::downshift(row.load(index), unsigned(e)));
    }
    const int32 mean5 = aie::reduce_add(sums) * 32 / row.columns;
    return e >= 5 ? doubled(mean5, e - 5) : halved_even(mean5, 5 - e);
}

// Leaves d in place and gives q.
inline int32 centre(const Row &row, int32 mean, int e) {
    const Wide means = aie::broadcast<int32, LANES>(mean);
    aie::accum<acc64, LANES> squares(aie::zeros<int32, LANES>());
    for (int index = 0; index < row.pieces; index++) {
        const Wide d =
            row.inside(aie::sub(aie::accum<acc64, LANES>(row.load(index)), means).template to_vector<int32>(0), index);
        const aie::vector<int16, LANES> n = aie::accum<acc64, LANES>(d).template to_vector<int16>(e + 1);
        squares = aie::mac(squares, n, n);
        set_line(row.piece(index), d);
    }
    return aie::reduce_add(squares.template to_vector<int32>(10));
}

inline Inverse inverse_deviation(int32 q, int e, int columns) {
    const int twice = 2 * (e + 1);
    const int32 epsilon = twice >= 32 ? 0 : EPSILON >> twice;
    const int by_q = leading_zeros(q > 1 ? uint32(q) : 1u) - 1;
    const int by_epsilon = leading_zeros(uint32(epsilon)) + 7;
    const int z = (by_q < by_epsilon ? by_q : by_epsilon) & ~1;
    const uint32 added = z >= 10 ? uint32(epsilon) << (z - 10) : uint32(epsilon) >> (10 - z);
    const uint32 variance = uint32(int32(uint32(q) << z) / columns) + added;
    return inverse_root(variance > 0 ? variance : 1, 10 - z);
}

inline void scale(const Row &row, const Inverse &inverse, int e, const int32 *gamma, const int32 *beta) {
    const int shift = inverse.exponent + e + 1 - Q;
    const int right = shift > 0 ? shift : 0;
    const int left = shift > 0 ? 0 : -shift;
    const Wide factor = aie::broadcast<int32, LANES>(inverse.mantissa << left);
    for (int index = 0; index < row.pieces; index++) {
        const Wide y = scaled(line(row.piece(index)), factor, right);
        const Wide by_gamma = scaled(y, aie::load_v<LANES>(gamma + LANES * index), Q);
        set_line(row.piece(index), row.inside(saturating_sum(by_gamma, aie::load_v<LANES>(beta + LANES * index)), index));
    }
}

}  // namespace

KERNEL(normalise)(int32 *scratch, int32 row_groups, int32 columns, int32 padded_columns, int32 offset) {
    set_arithmetic();
    const int32 *gamma = scratch + (offset >> 2);
    const int32 *beta = gamma + padded_columns;
    for (int group = 0; group < row_groups; group++) {
        for (int row_line = 0; row_line < BLOCK_ROWS; row_line++) {
            const Row row = {scratch + row_line * BLOCK_COLUMNS, row_groups, group, columns, padded_columns / LANES};
            const int zeros = leading_zeros(greatest_of(row));
            const int e = zeros < 18 ? 18 - zeros : 0;
            const int32 q = centre(row, mean_of(row, e), e);
            scale(row, inverse_deviation(q, e, columns), e, gamma, beta);
        }
    }
}
