//! f32 rows to what a product takes, and weights to what a packed matrix holds.

use super::linear::Left;
use super::packed::Packed;
use super::simd::{Bf16, Element, Int8, Line, Simd, bytes_mut, halves_mut};

/// Elements that rows and columns can be encoded in.
pub trait Encode: Element {
    /// Encodes a row of a left matrix into groups, whole vectors of the widest set, zeros behind it: x ≈ scale·integer + least,
    /// with a scale for each [`BLOCK`] elements, or one for all if there is room for one only. Gives the least.
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32], scales: &mut [f32]) -> f32;
    /// Encodes a column of weights; gives its scale and the sum of its integers times the scale.
    fn encode_column<S: Simd>(simd: S, column: &[f32], groups: &mut [u32]) -> (f32, f32);
    /// The matrix and the rows in 8 bits, if that is what they are in.
    fn in_8_bits<'a>(_: &'a Packed<Self>, _: &'a Left<Self>) -> Option<(&'a Packed<Int8>, &'a Left<Int8>)> {
        None
    }
    /// Elements of one group of a column with its scale.
    fn decode(group: u32, scale: f32, out: &mut [f32]);
}

/// Elements of a long row that have a scale of their own. What comes out of GELU has a few elements far above all others, at
/// places that differ from row to row; with one scale for a row they take the precision of the rest.
pub const BLOCK: usize = 128;
/// Bytes of the widest vector.
const BYTES: usize = 4 * Line::GROUPS;

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
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32], scales: &mut [f32]) -> f32 {
        let Some(&first) = row.first() else { return 0.0 };
        let length = block_length(row.len(), scales);
        let mut least = simd.splat(first);
        for (block, scale) in row.chunks(length).zip(&mut *scales) {
            let mut most = simd.splat(block[0]);
            for x in block.chunks(S::LANES) {
                let x = simd.load_some(x, block[0]);
                (least, most) = (simd.min(least, x), simd.max(most, x));
            }
            *scale = simd.greatest(most);
        }
        let least = -simd.greatest(simd.sub(simd.splat(0.0), least));
        let bytes = bytes_mut(groups);
        for ((block, scale), bytes) in
            row.chunks(length).zip(scales).zip(bytes.chunks_mut(length.next_multiple_of(BYTES)))
        {
            *scale = ((*scale - least) / STEPS).max(f32::MIN_POSITIVE);
            let (factor, least) = (simd.splat(1.0 / *scale), simd.splat(least));
            let mut place = 0;
            for x in block.chunks_exact(4 * S::LANES) {
                let load = [
                    simd.load(x),
                    simd.load(&x[S::LANES..]),
                    simd.load(&x[2 * S::LANES..]),
                    simd.load(&x[3 * S::LANES..]),
                ];
                let mut integers = [simd.splat_i(0); 4];
                for vector in 0..4 {
                    integers[vector] = nearest(simd, load[vector], least, factor);
                }
                simd.store_four_u8(integers, &mut bytes[place..]);
                place += 4 * S::LANES;
            }
            while place < block.len() {
                let x = nearest(simd, simd.load_some(&block[place..], 0.0), least, factor);
                simd.store_u8(x, &mut bytes[place..]);
                place += S::LANES;
            }
        }
        bytes[row.len()..].fill(0);
        least
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
    fn encode_row<S: Simd>(simd: S, row: &[f32], groups: &mut [u32], scales: &mut [f32]) -> f32 {
        scales.fill(1.0);
        let halves = halves_mut(groups);
        let mut first = 0;
        while first < row.len() {
            simd.store_bf16(simd.load_some(&row[first..], 0.0), &mut halves[first..]);
            first += S::LANES;
        }
        halves[row.len()..].fill(0);
        0.0
    }

    #[inline(always)]
    fn encode_column<S: Simd>(simd: S, column: &[f32], groups: &mut [u32]) -> (f32, f32) {
        Self::encode_row(simd, column, groups, &mut []);
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

/// What the integers that [`Int8::encode_row`] writes for `x` leave of it.
#[inline(always)]
pub fn rest<S: Simd>(simd: S, x: &[f32], least: f32, scales: &[f32], rest: &mut [f32]) {
    let (length, least) = (block_length(x.len(), scales), simd.splat(least));
    for ((x, rest), scale) in x.chunks(length).zip(rest.chunks_mut(length)).zip(scales) {
        let (scale, factor) = (simd.splat(*scale), simd.splat(1.0 / scale));
        for (x, rest) in x.chunks(S::LANES).zip(rest.chunks_mut(S::LANES)) {
            let x = simd.load_some(x, 0.0);
            let written = simd.mul_add(simd.to_f(nearest(simd, x, least, factor)), scale, least);
            simd.store_some(simd.sub(x, written), rest);
        }
    }
}

/// Elements that have a scale in common, of a row of `row_length`.
#[inline(always)]
fn block_length(row_length: usize, scales: &[f32]) -> usize {
    if scales.len() == 1 { row_length } else { BLOCK }
}

/// The integers nearest to (x − least)·factor. Not fused, so that every instruction set rounds alike.
#[inline(always)]
fn nearest<S: Simd>(simd: S, x: S::F, least: S::F, factor: S::F) -> S::I {
    simd.round(simd.mul(simd.sub(x, least), factor))
}
