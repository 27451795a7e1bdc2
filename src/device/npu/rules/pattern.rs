//! Lengths, wraps and steps: what the registers of a descriptor hold.

use super::super::design::Dimension;
use super::super::target::{Limits, WORD_BYTES};
use super::Violation;

/// Checks a pattern, outermost dimension first, of a descriptor whose name in messages is `user`.
pub(super) fn check(
    user: &str,
    limits: &Limits,
    length_words: usize,
    dimensions: &[Dimension],
    violations: &mut Vec<Violation>,
) {
    let user = || user.to_owned();
    if length_words == 0 || length_words as u64 > limits.length_words {
        violations.push(Violation::Length { user: user(), words: length_words, limit: limits.length_words });
    }
    if dimensions.len() > limits.dimensions {
        violations.push(Violation::Dimensions { user: user(), count: dimensions.len(), limit: limits.dimensions });
    }
    for (dimension, Dimension { wrap, step_words }) in dimensions.iter().copied().enumerate() {
        // The outermost has no register: it ends with the length.
        let limit = if dimension == 0 { u32::MAX } else { limits.wrap };
        if wrap == 0 || wrap > limit {
            violations.push(Violation::Wrap { user: user(), dimension, wrap, limit });
        }
        // The register holds the step less one; of what is there once it does not matter.
        if step_words > limits.step_words || step_words == 0 && wrap > 1 {
            violations.push(Violation::Step { user: user(), dimension, step_words, limit: limits.step_words });
        }
    }
    let product: usize = dimensions.iter().map(|dimension| dimension.wrap as usize).product();
    if !dimensions.is_empty() && product != length_words {
        violations.push(Violation::Product { user: user(), words: length_words, product });
    }
}

/// Bytes from the first to behind the last word of a pattern.
pub(super) fn span_bytes(length_words: usize, dimensions: &[Dimension]) -> u64 {
    let last = |one: &Dimension| u64::from(one.wrap.saturating_sub(1)) * u64::from(one.step_words);
    let words = if dimensions.is_empty() { length_words as u64 } else { 1 + dimensions.iter().map(last).sum::<u64>() };
    words * WORD_BYTES as u64
}
