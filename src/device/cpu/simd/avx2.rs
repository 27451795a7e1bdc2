//! AVX2 with FMA, and AVX-VNNI where `VNNI` says so.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, Kind, ROOT_HALF_BITS, Simd};

/// Proof that the processor has AVX2, FMA and F16C, and AVX-VNNI if so named.
#[derive(Clone, Copy)]
pub struct Avx2<const VNNI: bool>(());

/// Runs a kernel; called by [`super::Isa::run`] for a checked instruction set alone.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: an `Isa` of this set exists only if the processor has the features, see `Isa::all`.
    unsafe { without_vnni(kernel) }
}

/// The same for the set with VNNI, which only some kernels are compiled for anew.
#[inline]
pub fn run_vnni<K: Kernel>(kernel: K) -> K::Output {
    if const { matches!(K::ELEMENT, Some(Kind::Int8)) } {
        // SAFETY: as in `run`.
        unsafe { with_vnni(kernel) }
    } else {
        run(kernel)
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn without_vnni<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2::<false>(()))
}

#[target_feature(enable = "avx2,fma,f16c,avxvnni")]
fn with_vnni<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2::<true>(()))
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
/// The processor has AVX2.
#[inline(always)]
unsafe fn rounded(x: __m256) -> __m256i {
    registers!({
        let bits = _mm256_castps_si256(x);
        let even = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        _mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff)))
    })
}

/// The columns of four rows, in each half of the vectors by itself.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn columns(x: [__m256; 4]) -> [__m256; 4] {
    registers!({
        let (a, b) = (_mm256_unpacklo_ps(x[0], x[1]), _mm256_unpackhi_ps(x[0], x[1]));
        let (c, d) = (_mm256_unpacklo_ps(x[2], x[3]), _mm256_unpackhi_ps(x[2], x[3]));
        let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
        let (c, d) = (_mm256_castps_pd(c), _mm256_castps_pd(d));
        [
            _mm256_castpd_ps(_mm256_unpacklo_pd(a, c)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(a, c)),
            _mm256_castpd_ps(_mm256_unpacklo_pd(b, d)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(b, d)),
        ]
    })
}

impl<const VNNI: bool> Simd for Avx2<VNNI> {
    const LANES: usize = 8;
    const VECTORS: usize = 2;
    const WIDENS: bool = !VNNI;

    type F = __m256;
    type I = __m256i;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        registers!(_mm256_set1_ps(x))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m256 {
        let from = &from[..8];
        // SAFETY: the slice has 8 elements.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn load_some(self, from: &[f32], fill: f32) -> __m256 {
        if from.len() >= 8 {
            return self.load(from);
        }
        let mut lanes = [fill; 8];
        let count = from.len().min(8);
        lanes[..count].copy_from_slice(&from[..count]);
        self.load(&lanes)
    }

    #[inline(always)]
    fn store(self, x: __m256, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: the slice has 8 elements.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_some(self, x: __m256, to: &mut [f32]) {
        if to.len() >= 8 {
            return self.store(x, to);
        }
        let mut lanes = [0.0; 8];
        self.store(x, &mut lanes);
        let count = to.len().min(8);
        to[..count].copy_from_slice(&lanes[..count]);
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
        let mut halves = [[self.splat(0.0); 4]; 2];
        for (index, half) in halves.iter_mut().enumerate() {
            for (row, x) in half.iter_mut().enumerate() {
                *x = self.load(&from[(4 * index + row) * from_stride..]);
            }
            // SAFETY: the token proves that the processor has AVX2.
            *half = unsafe { columns(*half) };
        }
        for column in 0..4 {
            let (x, y) = (halves[0][column], halves[1][column]);
            self.store(registers!(_mm256_permute2f128_ps::<0x20>(x, y)), &mut to[column * to_stride..]);
            self.store(registers!(_mm256_permute2f128_ps::<0x31>(x, y)), &mut to[(column + 4) * to_stride..]);
        }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        registers!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        registers!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        registers!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        registers!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        registers!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        registers!(_mm256_min_ps(a, b))
    }

    #[inline(always)]
    fn sum(self, x: __m256) -> f32 {
        let mut lanes = [0.0; 8];
        self.store(x, &mut lanes);
        (0..4).map(|lane| lanes[lane] + lanes[lane + 4]).sum()
    }

    #[inline(always)]
    fn greatest(self, x: __m256) -> f32 {
        let mut lanes = [0.0; 8];
        self.store(x, &mut lanes);
        lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    #[inline(always)]
    fn splat_i(self, x: u32) -> __m256i {
        registers!(_mm256_set1_epi32(x as i32))
    }

    #[inline(always)]
    fn round(self, x: __m256) -> __m256i {
        registers!(_mm256_cvtps_epi32(x))
    }

    #[inline(always)]
    fn to_f(self, x: __m256i) -> __m256 {
        registers!(_mm256_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn scale_exponent(self, x: __m256, n: __m256i) -> __m256 {
        registers!(_mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), _mm256_slli_epi32::<23>(n))))
    }

    #[inline(always)]
    fn split(self, x: __m256) -> [__m256; 2] {
        registers!({
            let bits = _mm256_castps_si256(x);
            let n = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(ROOT_HALF_BITS)));
            let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(n));
            [_mm256_castsi256_ps(mantissa), _mm256_cvtepi32_ps(n)]
        })
    }

    #[inline(always)]
    fn pack_bytes(self, x: [__m256i; 4]) -> __m256i {
        registers!({
            let low = _mm256_set1_epi32(0xff);
            let first = _mm256_and_si256(x[0], low);
            let second = _mm256_slli_epi32::<8>(_mm256_and_si256(x[1], low));
            let third = _mm256_slli_epi32::<16>(_mm256_and_si256(x[2], low));
            let fourth = _mm256_slli_epi32::<24>(x[3]);
            _mm256_or_si256(_mm256_or_si256(first, second), _mm256_or_si256(third, fourth))
        })
    }

    #[inline(always)]
    fn pack_bf16(self, x: [__m256; 2]) -> __m256i {
        registers!({
            let (low, high) = (rounded(x[0]), rounded(x[1]));
            _mm256_or_si256(
                _mm256_srli_epi32::<16>(low),
                _mm256_and_si256(high, _mm256_set1_epi32(0xffff_0000_u32 as i32)),
            )
        })
    }

    #[inline(always)]
    fn pairs(self, x: __m256i) -> [__m256i; 4] {
        registers!({
            let low = _mm256_set1_epi8(3);
            [
                _mm256_and_si256(x, low),
                _mm256_and_si256(_mm256_srli_epi32::<2>(x), low),
                _mm256_and_si256(_mm256_srli_epi32::<4>(x), low),
                _mm256_and_si256(_mm256_srli_epi32::<6>(x), low),
            ]
        })
    }

    #[inline(always)]
    fn store_i(self, x: __m256i, to: &mut [u32]) {
        let to = &mut to[..8];
        // SAFETY: the slice has 8 elements.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), x) }
    }

    #[inline(always)]
    fn store_u8(self, x: __m256i, to: &mut [u8]) {
        let to = &mut to[..8];
        // SAFETY: the slice has 8 bytes.
        unsafe {
            // Signed words: the second step takes its words as signed, and so would take great unsigned ones for negative.
            let words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
            _mm_storel_epi64(to.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        }
    }

    #[inline(always)]
    fn store_bf16(self, x: __m256, to: &mut [u16]) {
        let to = &mut to[..8];
        // SAFETY: the slice has 8 elements of two bytes.
        unsafe {
            let halves = _mm256_srli_epi32::<16>(rounded(x));
            let halves = _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256::<1>(halves));
            _mm_storeu_si128(to.as_mut_ptr().cast(), halves);
        }
    }

    #[inline(always)]
    fn dot_u8(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        if VNNI {
            return registers!(_mm256_dpbusd_avx_epi32(sum, a, b));
        }
        // `vpmaddubsw` would saturate its 16-bit sums, so even and odd bytes are widened and multiplied apart.
        let [b_even, b_odd] = self.halves(b);
        registers!({
            let a_even = _mm256_and_si256(a, _mm256_set1_epi16(0xff));
            let a_odd = _mm256_srli_epi16::<8>(a);
            let products = _mm256_add_epi32(_mm256_madd_epi16(a_even, b_even), _mm256_madd_epi16(a_odd, b_odd));
            _mm256_add_epi32(sum, products)
        })
    }

    #[inline(always)]
    fn halves(self, x: __m256i) -> [__m256i; 2] {
        registers!([_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(x)), _mm256_srai_epi16::<8>(x)])
    }

    #[inline(always)]
    fn dot_halves(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        registers!(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)))
    }

    #[inline(always)]
    fn dot_u8_u6(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        if VNNI {
            return self.dot_u8(sum, a, b);
        }
        registers!({
            let pairs = _mm256_maddubs_epi16(a, b);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        })
    }

    #[inline(always)]
    fn dot_bf16(self, sum: __m256, a: __m256i, b: __m256i) -> __m256 {
        registers!({
            let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
            let (a_low, b_low) = (_mm256_slli_epi32::<16>(a), _mm256_slli_epi32::<16>(b));
            let (a_high, b_high) = (_mm256_and_si256(a, high), _mm256_and_si256(b, high));
            let sum = _mm256_fmadd_ps(_mm256_castsi256_ps(a_low), _mm256_castsi256_ps(b_low), sum);
            _mm256_fmadd_ps(_mm256_castsi256_ps(a_high), _mm256_castsi256_ps(b_high), sum)
        })
    }

    // SAFETY: the contract is the trait's.
    #[inline(always)]
    unsafe fn load_i(self, from: *const u32) -> __m256i {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
}
