//! From a product's results to wide values, and on to what is stored.

use half::bf16;

use super::super::layout::Q;
use super::super::matrix::Matrix;
use super::fixed::{saturated, srs, to_fixed};

/// f32 results to Q16, plus the column's bias, saturating.
pub fn finish_bf16(results: &Matrix<f32>, bias: &[i32]) -> Matrix<i32> {
    Matrix::from_fn(results.rows(), results.columns(), |row, column| {
        saturated(i64::from(to_fixed(results[(row, column)], Q)) + i64::from(bias[column]))
    })
}

/// i32 results by the column's multiplier and the row's scale, with a shift after each, plus the column's bias, saturating.
pub fn finish_int8(
    results: &Matrix<i32>,
    multiplier: &[i32],
    scales: &[i32],
    shifts: [u32; 2],
    bias: &[i32],
) -> Matrix<i32> {
    Matrix::from_fn(results.rows(), results.columns(), |row, column| {
        let by_column = srs(i64::from(results[(row, column)]) * i64::from(multiplier[column]), shifts[0]);
        let by_row = srs(i64::from(by_column) * i64::from(scales[row]), shifts[1]);
        saturated(i64::from(by_row) + i64::from(bias[column]))
    })
}

/// GELU of a Q16 value, with the table of g(a) = a·Φ(-a) in Q17 at every 64th.
pub fn gelu(x: i32, table: &[i16]) -> i32 {
    let a = x.unsigned_abs().min(8 * 65536 - 1) as usize;
    let (index, f) = (a / 1024, (a % 1024) as i64);
    let g = i64::from(table[index]) * (1024 - f) + i64::from(table[index + 1]) * f;
    x.max(0) - srs(g, 11)
}

/// A Q16 value as bf16: to f32 and on to bf16, each to nearest even.
pub fn to_bf16(x: i32) -> bf16 {
    bf16::from_f32(x as f32 / 65536.0)
}

/// The first of the greatest of a row, and its value; None of no elements.
pub fn greatest(row: &[i32]) -> Option<(usize, i32)> {
    row.iter().copied().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Element by element, saturating.
pub fn sum(a: &Matrix<i32>, b: &Matrix<i32>) -> Matrix<i32> {
    Matrix::from_fn(a.rows(), a.columns(), |row, column| a[(row, column)].saturating_add(b[(row, column)]))
}
