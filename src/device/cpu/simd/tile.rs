//! The inner loop of every product: a few rows of the left matrix against one packed panel of the right one.
#![allow(unsafe_code)]

use std::ops::Range;

use super::Simd;

/// Rows of the tallest tile: what blocks of rows had better be multiples of.
pub const TILE_ROWS: usize = 6;

/// A cache line of a packed matrix, so that panels are aligned to their vectors.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Line(pub [u32; Self::GROUPS]);

impl Line {
    /// Groups in a line: as many as the widest vector has lanes.
    pub const GROUPS: usize = 16;

    /// The whole lines that `bytes` are, which begin at a multiple of 64.
    #[inline(always)]
    pub fn of_bytes(bytes: &[u8]) -> &[Self] {
        // SAFETY: a line has no padding and any bits are one.
        let (before, lines, _) = unsafe { bytes.align_to() };
        debug_assert!(before.is_empty());
        lines
    }

    /// The lines' bytes, in memory order.
    pub fn bytes(lines: &[Self]) -> &[u8] {
        // SAFETY: a line has no padding and u8 no alignment and no invalid value; the length is that of the same memory.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), size_of_val(lines)) }
    }

    /// Group `index` of a packed matrix.
    pub fn group(lines: &[Self], index: usize) -> u32 {
        lines[index / Self::GROUPS].0[index % Self::GROUPS]
    }

    /// The groups of a packed matrix from group `index` on, to the end of its line.
    #[inline(always)]
    pub fn groups_mut(lines: &mut [Self], index: usize) -> &mut [u32] {
        &mut lines[index / Self::GROUPS].0[index % Self::GROUPS..]
    }
}

/// Work on some rows at a time, as many as a tile has.
pub trait Rows {
    /// Does the work of ROWS rows from `row` on, with tiles of VECTORS vectors.
    fn rows<S: Simd, const ROWS: usize, const VECTORS: usize>(&mut self, simd: S, row: usize);
}

/// Takes all `rows`, in few heights, because each is compiled for every instruction set.
#[inline(always)]
pub fn each_height<S: Simd, W: Rows>(simd: S, rows: Range<usize>, work: &mut W) {
    let mut row = rows.start;
    while row < rows.end {
        row += match rows.end - row {
            TILE_ROWS.. => height::<S, W, TILE_ROWS>(simd, row, work),
            1 => height::<S, W, 1>(simd, row, work),
            _ => height::<S, W, 2>(simd, row, work),
        };
    }
}

#[inline(always)]
fn height<S: Simd, W: Rows, const ROWS: usize>(simd: S, row: usize, work: &mut W) -> usize {
    match S::VECTORS {
        2 => work.rows::<S, ROWS, 2>(simd, row),
        _ => work.rows::<S, ROWS, 4>(simd, row),
    }
    ROWS
}

/// Which element, for what is decided at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Int8`].
    Int8,
    /// [`Bf16`].
    Bf16,
}

/// What packed matrices hold: groups of 32 bits, each of so many elements along the inner dimension.
pub trait Element: Copy + Send + Sync + 'static {
    /// Its name.
    const KIND: Kind;
    /// Elements in a group.
    const GROUP: usize;
    /// Sums of products.
    type Sum<S: Simd>: Copy;
    /// What sums begin with: these integers, where sums are integers, else zero.
    fn begin<S: Simd>(simd: S, integers: S::I) -> Self::Sum<S>;
    /// Adds the products of a group of `a` and one of `b` in each lane.
    fn dot<S: Simd>(simd: S, sum: Self::Sum<S>, a: S::I, b: S::I) -> Self::Sum<S>;
    /// The sums as f32.
    fn finish<S: Simd>(simd: S, sum: Self::Sum<S>) -> S::F;
}

/// Unsigned bytes on the left, signed bytes on the right, sums in 32-bit integers.
#[derive(Clone, Copy, Debug)]
pub struct Int8;

/// bf16 on both sides, sums in f32.
#[derive(Clone, Copy, Debug)]
pub struct Bf16;

impl Element for Int8 {
    const KIND: Kind = Kind::Int8;
    const GROUP: usize = 4;
    type Sum<S: Simd> = S::I;

    #[inline(always)]
    fn begin<S: Simd>(_: S, integers: S::I) -> S::I {
        integers
    }

    #[inline(always)]
    fn dot<S: Simd>(simd: S, sum: S::I, a: S::I, b: S::I) -> S::I {
        simd.dot_u8(sum, a, b)
    }

    #[inline(always)]
    fn finish<S: Simd>(simd: S, sum: S::I) -> S::F {
        simd.to_f(sum)
    }
}

impl Element for Bf16 {
    const KIND: Kind = Kind::Bf16;
    const GROUP: usize = 2;
    type Sum<S: Simd> = S::F;

    #[inline(always)]
    fn begin<S: Simd>(simd: S, _: S::I) -> S::F {
        simd.splat(0.0)
    }

    #[inline(always)]
    fn dot<S: Simd>(simd: S, sum: S::F, a: S::I, b: S::I) -> S::F {
        simd.dot_bf16(sum, a, b)
    }

    #[inline(always)]
    fn finish<S: Simd>(_: S, sum: S::F) -> S::F {
        sum
    }
}

/// A product's result: f32 sums, rows × vectors.
type Tile<S, const ROWS: usize, const VECTORS: usize> = [[<S as Simd>::F; VECTORS]; ROWS];

/// ROWS rows of `left`, each of `groups` groups and `stride` apart, times `panel`: `groups` × VECTORS × LANES groups.
///
/// Integer sums begin with `offsets`, VECTORS × LANES of them, if there are any. Panics if a slice is too short.
#[inline(always)]
pub fn product<S: Simd, E: Element, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[u32],
    stride: usize,
    panel: &[Line],
    groups: usize,
    offsets: Option<&[u32]>,
) -> Tile<S, ROWS, VECTORS> {
    let (left, panel) = operands(left, (ROWS - 1) * stride + groups, panel, groups * VECTORS * S::LANES);
    let mut first = [E::begin(simd, simd.splat_i(0)); VECTORS];
    if let Some(offsets) = offsets {
        assert!(offsets.len() >= VECTORS * S::LANES);
        // SAFETY: as many elements as the assertion says.
        let offsets: [S::I; VECTORS] = unsafe { load(simd, offsets.as_ptr()) };
        for vector in 0..VECTORS {
            first[vector] = E::begin(simd, offsets[vector]);
        }
    }
    let mut sums = [first; ROWS];
    for group in 0..groups {
        // SAFETY: group < groups, so `operands` saw that both reads stay inside their slices.
        unsafe {
            let right: [S::I; VECTORS] = load(simd, panel.add(group * VECTORS * S::LANES));
            for (row, sums) in sums.iter_mut().enumerate() {
                let left = simd.splat_i(*left.add(row * stride + group));
                for vector in 0..VECTORS {
                    sums[vector] = E::dot(simd, sums[vector], left, right[vector]);
                }
            }
        }
    }
    finish::<S, E, ROWS, VECTORS>(simd, sums)
}

/// The same of bytes, with a `left` that [`widen`] wrote: a group of `panel` is two of it, and `stride` counts those.
///
/// Panics if a slice is too short.
#[inline(always)]
pub fn product_of_wide<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[u32],
    stride: usize,
    panel: &[Line],
    groups: usize,
) -> Tile<S, ROWS, VECTORS> {
    let (left, panel) = operands(left, (ROWS - 1) * stride + 2 * groups, panel, groups * VECTORS * S::LANES);
    let mut sums = [[simd.splat_i(0); VECTORS]; ROWS];
    for group in 0..groups {
        // SAFETY: group < groups, so `operands` saw that all reads stay inside their slices.
        unsafe {
            let bytes: [S::I; VECTORS] = load(simd, panel.add(group * VECTORS * S::LANES));
            let mut halves = [[simd.splat_i(0); VECTORS]; 2];
            for (vector, bytes) in bytes.into_iter().enumerate() {
                [halves[0][vector], halves[1][vector]] = simd.halves(bytes);
            }
            // All even bytes before all odd ones: the halves of both would not leave registers for the sums.
            for (half, right) in halves.iter().enumerate() {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = simd.splat_i(*left.add(row * stride + 2 * group + half));
                    for vector in 0..VECTORS {
                        sums[vector] = simd.dot_halves(sums[vector], left, right[vector]);
                    }
                }
            }
        }
    }
    finish::<S, Int8, ROWS, VECTORS>(simd, sums)
}

/// Writes each group of unsigned bytes as two of halves: the even bytes, then the odd ones.
#[inline(always)]
pub fn widen(groups: &[u32], wide: &mut [u32]) {
    for (group, wide) in groups.iter().zip(wide.as_chunks_mut().0) {
        *wide = [group & 0x00ff_00ff, group >> 8 & 0x00ff_00ff];
    }
}

/// The same with a panel whose bytes hold four elements of 2 bits, not negative: a group of `panel` is four groups of `left`,
/// the lowest bits of its bytes the first.
///
/// Panics if a slice is too short.
#[inline(always)]
pub fn product_of_pairs<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[u32],
    stride: usize,
    panel: &[Line],
    groups: usize,
) -> Tile<S, ROWS, VECTORS> {
    let (left, panel) = operands(left, (ROWS - 1) * stride + 4 * groups, panel, groups * VECTORS * S::LANES);
    let mut sums = [[simd.splat_i(0); VECTORS]; ROWS];
    // Two vectors at a time: the parts of more would not leave registers for the sums.
    for first in (0..VECTORS).step_by(2) {
        for group in 0..groups {
            // SAFETY: group < groups, so `operands` saw that all reads stay inside their slices.
            unsafe {
                let right: [S::I; 2] = load(simd, panel.add((group * VECTORS + first) * S::LANES));
                let (one, other) = (simd.pairs(right[0]), simd.pairs(right[1]));
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (quarter, (one, other)) in one.iter().zip(&other).enumerate() {
                        let left = simd.splat_i(*left.add(row * stride + 4 * group + quarter));
                        sums[first] = simd.dot_u8_u6(sums[first], left, *one);
                        sums[first + 1] = simd.dot_u8_u6(sums[first + 1], left, *other);
                    }
                }
            }
        }
    }
    finish::<S, Int8, ROWS, VECTORS>(simd, sums)
}

/// The first groups of both matrices, which have at least so many; `Line` is sixteen u32. Panics if one is too short.
#[inline(always)]
fn operands(left: &[u32], left_groups: usize, panel: &[Line], panel_groups: usize) -> (*const u32, *const u32) {
    assert!(left.len() >= left_groups);
    assert!(panel.len() * Line::GROUPS >= panel_groups);
    (left.as_ptr(), panel.as_ptr().cast())
}

/// The sums as f32.
#[inline(always)]
fn finish<S: Simd, E: Element, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    sums: [[E::Sum<S>; VECTORS]; ROWS],
) -> Tile<S, ROWS, VECTORS> {
    let mut tile = [[simd.splat(0.0); VECTORS]; ROWS];
    for (tile, sums) in tile.iter_mut().zip(sums) {
        for vector in 0..VECTORS {
            tile[vector] = E::finish(simd, sums[vector]);
        }
    }
    tile
}

/// # Safety
/// `from` points to VECTORS · LANES elements.
#[inline(always)]
unsafe fn load<S: Simd, const VECTORS: usize>(simd: S, from: *const u32) -> [S::I; VECTORS] {
    let mut vectors = [simd.splat_i(0); VECTORS];
    for (index, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: index < VECTORS, and the caller vouches for them all.
        *vector = unsafe { simd.load_i(from.add(index * S::LANES)) };
    }
    vectors
}

/// The groups' bytes, in memory order.
pub fn bytes_mut(groups: &mut [u32]) -> &mut [u8] {
    // SAFETY: u32 has no padding and u8 no alignment and no invalid value; the length is that of the same memory.
    unsafe { std::slice::from_raw_parts_mut(groups.as_mut_ptr().cast(), groups.len() * 4) }
}

/// The groups' halves, in memory order.
pub fn halves_mut(groups: &mut [u32]) -> &mut [u16] {
    // SAFETY: u32 has no padding, is aligned for u16, and u16 has no invalid value; the length is that of the same memory.
    unsafe { std::slice::from_raw_parts_mut(groups.as_mut_ptr().cast(), groups.len() * 2) }
}
