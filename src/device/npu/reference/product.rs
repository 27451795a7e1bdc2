//! Products of matrices.

use half::bf16;

use super::super::matrix::Matrix;
use super::mac::mac;

/// results += A · B in bf16, eight inputs a step, upwards; A's rows may be fewer than the results'.
///
/// Panics if the shapes do not fit or the inputs are no multiple of 8.
pub fn product_bf16(a: &Matrix<bf16>, b: &Matrix<bf16>, results: &mut Matrix<f32>) {
    assert!(a.columns() == b.rows() && b.columns() == results.columns() && a.columns().is_multiple_of(8));
    for row in 0..a.rows() {
        for column in 0..b.columns() {
            for step in (0..a.columns()).step_by(8) {
                let left = std::array::from_fn(|k| a[(row, step + k)]);
                let right = std::array::from_fn(|k| b[(step + k, column)]);
                results[(row, column)] = mac(results[(row, column)], left, right);
            }
        }
    }
}

/// results += A · B in 8-bit integers with sums of 32 bits; A's rows may be fewer than the results'.
///
/// Panics if the shapes do not fit.
pub fn product_int8(a: &Matrix<i8>, b: &Matrix<i8>, results: &mut Matrix<i32>) {
    assert!(a.columns() == b.rows() && b.columns() == results.columns());
    for row in 0..a.rows() {
        for column in 0..b.columns() {
            let products = (0..a.columns()).map(|k| i32::from(a[(row, k)]) * i32::from(b[(k, column)]));
            results[(row, column)] = results[(row, column)].wrapping_add(products.sum());
        }
    }
}
