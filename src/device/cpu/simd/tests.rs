//! Every operation of every instruction set against what the trait promises, lane by lane.
#![allow(unsafe_code)]

use super::{Isa, Kernel, Kind, Simd, widen};

/// The widest vector's lanes.
const MOST_LANES: usize = 16;

/// An operation on the first LANES of so many lanes, with what it needs already in place; it writes what it gives.
trait Operation {
    const ELEMENT: Option<Kind> = None;
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]);
}

struct Lanes<O>(O);

impl<O: Operation> Kernel for Lanes<O> {
    type Output = Vec<u32>;
    const ELEMENT: Option<Kind> = O::ELEMENT;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<u32> {
        let mut given = [0; MOST_LANES];
        self.0.run(simd, &mut given);
        given[..S::LANES].to_vec()
    }
}

/// What `operation` gives with each instruction set.
fn each<O: Operation + Copy>(operation: O) -> impl Iterator<Item = (Isa, Vec<u32>)> {
    Isa::all().into_iter().map(move |isa| (isa, isa.run(Lanes(operation))))
}

#[inline(always)]
fn integers<S: Simd>(simd: S, from: &[u32; MOST_LANES]) -> S::I {
    // SAFETY: the array has as many elements as the widest vector.
    unsafe { simd.load_i(from.as_ptr()) }
}

/// Numbers without a pattern that lanes could share.
fn random(seed: u32) -> [u32; MOST_LANES] {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}

/// Eight bits of mantissa, both signs, magnitudes of 2⁻¹² to 2⁴.
fn bf16_pairs(seed: u32) -> [u32; MOST_LANES] {
    random(seed).map(|bits| bits & 0x877f_877f | 0x3a00_3a00)
}

#[derive(Clone, Copy)]
struct DotU8<const IS_U6: bool>([[u32; MOST_LANES]; 3]);

impl<const IS_U6: bool> Operation for DotU8<IS_U6> {
    const ELEMENT: Option<Kind> = Some(Kind::Int8);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let [sum, a, b] = self.0;
        let (sum, a, b) = (integers(simd, &sum), integers(simd, &a), integers(simd, &b));
        let products = if IS_U6 { simd.dot_u8_u6(sum, a, b) } else { simd.dot_u8(sum, a, b) };
        simd.store_i(products, given);
    }
}

#[test]
fn byte_products_are_exact_up_to_the_ends_of_their_ranges() {
    let mut cases: Vec<[[u32; MOST_LANES]; 3]> = (1..200).map(|i| [i, i + 300, i + 600].map(random)).collect();
    for a in [0, 0x0101_0101, 0x7f7f_7f7f, 0x8080_8080, 0xffff_ffff] {
        for b in [0, 0x0101_0101, 0x7f7f_7f7f, 0x8080_8080, 0x8181_8181, 0xffff_ffff] {
            cases.extend(
                [0, 1, 0x7fff_ffff, 0x8000_0000].map(|sum| [[sum; MOST_LANES], [a; MOST_LANES], [b; MOST_LANES]]),
            );
        }
    }
    for case in cases {
        for (isa, given) in each(DotU8::<false>(case)) {
            for (lane, given) in given.into_iter().enumerate() {
                let [sum, a, b] = case.map(|lanes| lanes[lane]);
                let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
                let products: i32 = products.map(|(a, b)| i32::from(a) * i32::from(b as i8)).sum();
                assert_eq!(given, sum.wrapping_add(products as u32), "{isa:?}: {sum:#x} + {a:#x}·{b:#x}");
            }
        }
    }
}

/// Every set's `operation` gives what its products of bytes give, for bytes on the right that `right` lets through.
fn assert_products_are_those_of_bytes<O: Operation + Copy>(
    operation: impl Fn([[u32; MOST_LANES]; 3]) -> O,
    right: impl Fn(u32) -> u32,
) {
    let ends = [0, 0x7f7f_7f7f, 0x8080_8080, 0xffff_ffff].map(|x| [x; MOST_LANES]);
    for i in 1..200 {
        for a in [random(i), ends[3]] {
            for b in ends.into_iter().chain([random(i + 300)]) {
                let operands = [random(i + 600), a, b.map(&right)];
                assert!(each(operation(operands)).eq(each(DotU8::<false>(operands))), "{operands:x?}");
            }
        }
    }
}

#[test]
fn products_with_small_bytes_are_those_of_bytes() {
    assert_products_are_those_of_bytes(DotU8::<true>, |b| b & 0x3f3f_3f3f);
}

#[derive(Clone, Copy)]
struct DotHalves([[u32; MOST_LANES]; 3]);

impl Operation for DotHalves {
    const ELEMENT: Option<Kind> = Some(Kind::Int8);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let [sum, a, b] = self.0;
        let mut wide = [0; 2 * MOST_LANES];
        widen(&a, &mut wide);
        let half = |half: usize| integers(simd, &std::array::from_fn(|lane| wide[2 * lane + half]));
        let [even, odd] = simd.halves(integers(simd, &b));
        let sum = simd.dot_halves(integers(simd, &sum), half(0), even);
        simd.store_i(simd.dot_halves(sum, half(1), odd), given);
    }
}

#[test]
fn products_of_halves_are_those_of_bytes() {
    assert_products_are_those_of_bytes(DotHalves, |b| b);
}

#[derive(Clone, Copy)]
struct DotBf16([[u32; MOST_LANES]; 3]);

impl Operation for DotBf16 {
    const ELEMENT: Option<Kind> = Some(Kind::Bf16);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let [sum, a, b] = self.0;
        let sum = simd.load(&sum.map(f32::from_bits));
        let sum = simd.dot_bf16(sum, integers(simd, &a), integers(simd, &b));
        let mut lanes = [0.0; MOST_LANES];
        simd.store(sum, &mut lanes);
        *given = lanes.map(f32::to_bits);
    }
}

/// The error that [`Simd::dot_bf16`] allows: a rounding of each sum, and what subnormal numbers are worth.
fn dot_bf16_error(terms: [f64; 3]) -> f64 {
    let magnitude: f64 = terms.iter().map(|x| x.abs()).sum();
    magnitude * f64::from(f32::EPSILON) + 3.0 * f64::from(f32::MIN_POSITIVE)
}

fn dot_bf16_terms([sum, a, b]: [u32; 3]) -> [f64; 3] {
    let low = |x: u32| f64::from(f32::from_bits(x << 16));
    let high = |x: u32| f64::from(f32::from_bits(x & 0xffff_0000));
    [f64::from(f32::from_bits(sum)), low(a) * low(b), high(a) * high(b)]
}

/// `vdpbf16ps` as Intel's Software Developer's Manual has it: the upper product first, each step fused and rounded to even,
/// subnormal numbers taken and given as zeros.
fn vdpbf16ps([sum, a, b]: [u32; 3]) -> f32 {
    let number = |bits: u32| f32::from_bits(if bits & 0x7f80_0000 == 0 { bits & 0x8000_0000 } else { bits });
    let step = |sum: f32, a: u32, b: u32| number(number(a).mul_add(number(b), sum).to_bits());
    let sum = step(number(sum), a & 0xffff_0000, b & 0xffff_0000);
    step(sum, a << 16, b << 16)
}

#[test]
fn bf16_products_are_two_roundings_from_exact() {
    let ordinary = (1..200)
        .map(|i| [random(i).map(|bits| bits & 0x83ff_ffff | 0x3c00_0000), bf16_pairs(i + 300), bf16_pairs(i + 600)]);
    // Products, then factors, that are subnormal.
    let small = [
        (0x0000_0000, 0x1e80_1e80, 0x2100_a100),
        (0x0040_0000, 0x0040_8040, 0x3f80_3f80),
        (0, 0x007f_0001, 0x3f80_c000),
    ];
    let small = small.map(|(sum, a, b)| [[sum; MOST_LANES], [a; MOST_LANES], [b; MOST_LANES]]);
    for case in ordinary.chain(small) {
        for (isa, given) in each(DotBf16(case)) {
            for (lane, given) in given.into_iter().enumerate() {
                let terms = dot_bf16_terms(case.map(|lanes| lanes[lane]));
                let (given, expected) = (f64::from(f32::from_bits(given)), terms.iter().sum::<f64>());
                assert!((given - expected).abs() <= dot_bf16_error(terms), "{isa:?}: {given} is not {expected}");
                // The instruction is held to the manual, and the manual to what every set is held to.
                let manual = f64::from(vdpbf16ps(case.map(|lanes| lanes[lane])));
                assert!((manual - expected).abs() <= dot_bf16_error(terms), "vdpbf16ps: {manual} is not {expected}");
                assert!(isa.name() != "avx512-bf16" || given == manual, "{isa:?}: {given} is not {manual}");
            }
        }
    }
}

#[derive(Clone, Copy)]
struct StoreU8([u32; MOST_LANES]);

impl Operation for StoreU8 {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let mut bytes = [0; MOST_LANES];
        simd.store_u8(integers(simd, &self.0), &mut bytes);
        *given = bytes.map(u32::from);
    }
}

#[derive(Clone, Copy)]
struct StoreFourU8([u32; MOST_LANES]);

impl Operation for StoreFourU8 {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let vectors = [0, 1, 2, 3].map(|vector| integers(simd, &self.0.map(|x| x.wrapping_add(vector))));
        let mut bytes = [0; 4 * MOST_LANES];
        simd.store_four_u8(vectors, &mut bytes);
        for (lane, given) in given.iter_mut().enumerate().take(S::LANES) {
            *given = u32::from_le_bytes([0, 1, 2, 3].map(|vector| bytes[vector * S::LANES + lane]));
        }
    }
}

#[test]
fn bytes_are_clamped_from_all_integers_that_are_not_negative() {
    const ENDS: [i32; MOST_LANES] =
        [0, 1, 127, 128, 254, 255, 256, 32_767, 32_768, 65_535, 65_536, i32::MAX - 3, 2, 3, 200, 1_000_000];
    for turn in 0..MOST_LANES {
        let mut lanes = ENDS.map(|x| x as u32);
        lanes.rotate_left(turn);
        for (isa, given) in each(StoreU8(lanes)) {
            for (given, from) in given.into_iter().zip(lanes) {
                assert_eq!(given, from.min(255), "{isa:?}: {from}");
            }
        }
        for (isa, given) in each(StoreFourU8(lanes)) {
            for (given, from) in given.into_iter().zip(lanes) {
                let expected = [0, 1, 2, 3].map(|vector| (from + vector).min(255) as u8);
                assert_eq!(given.to_le_bytes(), expected, "{isa:?}: {from}");
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Round([f32; MOST_LANES], bool);

impl Operation for Round {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let integers = simd.round(simd.load(&self.0));
        let mut lanes = [0.0; MOST_LANES];
        simd.store(simd.to_f(integers), &mut lanes);
        if self.1 { *given = lanes.map(|x| x as i32 as u32) } else { simd.store_i(integers, given) }
    }
}

#[test]
fn rounding_is_to_even_and_integers_come_back() {
    const X: [f32; MOST_LANES] = [
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.5,
        -1.5,
        2.5,
        -2.5,
        0.499_999_97,
        254.5,
        255.5,
        -126.5,
        8_388_607.5,
        -8_388_607.5,
        1e9,
        -1e9,
    ];
    for (turn, back) in (0..MOST_LANES).flat_map(|turn| [(turn, false), (turn, true)]) {
        let mut x = X;
        x.rotate_left(turn);
        for (isa, given) in each(Round(x, back)) {
            for (given, x) in given.into_iter().zip(x) {
                assert_eq!(given as i32, x.round_ties_even() as i32, "{isa:?}: {x}");
            }
        }
    }
}

/// A float operation of two vectors, by its place in [`FLOATS`].
#[derive(Clone, Copy)]
struct Floats(usize, [[f32; MOST_LANES]; 2]);

type FloatsModel = fn(f32, f32) -> f32;

const FLOATS: [(&str, FloatsModel); 6] = [
    ("add", |a, b| a + b),
    ("sub", |a, b| a - b),
    ("mul", |a, b| a * b),
    ("max", f32::max),
    ("min", f32::min),
    ("scale_exponent", |a, _| a / 8.0),
];

impl Operation for Floats {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let (a, b) = (simd.load(&self.1[0]), simd.load(&self.1[1]));
        let y = match self.0 {
            0 => simd.add(a, b),
            1 => simd.sub(a, b),
            2 => simd.mul(a, b),
            3 => simd.max(a, b),
            4 => simd.min(a, b),
            _ => simd.scale_exponent(a, simd.splat_i(-3_i32 as u32)),
        };
        let mut lanes = [0.0; MOST_LANES];
        simd.store(y, &mut lanes);
        *given = lanes.map(f32::to_bits);
    }
}

#[test]
fn float_operations_round_as_those_of_the_language() {
    let numbers = |seed| random(seed).map(|bits| f32::from_bits(bits & 0x83ff_ffff | 0x3c00_0000));
    for seed in 1..50 {
        let pair = [numbers(seed), numbers(seed + 300)];
        for (index, (name, model)) in FLOATS.iter().enumerate() {
            for (isa, given) in each(Floats(index, pair)) {
                for (lane, given) in given.into_iter().enumerate() {
                    let expected = model(pair[0][lane], pair[1][lane]);
                    assert_eq!(f32::from_bits(given), expected, "{isa:?}: {name}");
                }
            }
        }
    }
}

/// Lanes to one number: the sum, the greatest, and a fused or not fused a·b + c.
#[derive(Clone, Copy)]
struct Reduce([f32; MOST_LANES]);

impl Operation for Reduce {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let x = simd.load(&self.0);
        let mut lanes = [0.0; MOST_LANES];
        simd.store(simd.mul_add(x, x, simd.splat(0.5)), &mut lanes);
        (given[0], given[1], given[2]) = (simd.sum(x).to_bits(), simd.greatest(x).to_bits(), lanes[0].to_bits());
    }
}

#[test]
fn sums_maxima_and_fused_products_are_those_of_all_lanes() {
    for turn in 0..MOST_LANES {
        // Small integers, so that no order of sums rounds.
        let mut x: [f32; MOST_LANES] = std::array::from_fn(|lane| (lane * lane) as f32 - 100.0);
        x.rotate_left(turn);
        for (isa, given) in each(Reduce(x)) {
            let x = &x[..given.len()];
            let greatest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let expected = [x.iter().sum(), greatest, x[0] * x[0] + 0.5].map(f32::to_bits);
            assert_eq!(given[..3], expected, "{isa:?}: {x:?}");
        }
    }
}

#[derive(Clone, Copy)]
struct PackBytes([[u32; MOST_LANES]; 4]);

impl Operation for PackBytes {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let [a, b, c, d] = self.0;
        let rows = [integers(simd, &a), integers(simd, &b), integers(simd, &c), integers(simd, &d)];
        simd.store_i(simd.pack_bytes(rows), given);
    }
}

#[derive(Clone, Copy)]
struct Pairs([u32; MOST_LANES], usize);

impl Operation for Pairs {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        simd.store_i(simd.pairs(integers(simd, &self.0))[self.1], given);
    }
}

#[test]
fn bytes_and_pairs_of_bits_keep_their_places() {
    let rows = [1, 2, 3, 4].map(random);
    for (isa, given) in each(PackBytes(rows)) {
        for (lane, given) in given.into_iter().enumerate() {
            assert_eq!(given.to_le_bytes(), rows.map(|row| row[lane] as u8), "{isa:?}");
        }
    }
    for pair in 0..4 {
        for (isa, given) in each(Pairs(rows[0], pair)) {
            for (given, from) in given.into_iter().zip(rows[0]) {
                assert_eq!(given.to_le_bytes(), from.to_le_bytes().map(|byte| byte >> (2 * pair) & 3), "{isa:?}");
            }
        }
    }
}

/// Two vectors packed, or the first one stored.
#[derive(Clone, Copy)]
struct ToBf16([[f32; MOST_LANES]; 2], bool);

impl Operation for ToBf16 {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let [low, high] = self.0;
        if self.1 {
            simd.store_i(simd.pack_bf16([simd.load(&low), simd.load(&high)]), given);
        } else {
            let mut halves = [0; MOST_LANES];
            simd.store_bf16(simd.load(&low), &mut halves);
            *given = halves.map(u32::from);
        }
    }
}

#[test]
fn halves_are_rounded_to_even() {
    let ties = [
        0x3f80_8000,
        0x3f81_8000,
        0x3f80_8001,
        0x3f80_7fff,
        0xbf80_8000,
        0xbf81_8000,
        0x3fff_ffff,
        0,
        0x8000_0000,
        0x0000_8000,
        0x0001_8000,
        0x7f7f_0000,
    ];
    let ties: [f32; MOST_LANES] = std::array::from_fn(|lane| f32::from_bits(ties[lane % ties.len()]));
    let other = random(5).map(|bits| f32::from_bits(bits & 0xbfff_ffff));
    for [low, high] in [[ties, other], [other, ties]] {
        let model = |lane: usize| [low, high].map(|x| u32::from(half::bf16::from_f32(x[lane]).to_bits()));
        for (isa, given) in each(ToBf16([low, high], true)) {
            for (lane, given) in given.into_iter().enumerate() {
                assert_eq!(given, model(lane)[0] | model(lane)[1] << 16, "{isa:?}: {} and {}", low[lane], high[lane]);
            }
        }
        for (isa, given) in each(ToBf16([low, high], false)) {
            for (lane, given) in given.into_iter().enumerate() {
                assert_eq!(given, model(lane)[0], "{isa:?}: {}", low[lane]);
            }
        }
    }
}

/// So many elements loaded, the others filled up, and so many stored.
#[derive(Clone, Copy)]
struct Part(usize, usize);

impl Operation for Part {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, given: &mut [u32; MOST_LANES]) {
        let from: [f32; MOST_LANES] = std::array::from_fn(|lane| lane as f32);
        let mut to = [-2.0; MOST_LANES];
        simd.store_some(simd.load_some(&from[..self.0], -1.0), &mut to[..self.1]);
        *given = to.map(f32::to_bits);
    }
}

#[test]
fn parts_of_vectors_touch_no_other_element() {
    for (loaded, stored) in (0..=MOST_LANES).flat_map(|loaded| (0..=MOST_LANES).map(move |stored| (loaded, stored))) {
        for (isa, given) in each(Part(loaded, stored)) {
            for (lane, given) in given.into_iter().enumerate() {
                let expected = if lane >= stored {
                    -2.0
                } else if lane >= loaded {
                    -1.0
                } else {
                    lane as f32
                };
                assert_eq!(f32::from_bits(given), expected, "{isa:?}: {loaded} loaded, {stored} stored");
            }
        }
    }
}

struct Transpose;

impl Kernel for Transpose {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (from_stride, to_stride) = (S::LANES + 3, S::LANES + 1);
        let from: Vec<f32> = (0..(S::LANES - 1) * from_stride + S::LANES).map(|index| index as f32).collect();
        let mut to = vec![-1.0; (S::LANES - 1) * to_stride + S::LANES];
        simd.transpose(&from, from_stride, &mut to, to_stride);
        for (index, x) in to.iter().enumerate() {
            let (row, column) = (index / to_stride, index % to_stride);
            let expected = if column < S::LANES { from[column * from_stride + row] } else { -1.0 };
            assert_eq!(*x, expected);
        }
    }
}

#[test]
fn every_set_transposes() {
    Isa::all().into_iter().for_each(|isa| isa.run(Transpose));
}
