//! Matrix times vectors, laid out so that the compiler vectorises it.

/// A matrix with a bias. Its rows stand in groups of `ROWS`, each group column by column: the sums of a group fit the
/// vector registers, and a weight is loaded once for all the vectors that it is multiplied with.
pub(super) struct Matrix<const ROWS: usize> {
    columns: usize,
    weights: Vec<[f32; ROWS]>,
    bias: Vec<[f32; ROWS]>,
}

impl<const ROWS: usize> Matrix<ROWS> {
    /// The matrix of (`bias.len()`, `columns`) whose weights `at(row, column)` gives. The rows fill whole groups.
    pub fn new(bias: &[f32], columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let (bias, rest) = bias.as_chunks::<ROWS>();
        debug_assert!(rest.is_empty(), "the rows fill whole groups");
        let weights = (0..bias.len() * columns)
            .map(|index| std::array::from_fn(|row| at(index / columns * ROWS + row, index % columns)))
            .collect();
        Self { columns, weights, bias: bias.to_vec() }
    }

    /// Products with the vectors `input[n · stride..][..columns]`, row-major to `output` (VECTORS, rows).
    #[inline(always)]
    pub fn multiply<const VECTORS: usize>(&self, input: &[f32], stride: usize, output: &mut [f32]) {
        let vectors: [&[f32]; VECTORS] = std::array::from_fn(|n| &input[n * stride..][..self.columns]);
        let rows = self.bias.len() * ROWS;
        for (group, (weights, bias)) in self.weights.chunks_exact(self.columns).zip(&self.bias).enumerate() {
            // Tells the compiler that the lengths agree, so that it leaves out their checks below.
            let vectors = vectors.map(|vector| &vector[..weights.len()]);
            let mut sums = [*bias; VECTORS];
            for (column, weights) in weights.iter().enumerate() {
                for (sums, vector) in sums.iter_mut().zip(&vectors) {
                    let x = vector[column];
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += weight * x;
                    }
                }
            }
            for (n, sums) in sums.iter().enumerate() {
                output[n * rows + group * ROWS..][..ROWS].copy_from_slice(sums);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const ROWS: usize, const VECTORS: usize>(columns: usize, stride: usize) {
        let rows = 2 * ROWS;
        let weight = |row: usize, column: usize| ((row * 31 + column * 7) % 23) as f32 - 11.0;
        let bias: Vec<f32> = (0..rows).map(|row| row as f32 / 4.0).collect();
        let input: Vec<f32> = (0..columns + stride * (VECTORS - 1)).map(|i| (i % 13) as f32 - 6.0).collect();
        let mut output = vec![f32::NAN; VECTORS * rows];
        Matrix::<ROWS>::new(&bias, columns, weight).multiply::<VECTORS>(&input, stride, &mut output);
        for n in 0..VECTORS {
            for row in 0..rows {
                let sum: f32 = (0..columns).map(|column| weight(row, column) * input[n * stride + column]).sum();
                assert_eq!(output[n * rows + row], bias[row] + sum, "{ROWS} rows, vector {n}, row {row}");
            }
        }
    }

    #[test]
    fn the_product_is_the_plain_one() {
        check::<8, 4>(387, 129);
        check::<16, 2>(3, 5);
        check::<32, 1>(1, 0);
        check::<1, 3>(17, 17);
    }
}
