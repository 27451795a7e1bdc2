//! Sums over logits, of which there are tens of thousands for each token.

use gemm_common::pulp::{Arch, Simd, WithSimd};

use crate::math::exp;
use crate::model::Token;

/// Lanes that are summed apart, a multiple of every vector's.
const LANES: usize = 32;

/// log Σ e^x, without overflow.
pub fn log_sum_exp(logits: &[f32]) -> f32 {
    let maximum = greatest(logits);
    if maximum == f32::NEG_INFINITY {
        return maximum;
    }
    maximum + Arch::new().dispatch(SumOfPowers(logits, maximum)).ln()
}

/// The largest logit.
pub fn greatest(logits: &[f32]) -> f32 {
    Arch::new().dispatch(Greatest(logits))
}

/// The index of the largest logit, the first of equals, and log Σ e^x.
pub fn likeliest(logits: &[f32]) -> (Token, f32) {
    let maximum = greatest(logits);
    let best = logits.iter().position(|&logit| logit == maximum).unwrap_or(0);
    (best as Token, maximum + Arch::new().dispatch(SumOfPowers(logits, maximum)).ln())
}

/// The `count` largest logits that are possible, in descending order, the first of equals first.
pub fn greatest_tokens(logits: &[f32], count: usize) -> Vec<(Token, f32)> {
    let mut greatest: Vec<(Token, f32)> = Vec::with_capacity(count + 1);
    let mut least = f32::NEG_INFINITY;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > least {
            let place = greatest.partition_point(|(_, other)| *other >= logit);
            greatest.insert(place, (token as Token, logit));
            greatest.truncate(count);
            if greatest.len() == count {
                least = greatest.last().map_or(least, |(_, logit)| *logit);
            }
        }
    }
    greatest
}

struct Greatest<'a>(&'a [f32]);

impl WithSimd for Greatest<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let logits = self.0;
        simd.vectorize(
            #[inline(always)]
            || {
                let (chunks, rest) = logits.as_chunks::<LANES>();
                let mut most = [f32::NEG_INFINITY; LANES];
                for chunk in chunks {
                    for lane in 0..LANES {
                        most[lane] = if chunk[lane] > most[lane] { chunk[lane] } else { most[lane] };
                    }
                }
                most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
            },
        )
    }
}

/// Σ e^(x − maximum).
struct SumOfPowers<'a>(&'a [f32], f32);

impl WithSimd for SumOfPowers<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let Self(logits, maximum) = self;
        simd.vectorize(
            #[inline(always)]
            || {
                let (chunks, rest) = logits.as_chunks::<LANES>();
                let mut sums = [0.0; LANES];
                for chunk in chunks {
                    for lane in 0..LANES {
                        sums[lane] += exp(chunk[lane] - maximum);
                    }
                }
                sums.iter().sum::<f32>() + rest.iter().map(|x| exp(x - maximum)).sum::<f32>()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_equal_terms() {
        for length in [1, 7, 31, 32, 33, 100] {
            let sum = log_sum_exp(&vec![2.0; length]);
            assert!((sum - (2.0 + (length as f32).ln())).abs() < 1e-5, "{length}: {sum}");
        }
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY; 40]), f32::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn the_greatest_are_those_of_a_sort() {
        let logits: Vec<f32> = (0..1000).map(|token| (token * 7919 % 101) as f32 - 50.0).collect();
        let mut sorted: Vec<(Token, f32)> = (0..).zip(logits.iter().copied()).collect();
        sorted.sort_by(|one, other| other.1.total_cmp(&one.1));
        for count in [1, 2, 6, 30] {
            assert_eq!(greatest_tokens(&logits, count), sorted[..count]);
        }
        assert_eq!(greatest_tokens(&[f32::NEG_INFINITY, 3.0], 5), [(1, 3.0)]);
    }

    #[test]
    fn the_first_of_the_largest_is_the_likeliest() {
        let mut logits = vec![-3.0; 50_000];
        (logits[40_001], logits[41_000]) = (5.0, 5.0);
        let (best, sum) = likeliest(&logits);
        assert_eq!(best, 40_001);
        let expected = (2.0 * 5f64.exp() + 49_998.0 * (-3f64).exp()).ln();
        assert!((sum as f64 - expected).abs() < 1e-4);
    }
}
