//! Byte pair merges of one piece, lowest rank first, the first of equals (`_byte_pair_merge` in openai/tiktoken `src/lib.rs`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::Token;

/// Where the bytes of a piece are merged to, one part behind the other, if two parts that make `rank`'s token may be merged.
///
/// A heap takes n log n steps for n bytes, where looking through all of them for each merge takes n².
pub(super) fn merge(length: usize, rank: impl Fn(Range<usize>) -> Option<Token>) -> Vec<Range<usize>> {
    // By the part's first byte: where it ends, and where the one before it begins. A part that was merged away is empty.
    let mut ends: Vec<usize> = (1..=length).collect();
    let mut before: Vec<Option<usize>> = (0..length).map(|start| start.checked_sub(1)).collect();
    let pair = |start: usize, ends: &[usize]| {
        let end = *ends.get(ends[start])?;
        Some(Reverse((rank(start..end)?, start, end)))
    };
    let mut pairs: BinaryHeap<_> = (0..length).filter_map(|start| pair(start, &ends)).collect();
    while let Some(Reverse((_, start, end))) = pairs.pop() {
        let middle = ends[start];
        // Parts only grow, so a pair whose second part ends elsewhere has been another one since.
        let is_current = middle > start && ends.get(middle) == Some(&end);
        if !is_current {
            continue;
        }
        (ends[start], ends[middle]) = (end, middle);
        if let Some(before) = before.get_mut(end) {
            *before = Some(start);
        }
        pairs.extend(pair(start, &ends));
        pairs.extend(before[start].and_then(|before| pair(before, &ends)));
    }
    (0..length).filter(|start| ends[*start] > *start).map(|start| start..ends[start]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The same, by looking through all pairs for each merge.
    fn slowly(length: usize, rank: impl Fn(Range<usize>) -> Option<Token>) -> Vec<Range<usize>> {
        let mut starts: Vec<usize> = (0..=length).collect();
        loop {
            let pairs = (1..starts.len().saturating_sub(1))
                .filter_map(|middle| Some((rank(starts[middle - 1]..starts[middle + 1])?, middle)));
            let Some((_, middle)) = pairs.min() else { break };
            starts.remove(middle);
        }
        starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    proptest! {
        #[test]
        fn the_parts_are_those_of_the_slow_way(
            piece in "[abc]{0,60}",
            tokens in prop::collection::btree_set("[abc]{2,6}", 0..40),
            seed in any::<u32>(),
        ) {
            // Ranks in another order than that of the alphabet.
            let tokens: BTreeSet<(u32, String)> = tokens
                .into_iter()
                .map(|token| (token.bytes().fold(seed, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619)), token))
                .collect();
            let rank = |part: Range<usize>| {
                tokens.iter().position(|(_, token)| *token == piece[part.clone()]).map(|rank| rank as Token)
            };
            prop_assert_eq!(merge(piece.len(), rank), slowly(piece.len(), rank));
        }
    }

    #[test]
    fn no_bytes_have_no_parts() {
        assert!(merge(0, |_| Some(0)).is_empty());
        assert_eq!(merge(4, |_| None), [0..1, 1..2, 2..3, 3..4]);
    }
}
