//! Rows to int8; `kernels/rows/store_int8.cc` has the algorithm in words.

use half::bf16;

use super::super::layout::Q;
use super::super::matrix::Matrix;
use super::fixed::{srs, to_fixed};

/// bf16 as Q16.
pub fn wide_of(x: bf16) -> i32 {
    to_fixed(x.to_f32(), Q)
}

/// Each row's greatest size, from 1 to 2^31 - 1.
pub fn maxima(rows: &Matrix<i32>) -> Vec<i32> {
    (0..rows.rows())
        .map(|row| rows.row(row).iter().map(|x| x.unsigned_abs()).max().unwrap_or(0).clamp(1, i32::MAX as u32) as i32)
        .collect()
}

/// round(127 v / M) with each row's M, within 0.004 before it is rounded.
pub fn quantise(rows: &Matrix<i32>, maxima: &[i32]) -> Matrix<i8> {
    Matrix::from_fn(rows.rows(), rows.columns(), |row, column| {
        let greatest = maxima[row].max(1) as u64;
        let b = (greatest as u32).leading_zeros() - 1;
        let h = ((greatest << b) + (1 << 14)) >> 15;
        let inverse = ((127 << 24) + h / 2) / h;
        let power = srs(i64::from(rows[(row, column)]) << b, 0);
        srs(i64::from(power) * inverse as i64, 39).clamp(-128, 127) as i8
    })
}
