//! The power spectrum of 400 real samples, a frame in each lane of the vectors, so that nothing is shuffled.
//!
//! 400 is 20·20 (Cooley and Tukey): with n = 20a + b and k = c + 20d the sum over n is one over a for each b and c ≤ 10, of
//! real numbers, turned by e^(−2πi·bc/400), and one over b for each c and d. A sum of 20 is one of 5 and one of 4 without
//! any turning between them, since 4 and 5 have no common factor (Good and Thomas).
#![allow(
    clippy::needless_range_loop,
    reason = "plain loops of constant length unroll, so that their arrays are registers"
)]

use std::f64::consts::TAU;

use super::simd::Simd;

/// Samples of a frame.
pub const SAMPLES: usize = SIDE * SIDE;
/// Frequencies of its spectrum.
pub const BANDS: usize = SAMPLES / 2 + 1;
/// Samples that [`Partial::add`] takes, and how often it is called for a frame.
pub const SIDE: usize = 20;

/// Inner frequencies: the others mirror them.
const INNER: usize = SIDE / 2 + 1;
/// cos and sin of a fifth of a turn and of two fifths.
const COSINES: [f32; 2] = [0.309_017, -0.809_017];
const SINES: [f32; 2] = [0.951_056_5, 0.587_785_25];

/// cos and sin of 2π·bc/400, for each b those of c = 1..=10.
pub struct Turns(Box<[[[f32; 2]; INNER - 1]; SIDE]>);

/// Inner sums of some frames: of c = 0..=10, for each b.
pub struct Partial<S: Simd>([[Complex<S>; SIDE]; INNER]);

type Complex<S> = [<S as Simd>::F; 2];

impl Turns {
    /// The constants of every transform.
    pub fn new() -> Self {
        let turn = |b: usize, c: usize| TAU * (b * c) as f64 / SAMPLES as f64;
        let of = |b, c| [turn(b, c).cos() as f32, turn(b, c).sin() as f32];
        Self(Box::new(std::array::from_fn(|b| std::array::from_fn(|c| of(b, c + 1)))))
    }
}

impl<S: Simd> Partial<S> {
    /// Nothing summed.
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        Self([[[simd.splat(0.0); 2]; SIDE]; INNER])
    }

    /// Takes the samples b, b + 20, b + 40 and so on.
    #[inline(always)]
    pub fn add(&mut self, simd: S, turns: &Turns, b: usize, samples: &[S::F; SIDE]) {
        let sums = real(simd, samples);
        self.0[0][b] = sums[0];
        for c in 1..INNER {
            let [cosine, sine] = turns.0[b][c - 1];
            let (cosine, sine, [x, y]) = (simd.splat(cosine), simd.splat(sine), sums[c]);
            let real = simd.mul_add(x, cosine, simd.mul(y, sine));
            let imaginary = simd.sub(simd.mul(y, cosine), simd.mul(x, sine));
            self.0[c][b] = [real, imaginary];
        }
    }

    /// The squared magnitude of each frequency.
    #[inline(always)]
    pub fn power(&self, simd: S, power: &mut [S::F; BANDS]) {
        let mut samples = [simd.splat(0.0); SIDE];
        for b in 0..SIDE {
            samples[b] = self.0[0][b][0];
        }
        let sums = real(simd, &samples);
        for d in 0..INNER {
            power[SIDE * d] = square(simd, sums[d]);
        }
        for c in 1..INNER {
            let sums = complex(simd, &self.0[c]);
            for d in 0..SIDE / 2 {
                power[c + SIDE * d] = square(simd, sums[d]);
            }
            for d in SIDE / 2..SIDE {
                power[SAMPLES - c - SIDE * d] = square(simd, sums[d]);
            }
        }
    }
}

#[inline(always)]
fn square<S: Simd>(simd: S, [x, y]: Complex<S>) -> S::F {
    simd.mul_add(x, x, simd.mul(y, y))
}

/// Where sample (a, b) of a sum of 4·5 stands.
#[inline(always)]
const fn sample(a: usize, b: usize) -> usize {
    (5 * a + 4 * b) % SIDE
}

/// Which frequency of a sum of 4·5 is the one of inner frequencies (c, d).
#[inline(always)]
const fn frequency(c: usize, d: usize) -> usize {
    (5 * c + 16 * d) % SIDE
}

/// The lower frequencies, 0..=10, of 20 real samples; the others mirror them.
#[inline(always)]
fn real<S: Simd>(simd: S, samples: &[S::F; SIDE]) -> [Complex<S>; INNER] {
    let zero = simd.splat(0.0);
    let mut fives = [[[zero; 2]; 3]; 4];
    for a in 0..4 {
        let mut x = [zero; 5];
        for b in 0..5 {
            x[b] = samples[sample(a, b)];
        }
        let Five { sum, even, odd } = five(simd, x);
        fives[a] = [[sum, zero], [even[0], simd.sub(zero, odd[0])], [even[1], simd.sub(zero, odd[1])]];
    }
    let mut y = [[zero; 2]; INNER];
    let [a, b, c, d] = [fives[0][0][0], fives[1][0][0], fives[2][0][0], fives[3][0][0]];
    y[0] = [simd.add(simd.add(a, c), simd.add(b, d)), zero];
    y[5] = [simd.sub(a, c), simd.sub(d, b)];
    y[10] = [simd.sub(simd.add(a, c), simd.add(b, d)), zero];
    for d in 1..3 {
        let fours = four(simd, [fives[0][d], fives[1][d], fives[2][d], fives[3][d]]);
        for c in 0..4 {
            let k = frequency(c, d);
            let [x, i] = fours[c];
            if k < INNER {
                y[k] = [x, i];
            } else {
                y[SIDE - k] = [x, simd.sub(zero, i)];
            }
        }
    }
    y
}

/// All frequencies of 20 samples.
#[inline(always)]
fn complex<S: Simd>(simd: S, samples: &[Complex<S>; SIDE]) -> [Complex<S>; SIDE] {
    let zero = simd.splat(0.0);
    let mut fives = [[[zero; 2]; 5]; 4];
    for a in 0..4 {
        let (mut x, mut i) = ([zero; 5], [zero; 5]);
        for b in 0..5 {
            [x[b], i[b]] = samples[sample(a, b)];
        }
        let (x, i) = (five(simd, x), five(simd, i));
        fives[a] = [
            [x.sum, i.sum],
            [simd.add(x.even[0], i.odd[0]), simd.sub(i.even[0], x.odd[0])],
            [simd.add(x.even[1], i.odd[1]), simd.sub(i.even[1], x.odd[1])],
            [simd.sub(x.even[1], i.odd[1]), simd.add(i.even[1], x.odd[1])],
            [simd.sub(x.even[0], i.odd[0]), simd.add(i.even[0], x.odd[0])],
        ];
    }
    let mut y = [[zero; 2]; SIDE];
    for d in 0..5 {
        let fours = four(simd, [fives[0][d], fives[1][d], fives[2][d], fives[3][d]]);
        for c in 0..4 {
            y[frequency(c, d)] = fours[c];
        }
    }
    y
}

/// Frequencies of five real samples: 0, and of 1 and 2 the real and the negative imaginary parts.
struct Five<F> {
    sum: F,
    even: [F; 2],
    odd: [F; 2],
}

#[inline(always)]
fn five<S: Simd>(simd: S, x: [S::F; 5]) -> Five<S::F> {
    let [fifth, fifths] = [simd.splat(COSINES[0]), simd.splat(COSINES[1])];
    let (outer, inner) = (simd.add(x[1], x[4]), simd.add(x[2], x[3]));
    let first = simd.mul_add(inner, fifths, simd.mul_add(outer, fifth, x[0]));
    let second = simd.mul_add(inner, fifth, simd.mul_add(outer, fifths, x[0]));
    let sum = simd.add(x[0], simd.add(outer, inner));
    let [fifth, fifths] = [simd.splat(SINES[0]), simd.splat(SINES[1])];
    let (outer, inner) = (simd.sub(x[1], x[4]), simd.sub(x[2], x[3]));
    let first_odd = simd.mul_add(inner, fifths, simd.mul(outer, fifth));
    let second_odd = simd.sub(simd.mul(outer, fifths), simd.mul(inner, fifth));
    Five { sum, even: [first, second], odd: [first_odd, second_odd] }
}

/// Frequencies of four samples.
#[inline(always)]
fn four<S: Simd>(simd: S, x: [Complex<S>; 4]) -> [Complex<S>; 4] {
    let [[sum, sum_i], [difference, difference_i]] = two(simd, x[0], x[2]);
    let [[other, other_i], [turned, turned_i]] = two(simd, x[1], x[3]);
    [
        [simd.add(sum, other), simd.add(sum_i, other_i)],
        [simd.add(difference, turned_i), simd.sub(difference_i, turned)],
        [simd.sub(sum, other), simd.sub(sum_i, other_i)],
        [simd.sub(difference, turned_i), simd.add(difference_i, turned)],
    ]
}

#[inline(always)]
fn two<S: Simd>(simd: S, x: Complex<S>, y: Complex<S>) -> [Complex<S>; 2] {
    [[simd.add(x[0], y[0]), simd.add(x[1], y[1])], [simd.sub(x[0], y[0]), simd.sub(x[1], y[1])]]
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Isa, Kernel};
    use super::*;

    /// The spectrum of one frame, which stands in all lanes.
    struct Spectrum<'a>(&'a [f32]);

    impl Kernel for Spectrum<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<f32> {
            let (turns, mut partial, mut power) = (Turns::new(), Partial::new(simd), [simd.splat(0.0); BANDS]);
            for b in 0..SIDE {
                let mut x = [simd.splat(0.0); SIDE];
                for a in 0..SIDE {
                    x[a] = simd.splat(self.0[SIDE * a + b]);
                }
                partial.add(simd, &turns, b, &x);
            }
            partial.power(simd, &mut power);
            let mut lanes = vec![0.0; S::LANES];
            let mut spectrum = Vec::new();
            for x in power {
                simd.store(x, &mut lanes);
                assert!(lanes.iter().all(|x| x.to_bits() == lanes[0].to_bits()));
                spectrum.push(lanes[0]);
            }
            spectrum
        }
    }

    #[test]
    fn every_frequency_is_what_its_definition_says() {
        let samples: Vec<f32> = (0..SAMPLES).map(|n| ((n * n % 397) as f32 * 0.7).sin()).collect();
        let power = |k: usize| {
            let angle = |n: usize| TAU * (k * n % SAMPLES) as f64 / SAMPLES as f64;
            let sum = |part: fn(f64) -> f64| {
                samples.iter().enumerate().map(|(n, &x)| f64::from(x) * part(angle(n))).sum::<f64>().powi(2)
            };
            sum(f64::cos) + sum(f64::sin)
        };
        let expected: Vec<f64> = (0..BANDS).map(power).collect();
        let greatest = expected.iter().copied().fold(0.0, f64::max);
        for isa in Isa::all() {
            for (k, (received, expected)) in isa.run(Spectrum(&samples)).iter().zip(&expected).enumerate() {
                let error = (f64::from(*received) - expected).abs();
                assert!(error < 1e-6 * greatest, "{isa:?}: frequency {k} is {received}, not {expected}");
            }
        }
    }
}
