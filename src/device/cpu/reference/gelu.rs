//! The exact Gaussian error linear unit (Hendrycks and Gimpel, arXiv 1606.08415), x·(1 + erf(x/√2))/2.

use std::f32::consts::FRAC_1_SQRT_2;

use crate::math::erf;

/// Applies it to each element.
pub fn gelu(values: &mut [f32]) {
    for x in values {
        *x = 0.5 * *x * (1.0 + erf(*x * FRAC_1_SQRT_2));
    }
}

#[cfg(test)]
mod tests {
    use super::gelu;

    #[test]
    fn known_values() {
        // Φ(1), Φ(−2) and Φ(0.5) from a table of the normal distribution.
        let mut values = [0.0, 1.0, -2.0, 0.5, -20.0, 20.0];
        gelu(&mut values);
        let expected = [0.0, 0.841_344_8, -2.0 * 0.022_750_1, 0.5 * 0.691_462_5, 0.0, 20.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} for {expected}");
        }
    }
}
