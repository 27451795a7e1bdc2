//! NEON with the dot product instructions of ARMv8.2.
#![allow(unsafe_code)]

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Kernel, ROOT_HALF_BITS, Simd};

/// Proof that the processor has NEON and the dot product.
#[derive(Clone, Copy)]
pub struct Neon(());

/// Runs a kernel; called by [`super::Isa::run`] for a checked instruction set alone.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: an `Isa` of this set exists only if the processor has the features, see `Isa::all`.
    unsafe { with_dot_product(kernel) }
}

#[target_feature(enable = "neon,dotprod")]
fn with_dot_product<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Neon(()))
}

/// Instructions that touch registers only.
macro_rules! registers {
    ($expression:expr) => {
        // SAFETY: the token proves that the processor has the instructions, and no memory is touched.
        unsafe { $expression }
    };
}

/// The bits of `x` with the upper half rounded to even.
///
/// # Safety
/// The processor has NEON.
#[inline(always)]
unsafe fn rounded(x: float32x4_t) -> uint32x4_t {
    registers!({
        let bits = vreinterpretq_u32_f32(x);
        let even = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
        vaddq_u32(bits, vaddq_u32(even, vdupq_n_u32(0x7fff)))
    })
}

impl Simd for Neon {
    const LANES: usize = 4;
    const VECTORS: usize = 4;

    type F = float32x4_t;
    type I = uint32x4_t;

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        registers!(vdupq_n_f32(x))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> float32x4_t {
        let from = &from[..4];
        // SAFETY: the slice has 4 elements.
        unsafe { vld1q_f32(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_some(self, from: &[f32], fill: f32) -> float32x4_t {
        if from.len() >= 4 {
            return self.load(from);
        }
        let mut lanes = [fill; 4];
        let count = from.len().min(4);
        lanes[..count].copy_from_slice(&from[..count]);
        self.load(&lanes)
    }

    #[inline(always)]
    fn store(self, x: float32x4_t, to: &mut [f32]) {
        let to = &mut to[..4];
        // SAFETY: the slice has 4 elements.
        unsafe { vst1q_f32(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_some(self, x: float32x4_t, to: &mut [f32]) {
        if to.len() >= 4 {
            return self.store(x, to);
        }
        let mut lanes = [0.0; 4];
        self.store(x, &mut lanes);
        let count = to.len().min(4);
        to[..count].copy_from_slice(&lanes[..count]);
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        registers!(vaddq_f32(a, b))
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        registers!(vsubq_f32(a, b))
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        registers!(vmulq_f32(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        registers!(vfmaq_f32(c, a, b))
    }

    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        registers!(vmaxq_f32(a, b))
    }

    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        registers!(vminq_f32(a, b))
    }

    #[inline(always)]
    fn sum(self, x: float32x4_t) -> f32 {
        registers!(vaddvq_f32(x))
    }

    #[inline(always)]
    fn greatest(self, x: float32x4_t) -> f32 {
        registers!(vmaxvq_f32(x))
    }

    #[inline(always)]
    fn splat_i(self, x: u32) -> uint32x4_t {
        registers!(vdupq_n_u32(x))
    }

    #[inline(always)]
    fn round(self, x: float32x4_t) -> uint32x4_t {
        registers!(vreinterpretq_u32_s32(vcvtnq_s32_f32(x)))
    }

    #[inline(always)]
    fn to_f(self, x: uint32x4_t) -> float32x4_t {
        registers!(vcvtq_f32_s32(vreinterpretq_s32_u32(x)))
    }

    #[inline(always)]
    fn scale_exponent(self, x: float32x4_t, n: uint32x4_t) -> float32x4_t {
        registers!(vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(x), vshlq_n_u32::<23>(n))))
    }

    #[inline(always)]
    fn split(self, x: float32x4_t) -> [float32x4_t; 2] {
        registers!({
            let bits = vreinterpretq_s32_f32(x);
            let n = vshrq_n_s32::<23>(vsubq_s32(bits, vdupq_n_s32(ROOT_HALF_BITS)));
            let mantissa = vsubq_s32(bits, vshlq_n_s32::<23>(n));
            [vreinterpretq_f32_s32(mantissa), vcvtq_f32_s32(n)]
        })
    }

    #[inline(always)]
    fn pack_bytes(self, x: [uint32x4_t; 4]) -> uint32x4_t {
        registers!({
            let low = vdupq_n_u32(0xff);
            let first = vandq_u32(x[0], low);
            let second = vshlq_n_u32::<8>(vandq_u32(x[1], low));
            let third = vshlq_n_u32::<16>(vandq_u32(x[2], low));
            let fourth = vshlq_n_u32::<24>(x[3]);
            vorrq_u32(vorrq_u32(first, second), vorrq_u32(third, fourth))
        })
    }

    #[inline(always)]
    fn pack_bf16(self, x: [float32x4_t; 2]) -> uint32x4_t {
        registers!({
            let high = vandq_u32(rounded(x[1]), vdupq_n_u32(0xffff_0000));
            vorrq_u32(vshrq_n_u32::<16>(rounded(x[0])), high)
        })
    }

    #[inline(always)]
    fn pairs(self, x: uint32x4_t) -> [uint32x4_t; 4] {
        registers!({
            let low = vdupq_n_u32(0x0303_0303);
            [
                vandq_u32(x, low),
                vandq_u32(vshrq_n_u32::<2>(x), low),
                vandq_u32(vshrq_n_u32::<4>(x), low),
                vandq_u32(vshrq_n_u32::<6>(x), low),
            ]
        })
    }

    #[inline(always)]
    fn store_i(self, x: uint32x4_t, to: &mut [u32]) {
        let to = &mut to[..4];
        // SAFETY: the slice has 4 elements.
        unsafe { vst1q_u32(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_u8(self, x: uint32x4_t, to: &mut [u8]) {
        let mut lanes = [0_i32; 4];
        // SAFETY: the array has 4 elements.
        unsafe { vst1q_s32(lanes.as_mut_ptr(), vreinterpretq_s32_u32(x)) };
        to[..4].iter_mut().zip(lanes).for_each(|(to, lane)| *to = lane.clamp(0, 255) as u8);
    }

    #[inline(always)]
    fn store_bf16(self, x: float32x4_t, to: &mut [u16]) {
        let to = &mut to[..4];
        // SAFETY: the slice has 4 elements of two bytes.
        unsafe {
            vst1_u16(to.as_mut_ptr(), vshrn_n_u32::<16>(rounded(x)));
        }
    }

    /// Σ a·b over unsigned a is Σ (a − 128)·b + 128·Σ b, both of which the signed instruction gives.
    #[inline(always)]
    fn dot_u8(self, sum: uint32x4_t, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
        let mut sum = sum;
        // SAFETY: the token proves that the processor has the instruction, and no memory is touched.
        unsafe {
            let shifted = veorq_u32(a, vdupq_n_u32(0x8080_8080));
            let mut total = vdupq_n_u32(0);
            asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) shifted, in(vreg) b,
                options(pure, nomem, nostack, preserves_flags));
            asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) total, in(vreg) vdupq_n_u32(0x0101_0101),
                in(vreg) b, options(pure, nomem, nostack, preserves_flags));
            vaddq_u32(sum, vshlq_n_u32::<7>(total))
        }
    }

    #[inline(always)]
    fn dot_bf16(self, sum: float32x4_t, a: uint32x4_t, b: uint32x4_t) -> float32x4_t {
        registers!({
            let high = vdupq_n_u32(0xffff_0000);
            let low = |x| vreinterpretq_f32_u32(vshlq_n_u32::<16>(x));
            let sum = vfmaq_f32(sum, low(a), low(b));
            vfmaq_f32(sum, vreinterpretq_f32_u32(vandq_u32(a, high)), vreinterpretq_f32_u32(vandq_u32(b, high)))
        })
    }

    // SAFETY: the contract is the trait's.
    #[inline(always)]
    unsafe fn load_i(self, from: *const u32) -> uint32x4_t {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { vld1q_u32(from) }
    }
}
