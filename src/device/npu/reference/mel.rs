//! What of a spectrum becomes log-mel.

use half::bf16;

use super::fixed::srs;

/// log10(2) in Q32.
const LOG10_OF_2: i64 = 1_292_913_986;
/// The least logarithm, -10, in Q16.
const FLOOR: i32 = -10 * 65536;

/// re² + im², each step rounded to f32, as bf16.
pub fn power(real: f32, imaginary: f32) -> bf16 {
    bf16::from_f32(real * real + imaginary * imaginary)
}

/// log10 in Q16, at least -10, which it also is of what is not positive or no normal number; `table` is that of
/// [`super::logarithm_table`].
pub fn logarithm(x: f32, table: &[i32]) -> i32 {
    if x.is_nan() || x.is_sign_negative() || x < f32::MIN_POSITIVE {
        return FLOOR;
    }
    let bits = x.to_bits();
    let (place, rest) = ((bits >> 15 & 255) as usize, i64::from(bits & 32767));
    let (below, above) = (i64::from(table[place]), i64::from(table[place + 1]));
    let log2 = ((i64::from(bits >> 23) - 127) << 20) + below + (((above - below) * rest) >> 15);
    srs(log2 * LOG10_OF_2, 36).max(FLOOR)
}
