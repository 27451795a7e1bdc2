//! Matrix products through the crate `gemm-f32`, behind checked slices.

use gemm_common::Parallelism;

/// A matrix inside a slice: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// Elements.
    pub data: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Distance between rows in elements.
    pub row_stride: usize,
    /// Distance between columns in elements.
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that follow one another every `row_stride` elements.
    pub fn new(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Elements that the slice must have.
    fn extent(&self) -> usize {
        match (self.rows, self.columns) {
            (0, _) | (_, 0) => 0,
            (rows, columns) => (rows - 1) * self.row_stride + (columns - 1) * self.column_stride + 1,
        }
    }
}

/// `output` (row stride `output_stride`) = `scale`·`left`·`right`.
///
/// Panics if a slice is shorter than its matrix or the inner dimensions differ.
#[allow(unsafe_code)]
pub fn multiply(left: Matrix<'_>, right: Matrix<'_>, scale: f32, output: &mut [f32], output_stride: usize) {
    assert_eq!(left.columns, right.rows);
    assert!(left.extent() <= left.data.len() && right.extent() <= right.data.len());
    let (rows, columns) = (left.rows, right.columns);
    assert!(output_stride >= columns || rows <= 1);
    assert!(rows == 0 || columns == 0 || (rows - 1) * output_stride + columns <= output.len());
    // The kernels want column-major results, so they get the transposed product.
    // SAFETY: the asserts above show that every element (i, j) of the three matrices lies inside its slice; `output` is
    // borrowed mutably, so it does not overlap the operands; strides are below isize::MAX because the slices are.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            columns,
            rows,
            left.columns,
            output.as_mut_ptr(),
            output_stride as isize,
            1,
            false,
            right.data.as_ptr(),
            right.row_stride as isize,
            right.column_stride as isize,
            left.data.as_ptr(),
            left.row_stride as isize,
            left.column_stride as isize,
            0.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_three_loops_at_odd_sizes() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 7), (17, 31, 13), (2, 64, 65), (5, 0, 4)] {
            let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..n * k).map(|i| (i as f32 * 0.71).cos()).collect();
            let mut c = vec![0.25; m * n];
            let right = Matrix::new(&b, n, k, k).transposed();
            multiply(Matrix::new(&a, m, k, k), right, 2.0, &mut c, n);
            for i in 0..m {
                for j in 0..n {
                    let sum: f32 = (0..k).map(|l| a[i * k + l] * b[j * k + l]).sum();
                    assert!((c[i * n + j] - 2.0 * sum).abs() < 1e-4, "{m}x{k}x{n} at {i},{j}");
                }
            }
        }
    }

    #[test]
    #[should_panic]
    fn a_short_slice_is_refused() {
        let mut c = [0.0; 4];
        multiply(Matrix::new(&[1.0; 3], 2, 2, 2), Matrix::new(&[1.0; 4], 2, 2, 2), 1.0, &mut c, 2);
    }
}
