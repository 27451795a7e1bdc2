//! Shifts and conversions.

/// The nearest i32.
pub fn saturated(x: i64) -> i32 {
    x.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// x · 2^-shift to the nearest integer, even of two, saturated to 32 bits: how values leave an accumulator.
pub fn srs(x: i64, shift: u32) -> i32 {
    let divisor = 1i128 << shift;
    let floor = i128::from(x).div_euclid(divisor);
    let twice_rest = 2 * i128::from(x).rem_euclid(divisor);
    let up = twice_rest > divisor || twice_rest == divisor && floor % 2 != 0;
    saturated((floor + i128::from(up)) as i64)
}

/// x · 2^shift to the nearest integer, even of two, saturated to 32 bits; 0 of what is no number.
pub fn to_fixed(x: f32, shift: u32) -> i32 {
    (f64::from(x) * f64::from(shift).exp2()).round_ties_even() as i32
}
