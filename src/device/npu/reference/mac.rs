//! One step of the matrix unit in bf16, for one result.

use half::bf16;

/// Least exponent of the grid's top bit, so that grid and result are normal floats.
const LEAST_EXPONENT: i32 = -103;

/// A number as sign and size: mantissa · 2^exponent.
#[derive(Clone, Copy)]
struct Term {
    mantissa: i64,
    exponent: i32,
}

impl Term {
    /// To the nearest multiple of 2^grid, even of two, as that multiple.
    fn on_grid(self, grid: i32) -> i64 {
        let shift = grid - self.exponent;
        if shift <= 0 {
            return self.mantissa << -shift;
        }
        if shift > 40 {
            return 0;
        }
        let size = self.mantissa.abs();
        let floor = size >> shift;
        let rest = size - (floor << shift);
        let half = 1 << (shift - 1);
        let rounded = floor + i64::from(rest > half || rest == half && floor % 2 == 1);
        rounded * self.mantissa.signum()
    }
}

/// `sum` plus eight products, as the matrix unit adds them.
///
/// A product's exponent is the sum of its operands' plus 1, the sum's is its own; E is the greatest of the nine, at least -103.
/// Each is rounded to a multiple of 2^(E - 23), all are added exactly, and the result is rounded to a float. Zero and denormal
/// operands count as zero. If E is above 127, or an operand is infinite or no number, the result is NaN.
pub fn mac(sum: f32, a: [bf16; 8], b: [bf16; 8]) -> f32 {
    let field = |x: bf16| i32::from(x.to_bits() >> 7 & 255);
    if a.iter().chain(&b).any(|&x| field(x) == 255) || !sum.is_finite() {
        return f32::from_bits(0x7fc0_0000);
    }
    let mut greatest = LEAST_EXPONENT;
    let mut terms = Vec::with_capacity(9);
    for (x, y) in a.into_iter().zip(b) {
        if field(x) == 0 || field(y) == 0 {
            continue;
        }
        let mantissa = |x: bf16| i64::from(x.to_bits() & 127 | 128) * if x.is_sign_negative() { -1 } else { 1 };
        let exponent = field(x) - 127 + field(y) - 127;
        terms.push(Term { mantissa: mantissa(x) * mantissa(y), exponent: exponent - 14 });
        greatest = greatest.max(exponent + 1);
    }
    let bits = sum.to_bits();
    let sum_field = (bits >> 23 & 255) as i32;
    let fraction = i64::from(bits & 0x7f_ffff) | if sum_field > 0 { 1 << 23 } else { 0 };
    let sign = if bits >> 31 == 1 { -1 } else { 1 };
    terms.push(Term { mantissa: sign * fraction, exponent: sum_field.max(1) - 127 - 23 });
    greatest = greatest.max(sum_field - 127);
    if greatest > 127 {
        return f32::from_bits(0x7fc0_0000);
    }
    let grid = greatest - 23;
    let total: i64 = terms.into_iter().map(|term| term.on_grid(grid)).sum();
    (f64::from(total as f32) * f64::from(grid).exp2()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight(first: f32) -> [bf16; 8] {
        let mut all = [bf16::ZERO; 8];
        all[0] = bf16::from_f32(first);
        all
    }

    #[test]
    fn a_single_product_is_exact() {
        assert_eq!(mac(0.0, eight(3.0), eight(-0.5)), -1.5);
        assert_eq!(mac(1.0, eight(3.0), eight(-0.5)), -0.5);
    }

    #[test]
    fn what_is_small_beside_the_greatest_is_rounded_first() {
        // The product's exponent counts as 1 although it is 1.0, so the grid is 2^-22: of the sum's 2^-23 half goes to even.
        assert_eq!(mac(f32::from_bits(1.0f32.to_bits() + 1), eight(1.0), eight(1.0)), 2.0);
        assert_eq!(mac(f32::from_bits(1.0f32.to_bits() + 3), eight(1.0), eight(1.0)), 2.0 + 4.0 * f32::EPSILON);
    }

    #[test]
    fn denormals_are_zero_and_overflow_is_no_number() {
        assert_eq!(mac(0.0, eight(f32::MIN_POSITIVE / 2.0), eight(1e30)), 0.0);
        assert!(mac(0.0, eight(2e38), eight(2.0)).is_nan());
        assert!(mac(f32::INFINITY, eight(0.0), eight(0.0)).is_nan());
        assert!(mac(0.0, eight(f32::INFINITY), eight(0.0)).is_nan());
    }
}
