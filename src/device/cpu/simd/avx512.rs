//! AVX-512 with VNNI, and BF16 where `BF16` says so.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, Kind, ROOT_HALF_BITS, Simd};

/// Proof that the processor has AVX-512 F, BW, VL, DQ and VNNI, and BF16 if so named.
#[derive(Clone, Copy)]
pub struct Avx512<const BF16: bool>(());

/// Runs a kernel; called by [`super::Isa::run`] for a checked instruction set alone.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: an `Isa` of this set exists only if the processor has the features, see `Isa::all`.
    unsafe { without_bf16(kernel) }
}

/// The same for the set with BF16, which only some kernels are compiled for anew.
#[inline]
pub fn run_bf16<K: Kernel>(kernel: K) -> K::Output {
    if const { matches!(K::ELEMENT, Some(Kind::Bf16)) } {
        // SAFETY: as in `run`.
        unsafe { with_bf16(kernel) }
    } else {
        run(kernel)
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn without_bf16<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512::<false>(()))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx2,fma,f16c")]
fn with_bf16<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512::<true>(()))
}

/// Instructions that touch registers only.
macro_rules! registers {
    ($expression:expr) => {
        // SAFETY: the token proves that the processor has the instructions, and no memory is touched.
        unsafe { $expression }
    };
}

#[inline(always)]
fn first(count: usize) -> __mmask16 {
    if count >= 16 { !0 } else { (1 << count) - 1 }
}

/// The bits of `x` with the upper half rounded to even.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn rounded(x: __m512) -> __m512i {
    registers!({
        let bits = _mm512_castps_si512(x);
        let even = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7fff)))
    })
}

/// The columns of four rows, in each quarter of the vectors by itself.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn columns(x: [__m512; 4]) -> [__m512; 4] {
    registers!({
        let (a, b) = (_mm512_unpacklo_ps(x[0], x[1]), _mm512_unpackhi_ps(x[0], x[1]));
        let (c, d) = (_mm512_unpacklo_ps(x[2], x[3]), _mm512_unpackhi_ps(x[2], x[3]));
        let (a, b) = (_mm512_castps_pd(a), _mm512_castps_pd(b));
        let (c, d) = (_mm512_castps_pd(c), _mm512_castps_pd(d));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(a, c)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(b, d)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(b, d)),
        ]
    })
}

impl<const BF16: bool> Simd for Avx512<BF16> {
    const LANES: usize = 16;
    const VECTORS: usize = 4;

    type F = __m512;
    type I = __m512i;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        registers!(_mm512_set1_ps(x))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m512 {
        let from = &from[..16];
        // SAFETY: the slice has 16 elements.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_some(self, from: &[f32], fill: f32) -> __m512 {
        // A mask costs more than the branch.
        if from.len() >= 16 {
            return self.load(from);
        }
        // SAFETY: the mask covers no more than the slice's elements, the others are not read.
        unsafe { _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(from.len()), from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32]) {
        let to = &mut to[..16];
        // SAFETY: the slice has 16 elements.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_some(self, x: __m512, to: &mut [f32]) {
        if to.len() >= 16 {
            return self.store(x, to);
        }
        // SAFETY: the mask covers no more than the slice's elements, the others are not written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), x) }
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
        let mut fours = [[self.splat(0.0); 4]; 4];
        for (index, four) in fours.iter_mut().enumerate() {
            for (row, x) in four.iter_mut().enumerate() {
                *x = self.load(&from[(4 * index + row) * from_stride..]);
            }
            // SAFETY: the token proves the instructions.
            *four = unsafe { columns(*four) };
        }
        for column in 0..4 {
            registers!({
                let (a, b, c, d) = (fours[0][column], fours[1][column], fours[2][column], fours[3][column]);
                let (even_low, odd_low) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
                let (even_high, odd_high) = (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
                let columns = [
                    _mm512_shuffle_f32x4::<0x88>(even_low, even_high),
                    _mm512_shuffle_f32x4::<0x88>(odd_low, odd_high),
                    _mm512_shuffle_f32x4::<0xdd>(even_low, even_high),
                    _mm512_shuffle_f32x4::<0xdd>(odd_low, odd_high),
                ];
                for (index, x) in columns.into_iter().enumerate() {
                    self.store(x, &mut to[(4 * index + column) * to_stride..]);
                }
            });
        }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        registers!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        registers!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        registers!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        registers!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        registers!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        registers!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn sum(self, x: __m512) -> f32 {
        registers!(_mm512_reduce_add_ps(x))
    }

    #[inline(always)]
    fn greatest(self, x: __m512) -> f32 {
        registers!(_mm512_reduce_max_ps(x))
    }

    #[inline(always)]
    fn splat_i(self, x: u32) -> __m512i {
        registers!(_mm512_set1_epi32(x as i32))
    }

    #[inline(always)]
    fn round(self, x: __m512) -> __m512i {
        registers!(_mm512_cvtps_epi32(x))
    }

    #[inline(always)]
    fn to_f(self, x: __m512i) -> __m512 {
        registers!(_mm512_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn scale_exponent(self, x: __m512, n: __m512i) -> __m512 {
        registers!(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32::<23>(n))))
    }

    #[inline(always)]
    fn fraction(self, x: __m512) -> __m512 {
        // Of the operand's low bits: round down, keep no digit behind the point.
        registers!(_mm512_reduce_ps::<{ _MM_FROUND_TO_NEG_INF }>(x))
    }

    #[inline(always)]
    fn times_power(self, y: __m512, x: __m512) -> __m512 {
        // Takes the floor of x itself.
        registers!(_mm512_scalef_ps(y, x))
    }

    #[inline(always)]
    fn store_four_u8(self, x: [__m512i; 4], to: &mut [u8]) {
        let to = &mut to[..64];
        // Packing goes by quarters of the vectors, four elements of each: this is where they belong.
        const ORDER: [i32; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
        // SAFETY: the slice has 64 bytes.
        unsafe {
            let low = _mm512_packs_epi32(x[0], x[1]);
            let high = _mm512_packs_epi32(x[2], x[3]);
            let order = _mm512_loadu_si512(ORDER.as_ptr().cast());
            let bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), bytes);
        }
    }

    #[inline(always)]
    fn split(self, x: __m512) -> [__m512; 2] {
        registers!({
            let bits = _mm512_castps_si512(x);
            let n = _mm512_srai_epi32::<23>(_mm512_sub_epi32(bits, _mm512_set1_epi32(ROOT_HALF_BITS)));
            let mantissa = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(n));
            [_mm512_castsi512_ps(mantissa), _mm512_cvtepi32_ps(n)]
        })
    }

    #[inline(always)]
    fn pack_bytes(self, x: [__m512i; 4]) -> __m512i {
        registers!({
            let low = _mm512_set1_epi32(0xff);
            let first = _mm512_and_si512(x[0], low);
            let second = _mm512_slli_epi32::<8>(_mm512_and_si512(x[1], low));
            let third = _mm512_slli_epi32::<16>(_mm512_and_si512(x[2], low));
            let fourth = _mm512_slli_epi32::<24>(x[3]);
            _mm512_or_si512(_mm512_or_si512(first, second), _mm512_or_si512(third, fourth))
        })
    }

    #[inline(always)]
    fn pack_bf16(self, x: [__m512; 2]) -> __m512i {
        registers!({
            let (low, high) = (rounded(x[0]), rounded(x[1]));
            _mm512_or_si512(
                _mm512_srli_epi32::<16>(low),
                _mm512_and_si512(high, _mm512_set1_epi32(0xffff_0000_u32 as i32)),
            )
        })
    }

    #[inline(always)]
    fn pairs(self, x: __m512i) -> [__m512i; 4] {
        registers!({
            let low = _mm512_set1_epi8(3);
            [
                _mm512_and_si512(x, low),
                _mm512_and_si512(_mm512_srli_epi32::<2>(x), low),
                _mm512_and_si512(_mm512_srli_epi32::<4>(x), low),
                _mm512_and_si512(_mm512_srli_epi32::<6>(x), low),
            ]
        })
    }

    #[inline(always)]
    fn store_i(self, x: __m512i, to: &mut [u32]) {
        let to = &mut to[..16];
        // SAFETY: the slice has 16 elements.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), x) }
    }

    #[inline(always)]
    fn store_u8(self, x: __m512i, to: &mut [u8]) {
        let to = &mut to[..16];
        // SAFETY: the slice has 16 bytes.
        unsafe {
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtusepi32_epi8(x));
        }
    }

    #[inline(always)]
    fn store_bf16(self, x: __m512, to: &mut [u16]) {
        let to = &mut to[..16];
        // SAFETY: the slice has 16 elements of two bytes.
        unsafe {
            let halves = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded(x)));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), halves);
        }
    }

    #[inline(always)]
    fn dot_u8(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        registers!(_mm512_dpbusd_epi32(sum, a, b))
    }

    #[inline(always)]
    fn dot_bf16(self, sum: __m512, a: __m512i, b: __m512i) -> __m512 {
        if BF16 {
            // SAFETY: the token proves BF16; both types are 512 bits without invalid values.
            return unsafe {
                _mm512_dpbf16_ps(
                    sum,
                    std::mem::transmute::<__m512i, __m512bh>(a),
                    std::mem::transmute::<__m512i, __m512bh>(b),
                )
            };
        }
        registers!({
            let high = _mm512_set1_epi32(0xffff_0000_u32 as i32);
            let (a_low, b_low) = (_mm512_slli_epi32::<16>(a), _mm512_slli_epi32::<16>(b));
            let (a_high, b_high) = (_mm512_and_si512(a, high), _mm512_and_si512(b, high));
            let sum = _mm512_fmadd_ps(_mm512_castsi512_ps(a_low), _mm512_castsi512_ps(b_low), sum);
            _mm512_fmadd_ps(_mm512_castsi512_ps(a_high), _mm512_castsi512_ps(b_high), sum)
        })
    }

    // SAFETY: the contract is the trait's.
    #[inline(always)]
    unsafe fn load_i(self, from: *const u32) -> __m512i {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
}
