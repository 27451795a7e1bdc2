//! f32 rows to what a product takes, and weights to what a packed matrix holds.

use super::simd::{Bf16, Element, Int8, Simd, bytes_mut, halves_mut};

/// What an encoded row's integers mean: x ≈ scale·integer + least.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// What one step is worth.
    pub scale: f32,
    /// What 0 means.
    pub least: f32,
}

/// Elements that rows and columns can be encoded in.
pub trait Encode: Element {
    /// Encodes a row of a left matrix into groups, zeros behind it.
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range;
    /// Encodes a column of weights; gives its scale and the sum of its integers times the scale.
    fn encode_column(column: &[f32], groups: &mut [u32]) -> (f32, f32);
    /// Elements of one group of a column with its scale.
    fn decode(group: u32, scale: f32, out: &mut [f32]);
}

/// Greatest magnitude of a signed weight: symmetric, so that no sign is favoured.
pub const MOST: f32 = 127.0;
/// Greatest unsigned integer of a row.
const STEPS: f32 = 255.0;

impl Encode for Int8 {
    #[inline(always)]
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range {
        let (least, most) = extremes(simd, row);
        let scale = ((most - least) / STEPS).max(f32::MIN_POSITIVE);
        let bytes = bytes_mut(groups);
        let (factor, lowest) = (simd.splat(1.0 / scale), simd.splat(least));
        let whole = row.len() / S::LANES * S::LANES;
        let mut first = 0;
        while first < whole {
            // Not fused, so that every instruction set rounds alike.
            let x = simd.mul(simd.sub(simd.load(&row[first..]), lowest), factor);
            simd.store_u8(simd.round(x), &mut bytes[first..]);
            first += S::LANES;
        }
        for index in whole..row.len() {
            bytes[index] = ((row[index] - least) * (1.0 / scale)).round_ties_even() as u8;
        }
        bytes[row.len()..].fill(0);
        Range { scale, least }
    }

    fn encode_column(column: &[f32], groups: &mut [u32]) -> (f32, f32) {
        let most = column.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let scale = (most / MOST).max(f32::MIN_POSITIVE);
        let factor = 1.0 / scale;
        let mut sum = 0;
        for (byte, x) in bytes_mut(groups).iter_mut().zip(column) {
            let integer = (x * factor).round_ties_even() as i8;
            sum += i32::from(integer);
            *byte = integer as u8;
        }
        (scale, sum as f32 * scale)
    }

    fn decode(group: u32, scale: f32, out: &mut [f32]) {
        out.iter_mut().zip(group.to_le_bytes()).for_each(|(x, byte)| *x = f32::from(byte as i8) * scale);
    }
}

impl Encode for Bf16 {
    #[inline(always)]
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range {
        let halves = halves_mut(groups);
        let whole = row.len() / S::LANES * S::LANES;
        let mut first = 0;
        while first < whole {
            simd.store_bf16(simd.load(&row[first..]), &mut halves[first..]);
            first += S::LANES;
        }
        for index in whole..row.len() {
            halves[index] = half::bf16::from_f32(row[index]).to_bits();
        }
        halves[row.len()..].fill(0);
        Range { scale: 1.0, least: 0.0 }
    }

    fn encode_column(column: &[f32], groups: &mut [u32]) -> (f32, f32) {
        for (half, x) in halves_mut(groups).iter_mut().zip(column) {
            *half = half::bf16::from_f32(*x).to_bits();
        }
        (1.0, 0.0)
    }

    fn decode(group: u32, _: f32, out: &mut [f32]) {
        let halves = [group << 16, group & 0xffff_0000];
        out.iter_mut().zip(halves).for_each(|(x, bits)| *x = f32::from_bits(bits));
    }
}

/// Least and greatest element.
#[inline(always)]
fn extremes<S: Simd>(simd: S, row: &[f32]) -> (f32, f32) {
    if row.is_empty() {
        return (0.0, 0.0);
    }
    let (mut least, mut most) = (simd.splat(row[0]), simd.splat(row[0]));
    let mut first = 0;
    while first < row.len() {
        let x = simd.load_some(&row[first..], row[0]);
        least = simd.min(least, x);
        most = simd.max(most, x);
        first += S::LANES;
    }
    let negated = simd.sub(simd.splat(0.0), least);
    (-simd.greatest(negated), simd.greatest(most))
}
