//! What every processor has: arrays, written so that the compiler may use whatever vectors there are.
#![allow(unsafe_code)]

use super::{ROOT_HALF_BITS, Simd};

const LANES: usize = 8;

/// Needs no proof.
#[derive(Clone, Copy)]
pub struct Portable;

impl Simd for Portable {
    const LANES: usize = LANES;
    const VECTORS: usize = 2;

    type F = [f32; LANES];
    type I = [i32; LANES];

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::F {
        std::array::from_fn(|lane| from[lane])
    }

    #[inline(always)]
    fn load_some(self, from: &[f32], fill: f32) -> Self::F {
        std::array::from_fn(|lane| from.get(lane).copied().unwrap_or(fill))
    }

    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32]) {
        to[..LANES].copy_from_slice(&x);
    }

    #[inline(always)]
    fn store_some(self, x: Self::F, to: &mut [f32]) {
        to.iter_mut().zip(x).for_each(|(to, x)| *to = x);
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn sum(self, x: Self::F) -> f32 {
        x.into_iter().sum()
    }

    #[inline(always)]
    fn greatest(self, x: Self::F) -> f32 {
        x.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    #[inline(always)]
    fn splat_i(self, x: u32) -> Self::I {
        [x as i32; LANES]
    }

    #[inline(always)]
    fn round(self, x: Self::F) -> Self::I {
        std::array::from_fn(|lane| x[lane].round_ties_even() as i32)
    }

    #[inline(always)]
    fn to_f(self, x: Self::I) -> Self::F {
        std::array::from_fn(|lane| x[lane] as f32)
    }

    #[inline(always)]
    fn scale_exponent(self, x: Self::F, n: Self::I) -> Self::F {
        std::array::from_fn(|lane| f32::from_bits(x[lane].to_bits().wrapping_add((n[lane] as u32) << 23)))
    }

    #[inline(always)]
    fn split(self, x: Self::F) -> [Self::F; 2] {
        let exponent = |x: f32| (x.to_bits() as i32).wrapping_sub(ROOT_HALF_BITS) >> 23;
        let mantissa = |x: f32| f32::from_bits(x.to_bits().wrapping_sub((exponent(x) as u32) << 23));
        [x.map(mantissa), x.map(|x| exponent(x) as f32)]
    }

    #[inline(always)]
    fn pack_bytes(self, x: [Self::I; 4]) -> Self::I {
        std::array::from_fn(|lane| i32::from_le_bytes(x.map(|x| x[lane] as u8)))
    }

    #[inline(always)]
    fn pack_bf16(self, x: [Self::F; 2]) -> Self::I {
        std::array::from_fn(|lane| (u32::from(bf16(x[0][lane])) | u32::from(bf16(x[1][lane])) << 16) as i32)
    }

    #[inline(always)]
    fn pairs(self, x: Self::I) -> [Self::I; 4] {
        [0, 2, 4, 6].map(|shift| x.map(|x| (x >> shift) & 0x0303_0303))
    }

    #[inline(always)]
    fn store_i(self, x: Self::I, to: &mut [u32]) {
        to[..LANES].iter_mut().zip(x).for_each(|(to, x)| *to = x as u32);
    }

    #[inline(always)]
    fn store_u8(self, x: Self::I, to: &mut [u8]) {
        to[..LANES].iter_mut().zip(x).for_each(|(to, x)| *to = x.clamp(0, 255) as u8);
    }

    #[inline(always)]
    fn store_bf16(self, x: Self::F, to: &mut [u16]) {
        to[..LANES].iter_mut().zip(x).for_each(|(to, x)| *to = bf16(x));
    }

    #[inline(always)]
    fn dot_u8(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|lane| {
            let (a, b) = (a[lane].to_le_bytes(), b[lane].to_le_bytes());
            (0..4).fold(sum[lane], |sum, byte| sum.wrapping_add(a[byte] as i32 * b[byte] as i8 as i32))
        })
    }

    #[inline(always)]
    fn dot_bf16(self, sum: Self::F, a: Self::I, b: Self::I) -> Self::F {
        let low = |x: i32| f32::from_bits((x as u32) << 16);
        let high = |x: i32| f32::from_bits(x as u32 & 0xffff_0000);
        std::array::from_fn(|lane| sum[lane] + low(a[lane]) * low(b[lane]) + high(a[lane]) * high(b[lane]))
    }

    // SAFETY: the contract is the trait's.
    #[inline(always)]
    unsafe fn load_i(self, from: *const u32) -> Self::I {
        // SAFETY: the caller vouches for LANES elements; u32 and i32 are alike.
        unsafe { from.cast::<Self::I>().read_unaligned() }
    }
}

/// Rounds to even of two.
#[inline(always)]
fn bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}
