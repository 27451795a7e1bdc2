//! f32 rows to what a product takes, and weights to what a packed matrix holds.

use super::linear::Left;
use super::packed::Packed;
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
    /// Encodes a row of a left matrix into groups, whole vectors of the widest set, zeros behind it.
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range;
    /// Encodes a column of weights; gives its scale and the sum of its integers times the scale.
    fn encode_column<S: Simd>(simd: S, column: &[f32], groups: &mut [u32]) -> (f32, f32);
    /// The matrix and the rows in 8 bits, if that is what they are in.
    fn in_8_bits<'a>(_: &'a Packed<Self>, _: &'a Left<Self>) -> Option<(&'a Packed<Int8>, &'a Left<Int8>)> {
        None
    }
    /// Elements of one group of a column with its scale.
    fn decode(group: u32, scale: f32, out: &mut [f32]);
}

/// What is added to signed integers where the byte product wants unsigned ones.
pub const MIDDLE: u32 = 128;

/// Greatest magnitude of a signed weight: symmetric, so that no sign is favoured.
pub const MOST: f32 = 127.0;
/// Greatest unsigned integer of a row.
const STEPS: f32 = 255.0;

impl Encode for Int8 {
    fn in_8_bits<'a>(weight: &'a Packed<Self>, left: &'a Left<Self>) -> Option<(&'a Packed<Int8>, &'a Left<Int8>)> {
        Some((weight, left))
    }

    #[inline(always)]
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range {
        let (least, most) = extremes(simd, row);
        let scale = ((most - least) / STEPS).max(f32::MIN_POSITIVE);
        let bytes = bytes_mut(groups);
        let (factor, lowest) = (simd.splat(1.0 / scale), simd.splat(least));
        let mut first = 0;
        while first < row.len() {
            // Not fused, so that every instruction set rounds alike.
            let x = simd.mul(simd.sub(simd.load_some(&row[first..], least), lowest), factor);
            simd.store_u8(simd.round(x), &mut bytes[first..]);
            first += S::LANES;
        }
        bytes[row.len()..].fill(0);
        Range { scale, least }
    }

    #[inline(always)]
    fn encode_column<S: Simd>(simd: S, column: &[f32], groups: &mut [u32]) -> (f32, f32) {
        let scale = signed(simd, column, groups);
        (scale, twos_complement(groups, column.len()) as f32 * scale)
    }

    fn decode(group: u32, scale: f32, out: &mut [f32]) {
        out.iter_mut().zip(group.to_le_bytes()).for_each(|(x, byte)| *x = f32::from(byte as i8) * scale);
    }
}

impl Encode for Bf16 {
    #[inline(always)]
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32]) -> Range {
        let halves = halves_mut(groups);
        let mut first = 0;
        while first < row.len() {
            simd.store_bf16(simd.load_some(&row[first..], 0.0), &mut halves[first..]);
            first += S::LANES;
        }
        halves[row.len()..].fill(0);
        Range { scale: 1.0, least: 0.0 }
    }

    #[inline(always)]
    fn encode_column<S: Simd>(simd: S, column: &[f32], groups: &mut [u32]) -> (f32, f32) {
        Self::encode_row(simd, column, groups);
        (1.0, 0.0)
    }

    fn decode(group: u32, _: f32, out: &mut [f32]) {
        let halves = [group << 16, group & 0xffff_0000];
        out.iter_mut().zip(halves).for_each(|(x, bits)| *x = f32::from_bits(bits));
    }
}

/// Writes x / scale + [`MIDDLE`] as bytes and gives the scale; behind `x` stands what its zeros would be. The groups are whole
/// vectors of the widest set.
#[inline(always)]
pub fn signed<S: Simd>(simd: S, x: &[f32], groups: &mut [u32]) -> f32 {
    let (mut most, mut first) = (simd.splat(0.0), 0);
    while first < x.len() {
        let x = simd.load_some(&x[first..], 0.0);
        most = simd.max(most, simd.max(x, simd.sub(simd.splat(0.0), x)));
        first += S::LANES;
    }
    let scale = (simd.greatest(most) / MOST).max(f32::MIN_POSITIVE);
    let (factor, middle) = (simd.splat(1.0 / scale), simd.splat(MIDDLE as f32));
    let bytes = bytes_mut(groups);
    let mut first = 0;
    while first < x.len() {
        // Not fused, so that every instruction set rounds alike.
        let x = simd.add(simd.mul(simd.load_some(&x[first..], 0.0), factor), middle);
        simd.store_u8(simd.round(x), &mut bytes[first..]);
        first += S::LANES;
    }
    bytes[x.len()..].fill(MIDDLE as u8);
    scale
}

/// Takes [`MIDDLE`] off the bytes that [`signed`] wrote, `length` of them with zeros behind, and gives their sum.
#[inline(always)]
pub fn twos_complement(groups: &mut [u32], length: usize) -> i32 {
    for group in groups.iter_mut() {
        *group ^= 0x8080_8080;
    }
    bytes_mut(groups)[..length].iter().map(|byte| i32::from(*byte as i8)).sum()
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
