//! Functions of vectors, for the paths whose operands are rounded anyway; `crate::math` has the exact ones.

use super::simd::Simd;

/// 2^x within 8e-5 (relative) for x in −126..=127; below, at most what 2^−126 gives.
///
/// The polynomial is a minimax fit of 2^f on 0..=1, relative error.
#[inline(always)]
pub fn exp2<S: Simd>(simd: S, x: S::F) -> S::F {
    let fraction = simd.fraction(x);
    let mut y = simd.splat(0.078_024_52);
    for coefficient in [0.226_067_16, 0.695_833_56, 0.999_925_2] {
        y = simd.mul_add(y, fraction, simd.splat(coefficient));
    }
    simd.times_power(y, x)
}

/// The logarithm to base 10 of a positive normal number, within 1e-7 and 2.4e-7 of itself.
///
/// The polynomial is a Chebyshev fit of log₁₀(1 + f)/f on √½ − 1..=√2 − 1.
#[inline(always)]
pub fn log10<S: Simd>(simd: S, x: S::F) -> S::F {
    const COEFFICIENTS: [f32; 7] =
        [0.070_035_405, -0.075_038_3, 0.086_482_57, -0.108_438_58, 0.144_770_35, -0.217_148_87, 0.434_294_47];
    let [mantissa, exponent] = simd.split(x);
    let f = simd.sub(mantissa, simd.splat(1.0));
    let mut y = simd.splat(-0.042_974_962);
    for coefficient in COEFFICIENTS {
        y = simd.mul_add(y, f, simd.splat(coefficient));
    }
    simd.mul_add(exponent, simd.splat(std::f32::consts::LOG10_2), simd.mul(y, f))
}

/// x·Φ(x) within 1.1e-5 (absolute).
///
/// It is max(x, 0) − g(|x|) with g(u) = u·Φ(−u); the polynomial is a Chebyshev fit of g on 0..=5 over t = 2u/5 − 1, and
/// beyond 5 g is below 2e-6.
#[inline(always)]
pub fn gelu<S: Simd>(simd: S, x: S::F) -> S::F {
    const COEFFICIENTS: [f32; 11] = [
        -0.070_819_53,
        -0.148_040_78,
        0.320_871_17,
        0.015_243_674,
        -0.478_155_74,
        0.437_078_5,
        -0.020_342_484,
        -0.259_229_36,
        0.232_920_95,
        -0.093_941_4,
        0.015_521_905,
    ];
    let magnitude = simd.max(x, simd.sub(simd.splat(0.0), x));
    let t = simd.mul_add(simd.min(magnitude, simd.splat(5.0)), simd.splat(0.4), simd.splat(-1.0));
    let mut y = simd.splat(0.048_895_93);
    for coefficient in COEFFICIENTS {
        y = simd.mul_add(y, t, simd.splat(coefficient));
    }
    simd.sub(simd.max(x, simd.splat(0.0)), y)
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Isa, Kernel};
    use super::*;
    use crate::math::erf;

    struct Walk<'a>(&'a [f32], &'a mut [f32], bool);

    impl Kernel for Walk<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            for (x, y) in self.0.chunks(S::LANES).zip(self.1.chunks_mut(S::LANES)) {
                let x = simd.load_some(x, 0.0);
                simd.store_some(if self.2 { gelu(simd, x) } else { exp2(simd, x) }, y);
            }
        }
    }

    #[test]
    fn exp2_keeps_its_bound_on_every_instruction_set() {
        let x: Vec<f32> = (-125_999..=20_000).map(|i| i as f32 * 1e-3).collect();
        for isa in Isa::all() {
            let mut y = vec![0.0; x.len()];
            isa.run(Walk(&x, &mut y, false));
            for (x, y) in x.iter().zip(&y) {
                let expected = (*x as f64).exp2();
                assert!((*y as f64 - expected).abs() < 8e-5 * expected, "{isa:?}: 2^{x} is not {y}");
            }
            isa.run(Walk(&[-1e30, f32::NEG_INFINITY, 0.0], &mut y[..3], false));
            assert!(y[0] < 2e-38 && y[1] < 2e-38 && (y[2] - 1.0).abs() < 8e-5);
        }
    }

    struct Logarithms<'a>(&'a [f32], &'a mut [f32]);

    impl Kernel for Logarithms<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            for (x, y) in self.0.chunks(S::LANES).zip(self.1.chunks_mut(S::LANES)) {
                simd.store_some(log10(simd, simd.load_some(x, 1.0)), y);
            }
        }
    }

    #[test]
    fn log10_keeps_its_bound_on_every_instruction_set() {
        let x: Vec<f32> = (0x0080_0000..0x7f80_0000).step_by(9_973).map(f32::from_bits).collect();
        for isa in Isa::all() {
            let mut y = vec![0.0; x.len()];
            isa.run(Logarithms(&x, &mut y));
            for (x, y) in x.iter().zip(&y) {
                let expected = f64::from(*x).log10();
                let bound = 1e-7 + 2.4e-7 * expected.abs();
                assert!((f64::from(*y) - expected).abs() < bound, "{isa:?}: log10({x}) is {y}, not {expected}");
            }
        }
    }

    #[test]
    fn gelu_keeps_its_bound_on_every_instruction_set() {
        let x: Vec<f32> = (-100_000..=100_000).map(|i| i as f32 * 1e-4).collect();
        for isa in Isa::all() {
            let mut y = vec![0.0; x.len()];
            isa.run(Walk(&x, &mut y, true));
            for (x, y) in x.iter().zip(&y) {
                let expected = 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
                assert!((y - expected).abs() < 1.2e-5, "{isa:?}: gelu({x}) is {y}, not {expected}");
            }
        }
    }
}
