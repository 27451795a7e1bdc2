//! The tables that come with headers.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// round(2^17 g(i / 64)) for i = 0..=512, g(a) = a·Φ(-a), and one more to fill up: what GELU lacks to max(x, 0).
pub fn gelu_table() -> [i16; 514] {
    std::array::from_fn(|i| {
        let a = i.min(512) as f64 / 64.0;
        (131_072.0 * a * 0.5 * complementary_error(a * FRAC_1_SQRT_2)).round() as i16
    })
}

/// round(2^23 (2^(i / 256) - 1)) for i = 0..=255.
pub fn exp_table() -> [i32; 256] {
    std::array::from_fn(|i| (8_388_608.0 * ((i as f64 / 256.0).exp2() - 1.0)).round() as i32)
}

/// round(2^20 log2(1 + i / 256)) for i = 0..=256.
pub fn logarithm_table() -> [i32; 257] {
    std::array::from_fn(|i| (1_048_576.0 * (1.0 + i as f64 / 256.0).log2()).round() as i32)
}

/// erfc of x from 0 on, within 1e-12: the series of erf below 2, the continued fraction above.
pub fn complementary_error(x: f64) -> f64 {
    if x < 2.0 {
        // erf(x) = 2/sqrt(pi) e^(-x²) sum of 2^n x^(2n+1) / (1·3·…·(2n+1)): all terms positive.
        let mut term = x;
        let mut sum = x;
        for n in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum
    } else {
        // erfc(x) = e^(-x²) / sqrt(pi) · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))).
        let fraction = (1..120).rev().fold(x, |rest, n| x + f64::from(n) / 2.0 / rest);
        (-x * x).exp() / PI.sqrt() / fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_right_on_both_sides() {
        // Abramowitz and Stegun, table 7.1.
        for (x, erf) in [(0.0, 0.0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (1.5, 0.966_105_146_5)] {
            assert!((1.0 - complementary_error(x) - erf).abs() < 1e-10);
        }
        assert!((complementary_error(2.0) - 0.004_677_734_98).abs() < 1e-11);
        assert!((complementary_error(1.999_999_999) - complementary_error(2.0)).abs() < 1e-10);
    }

    #[test]
    fn tables_begin_and_end_where_they_should() {
        let (gelu, exponential) = (gelu_table(), exp_table());
        assert_eq!((gelu[0], gelu[512], exponential[0]), (0, 0, 0));
        assert_eq!(gelu.iter().max(), Some(&22278));
        assert_eq!(exponential[128], 3_474_675);
        assert!(exponential[255] < 1 << 23);
    }
}
