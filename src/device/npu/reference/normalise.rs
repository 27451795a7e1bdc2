//! Layer normalisation of a row in integers; `kernels/rows/normalise.cc` has the algorithm in words.

use super::fixed::{saturated, srs};

const EPSILON: u32 = 42950;

/// mantissa · 2^-exponent = 1/sqrt(x · 2^scale), the mantissa from 2^14 to 2^15 - 1; `kernels/rows/inverse_root.hpp` has the
/// algorithm in words. Panics if x is 0 or the scale odd.
pub fn inverse_root(x: u32, scale: i32) -> (i32, i32) {
    assert!(x > 0 && scale % 2 == 0);
    let a = x.leading_zeros() / 2 * 2;
    let v = (((u64::from(x) << a) + (1 << 15)) >> 16).min(65535);
    let mut y = 43759 + ((26846 * ((v * v) >> 16)) >> 16) - ((53827 * v) >> 16);
    for _ in 0..2 {
        let w = (y * y) >> 13;
        let p = v * w;
        let h = ((3u64 << 29) - (p >> 2) + (1 << 14)) >> 15;
        y = (y * h + (1 << 14)) >> 15;
    }
    (y.clamp(1 << 14, (1 << 15) - 1) as i32, 14 + (32 + scale - a as i32) / 2)
}

/// Bits beyond 14 in the greatest size.
fn excess(row: &[i32]) -> u32 {
    let greatest = row.iter().map(|x| x.unsigned_abs()).max().unwrap_or(0);
    18u32.saturating_sub(greatest.leading_zeros())
}

/// The row normalised, times gamma, plus beta, all in Q16. Panics if the row is empty or longer than 2048.
pub fn normalise(row: &[i32], gamma: &[i32], beta: &[i32]) -> Vec<i32> {
    assert!((1..=2048).contains(&row.len()));
    let width = row.len() as i64;
    let e = excess(row);

    let sum: i64 = row.iter().map(|&x| i64::from(srs(x.into(), e))).sum();
    let mean5 = sum * 32 / width;
    let mean = if e >= 5 { saturated(mean5 << (e - 5)) } else { srs(mean5, 5 - e) };
    let centred: Vec<i32> = row.iter().map(|&x| saturated(i64::from(x) - i64::from(mean))).collect();

    let f = excess(&centred);
    let mut squares = [0i64; 16];
    for (column, &d) in centred.iter().enumerate() {
        let n = i64::from(srs(d.into(), f)).clamp(-32768, 32767);
        squares[column % 16] += n * n;
    }
    let q: i32 = squares.iter().map(|&sum| srs(sum, 10)).sum();

    let epsilon = EPSILON.checked_shr(2 * f).unwrap_or(0);
    let z = ((q.max(1) as u32).leading_zeros() - 1).min(epsilon.leading_zeros() + 7) / 2 * 2;
    let added = if z >= 10 { u64::from(epsilon) << (z - 10) } else { u64::from(epsilon) >> (10 - z) };
    let variance = (((i64::from(q) << z) / width) as u64 + added).max(1);
    let (mantissa, exponent) = inverse_root(variance as u32, 10 - z as i32);

    let shift = (exponent + f as i32 - 16) as u32;
    centred
        .iter()
        .zip(gamma.iter().zip(beta))
        .map(|(&d, (&gamma, &beta))| {
            let y = srs(i64::from(d) * i64::from(mantissa), shift);
            saturated(i64::from(srs(i64::from(y) * i64::from(gamma), 16)) + i64::from(beta))
        })
        .collect()
}
