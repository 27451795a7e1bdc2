//! Matrices times vectors, several at a time.

use gemm_common::pulp::Simd;

/// Rows of a group.
const ROWS: usize = 64;

/// A matrix with a bias. Its rows stand in groups, each group column by column: a weight is loaded once for all the vectors
/// that it is multiplied with.
pub(super) struct Matrix {
    columns: usize,
    weights: Vec<[f32; ROWS]>,
    bias: Vec<[f32; ROWS]>,
}

impl Matrix {
    /// The matrix of (`bias.len()`, `columns`) whose weights `at(row, column)` gives. The rows fill whole groups.
    pub fn new(bias: &[f32], columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let (bias, rest) = bias.as_chunks::<ROWS>();
        debug_assert!(rest.is_empty(), "the rows fill whole groups");
        let weights = (0..bias.len() * columns)
            .map(|index| std::array::from_fn(|row| at(index / columns * ROWS + row, index % columns)))
            .collect();
        Self { columns, weights, bias: bias.to_vec() }
    }

    /// Products with VECTORS vectors, the n-th of which begins at `input[from(n)]`; its product goes to `output[to(n)..]`.
    /// `PARTS` vectors of rows are summed at a time, as many as there are registers for. `scratch` has room for the vectors.
    #[inline(always)]
    pub fn multiply<S: Simd, const VECTORS: usize, const PARTS: usize>(
        &self,
        simd: S,
        input: &[f32],
        from: impl Fn(usize) -> usize,
        output: &mut [f32],
        to: impl Fn(usize) -> usize,
        scratch: &mut [f32],
    ) {
        let (columns, _) = scratch[..self.columns * VECTORS].as_chunks_mut::<VECTORS>();
        for n in 0..VECTORS {
            let vector = &input[from(n)..][..self.columns];
            columns.iter_mut().zip(vector).for_each(|(column, x)| column[n] = *x);
        }
        for (group, (weights, bias)) in self.weights.chunks_exact(self.columns).zip(&self.bias).enumerate() {
            for first in (0..ROWS).step_by(PARTS * S::F32_LANES) {
                let mut sums = [[simd.splat_f32s(0.0); PARTS]; VECTORS];
                sums.fill(parts::<S, PARTS>(&bias[first..]));
                add_products(simd, weights, first, columns, &mut sums);
                for (n, sums) in sums.iter().enumerate() {
                    let (output, _) = S::as_mut_simd_f32s(&mut output[to(n) + group * ROWS + first..]);
                    output[..PARTS].copy_from_slice(sums);
                }
            }
        }
    }

    /// Adds the product with one vector to `output`, the bias apart.
    #[inline(always)]
    pub fn multiply_add<S: Simd, const PARTS: usize>(&self, simd: S, input: &[f32], output: &mut [f32]) {
        let (columns, _) = input[..self.columns].as_chunks::<1>();
        for (weights, output) in self.weights.chunks_exact(self.columns).zip(output.chunks_exact_mut(ROWS)) {
            for first in (0..ROWS).step_by(PARTS * S::F32_LANES) {
                let mut sums = [parts::<S, PARTS>(&output[first..])];
                add_products(simd, weights, first, columns, &mut sums);
                S::as_mut_simd_f32s(&mut output[first..]).0[..PARTS].copy_from_slice(&sums[0]);
            }
        }
    }
}

#[inline(always)]
fn parts<S: Simd, const PARTS: usize>(from: &[f32]) -> [S::f32s; PARTS] {
    let (vectors, _) = S::as_simd_f32s(from);
    std::array::from_fn(
        #[inline(always)]
        |part| vectors[part],
    )
}

/// Adds the products of PARTS vectors of rows from `first` on, column by column.
#[inline(always)]
fn add_products<S: Simd, const VECTORS: usize, const PARTS: usize>(
    simd: S,
    weights: &[[f32; ROWS]],
    first: usize,
    columns: &[[f32; VECTORS]],
    sums: &mut [[S::f32s; PARTS]; VECTORS],
) {
    let mut totals = *sums;
    for (weights, column) in weights.iter().zip(columns) {
        let (weights, _) = S::as_simd_f32s(&weights[first..]);
        let weights = &weights[..PARTS];
        for n in 0..VECTORS {
            let x = simd.splat_f32s(column[n]);
            for part in 0..PARTS {
                totals[n][part] = simd.mul_add_e_f32s(weights[part], x, totals[n][part]);
            }
        }
    }
    *sums = totals;
}

#[cfg(test)]
mod tests {
    use gemm_common::pulp::{Arch, WithSimd};

    use super::*;

    struct Check<const VECTORS: usize> {
        columns: usize,
        stride: usize,
    }

    impl<const VECTORS: usize> WithSimd for Check<VECTORS> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { columns, stride } = self;
            let rows = 2 * ROWS;
            let weight = |row: usize, column: usize| ((row * 31 + column * 7) % 23) as f32 - 11.0;
            let bias: Vec<f32> = (0..rows).map(|row| row as f32 / 4.0).collect();
            let input: Vec<f32> = (0..columns + stride * (VECTORS - 1)).map(|i| (i % 13) as f32 - 6.0).collect();
            let mut output = vec![f32::NAN; VECTORS * rows];
            let matrix = Matrix::new(&bias, columns, weight);
            let mut scratch = vec![0.0; columns * VECTORS];
            matrix.multiply::<S, VECTORS, 2>(simd, &input, |n| n * stride, &mut output, |n| n * rows, &mut scratch);
            for n in 0..VECTORS {
                for row in 0..rows {
                    let sum: f32 = (0..columns).map(|column| weight(row, column) * input[n * stride + column]).sum();
                    assert_eq!(output[n * rows + row], bias[row] + sum, "{VECTORS} vectors, vector {n}, row {row}");
                }
            }
            let once = output[..rows].to_vec();
            matrix.multiply_add::<S, 4>(simd, &input, &mut output[..rows]);
            assert!((0..rows).all(|row| output[row] == 2.0 * once[row] - bias[row]));
        }
    }

    #[test]
    fn the_product_is_the_plain_one() {
        let arch = Arch::new();
        arch.dispatch(Check::<4> { columns: 387, stride: 129 });
        arch.dispatch(Check::<2> { columns: 3, stride: 5 });
        arch.dispatch(Check::<1> { columns: 1, stride: 0 });
        arch.dispatch(Check::<3> { columns: 17, stride: 17 });
        Check::<3> { columns: 17, stride: 17 }.with_simd(gemm_common::pulp::Scalar);
    }
}
