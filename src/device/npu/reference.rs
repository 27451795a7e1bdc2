//! Temporary.
pub fn widen(value: f32) -> i32 {
    (f64::from(value) * 65536.0).round_ties_even().clamp(i32::MIN as f64, i32::MAX as f64) as i32
}
pub fn gelu_table() -> Vec<i16> {
    let g = |a: f64| a * 0.5 * (1.0 - f64::from(crate::math::erf((a / 2f64.sqrt()) as f32)));
    (0..514).map(|i| (131072.0 * g(i as f64 / 64.0)).round() as i16).collect()
}
pub fn exp_table() -> Vec<i32> {
    (0..256).map(|i| (8388608.0 * ((i as f64 / 256.0).exp2() - 1.0)).round() as i32).collect()
}
pub fn logarithm_table() -> Vec<i32> {
    (0..=256).map(|i| (1048576.0 * (1.0 + i as f64 / 256.0).log2()).round() as i32).collect()
}
pub fn quantise_row(row: &[f32]) -> (Vec<i8>, i32) {
    let m = row.iter().map(|x| widen(*x).unsigned_abs().min(i32::MAX as u32)).max().unwrap_or(1).max(1) as i32;
    (row.iter().map(|x| (127.0 * f64::from(widen(*x)) / f64::from(m)).round_ties_even() as i8).collect(), m)
}
