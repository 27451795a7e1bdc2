//! Vectors of every instruction set behind one trait, so that a kernel is written once.
//!
//! An instruction set is a token that only a run-time check gives out; whoever holds it may use its instructions. Read
//! [`Simd`] first, then `tile.rs`, the inner loop of every product. Unsafe code of the kernels is in this folder alone.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;
mod tile;

pub use isa::Isa;
pub use tile::{
    Bf16, Element, Int8, Kind, Line, Rows, TILE_ROWS, bytes_mut, each_height, halves_mut, product, product_of_pairs,
    product_of_wide, widen,
};

/// Vectors of one instruction set. Its functions are inlined into the kernel that names it.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Elements of 32 bits in a vector.
    const LANES: usize;
    /// Vectors of columns of the right matrix that a tile of a product covers.
    const VECTORS: usize;
    /// Whether [`Simd::dot_halves`] is the quicker product of bytes where the left ones were widened before.
    const WIDENS: bool = false;

    /// f32 vector.
    type F: Copy;
    /// 32-bit integer vector.
    type I: Copy;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::F;
    /// The first LANES elements.
    fn load(self, from: &[f32]) -> Self::F;
    /// As many elements as there are, at most LANES, and `fill` in the other lanes.
    fn load_some(self, from: &[f32], fill: f32) -> Self::F;
    /// Writes the first LANES elements.
    fn store(self, x: Self::F, to: &mut [f32]);
    /// Writes as many elements as fit, at most LANES.
    fn store_some(self, x: Self::F, to: &mut [f32]);

    /// Turns LANES rows of LANES elements, the rows of `from` `from_stride` apart, into the columns of `to`.
    #[inline(always)]
    fn transpose(self, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                to[column * to_stride + row] = from[row * from_stride + column];
            }
        }
    }

    /// a + b
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// a − b
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// a·b
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// a·b + c
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The greater of each pair.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The lesser of each pair.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// Sum of the lanes.
    fn sum(self, x: Self::F) -> f32;
    /// Greatest lane.
    fn greatest(self, x: Self::F) -> f32;

    /// `x` in every lane.
    fn splat_i(self, x: u32) -> Self::I;
    /// The nearest integer, even of two.
    fn round(self, x: Self::F) -> Self::I;
    /// The integer as f32.
    fn to_f(self, x: Self::I) -> Self::F;
    /// x · 2ⁿ where the low byte of n's lane is the exponent's change: adds n to the exponent bits.
    fn scale_exponent(self, x: Self::F, n: Self::I) -> Self::F;
    /// x − ⌊x⌋, or 1 where x is just below an integer; something within 0..=1 where x is below −126.
    #[inline(always)]
    fn fraction(self, x: Self::F) -> Self::F {
        let x = self.max(x, self.splat(-126.0));
        self.sub(x, self.to_f(self.round(self.sub(x, self.splat(0.5)))))
    }
    /// y·2^(x − f) where f is the [`Simd::fraction`] of x; where x is below −126 at most what −126 gives.
    #[inline(always)]
    fn times_power(self, y: Self::F, x: Self::F) -> Self::F {
        let x = self.max(x, self.splat(-126.0));
        self.scale_exponent(y, self.round(self.sub(x, self.splat(0.5))))
    }
    /// A positive normal number m·2ⁿ as m, from √½ to √2, and n.
    fn split(self, x: Self::F) -> [Self::F; 2];
    /// The low bytes of four vectors' lanes, the first one's lowest.
    fn pack_bytes(self, x: [Self::I; 4]) -> Self::I;
    /// The halves of two vectors' lanes rounded to bf16, the first one's low.
    fn pack_bf16(self, x: [Self::F; 2]) -> Self::I;
    /// The four pairs of bits of each byte, the lowest first.
    fn pairs(self, x: Self::I) -> [Self::I; 4];
    /// Writes the first LANES elements.
    fn store_i(self, x: Self::I, to: &mut [u32]);
    /// Writes the first LANES elements, none of them negative, those above 255 as 255.
    fn store_u8(self, x: Self::I, to: &mut [u8]);
    /// Writes 4·LANES elements as [`Simd::store_u8`] does.
    #[inline(always)]
    fn store_four_u8(self, x: [Self::I; 4], to: &mut [u8]) {
        self.store_u8(x[0], to);
        self.store_u8(x[1], &mut to[Self::LANES..]);
        self.store_u8(x[2], &mut to[2 * Self::LANES..]);
        self.store_u8(x[3], &mut to[3 * Self::LANES..]);
    }
    /// Writes the first LANES elements rounded to bf16, to even of two.
    fn store_bf16(self, x: Self::F, to: &mut [u16]);

    /// Adds the four products of unsigned bytes of `a` with signed bytes of `b` to each lane of `sum`.
    fn dot_u8(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I;
    /// The same where no byte of `b` is negative or above 63, so that the sum of two products fits 16 bits.
    #[inline(always)]
    fn dot_u8_u6(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I {
        self.dot_u8(sum, a, b)
    }
    /// The even and the odd bytes of each lane, signed, as halves.
    #[inline(always)]
    fn halves(self, x: Self::I) -> [Self::I; 2] {
        let mut lanes = [0; Line::GROUPS];
        self.store_i(x, &mut lanes);
        let half = |byte: u32| u32::from(byte as u8 as i8 as i16 as u16);
        [0, 8].map(|bits| self.load_u(&lanes.map(|lane| half(lane >> bits) | half(lane >> (bits + 16)) << 16)))
    }
    /// Adds the two products of signed halves of `a` and `b`, none of them above 255 or below −255, to each lane of `sum`.
    #[inline(always)]
    fn dot_halves(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I {
        let mut lanes = [[0; Line::GROUPS]; 3];
        [sum, a, b].into_iter().zip(&mut lanes).for_each(|(x, lanes)| self.store_i(x, lanes));
        let product = |a: u32, b: u32| i32::from(a as i16) * i32::from(b as i16);
        let products = |a: u32, b: u32| product(a, b) + product(a >> 16, b >> 16);
        let [sum, a, b] = lanes;
        self.load_u(&std::array::from_fn::<u32, { Line::GROUPS }, _>(|lane| {
            sum[lane].wrapping_add(products(a[lane], b[lane]) as u32)
        }))
    }
    /// Adds the two products of bf16 of `a` with bf16 of `b` to each lane of `sum`. Their order, whether a product is rounded
    /// before it is added, and whether subnormal numbers count as zeros, is the instruction set's own: `vdpbf16ps` adds the
    /// upper product first, fused, and takes and gives zeros for subnormal numbers (Intel's Software Developer's Manual).
    fn dot_bf16(self, sum: Self::F, a: Self::I, b: Self::I) -> Self::F;

    /// The first LANES elements.
    #[inline(always)]
    fn load_u(self, from: &[u32]) -> Self::I {
        let from = &from[..Self::LANES];
        // SAFETY: the slice has LANES elements.
        unsafe { self.load_i(from.as_ptr()) }
    }

    /// Reads LANES elements.
    ///
    /// # Safety
    /// `from` points to LANES elements that may be read; alignment is not needed.
    unsafe fn load_i(self, from: *const u32) -> Self::I;
}

/// The bits of √½, the least mantissa that [`Simd::split`] gives.
const ROOT_HALF_BITS: i32 = 0x3f35_04f3;

/// Work that is compiled for every instruction set: `run` must be `#[inline(always)]`, and so must all that it calls with
/// vectors; closures around vector code are not inlined reliably.
pub trait Kernel {
    /// What the work gives.
    type Output;
    /// What products it computes, if any: instruction sets that differ in other products only share its code.
    const ELEMENT: Option<Kind> = None;
    /// Does the work with the vectors of `simd`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
impl Isa {
    /// Runs `kernel` with this instruction set.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            isa::Set::Portable => kernel.run(portable::Portable),
            #[cfg(target_arch = "x86_64")]
            isa::Set::Avx2 => avx2::run(kernel),
            #[cfg(target_arch = "x86_64")]
            isa::Set::Avx2Vnni => avx2::run_vnni(kernel),
            #[cfg(target_arch = "x86_64")]
            isa::Set::Avx512 => avx512::run(kernel),
            #[cfg(target_arch = "x86_64")]
            isa::Set::Avx512Bf16 => avx512::run_bf16(kernel),
            #[cfg(target_arch = "aarch64")]
            isa::Set::Neon => neon::run(kernel),
        }
    }
}
