//! Which words of a memory were ever written.

use std::ops::Range;

/// A bit for each word.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    bits: Vec<u64>,
}

impl Shadow {
    /// Nothing of so many words is written.
    pub(super) fn new(words: usize) -> Self {
        Self { bits: vec![0; words.div_ceil(64)] }
    }

    /// The words are written from now on.
    pub(super) fn mark(&mut self, words: Range<usize>) {
        for (index, mask) in masks(words) {
            self.bits[index] |= mask;
        }
    }

    /// The first word that was never written.
    pub(super) fn first_missing(&self, words: Range<usize>) -> Option<usize> {
        masks(words).find_map(|(index, mask)| {
            let missing = !self.bits[index] & mask;
            (missing != 0).then(|| index * 64 + missing.trailing_zeros() as usize)
        })
    }
}

/// The bits of a range, by number of the 64 that they stand in.
fn masks(words: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let Range { start, end } = words;
    (start / 64..end.div_ceil(64).max(start / 64)).map(move |index| {
        let low = if index == start / 64 { !0_u64 << (start % 64) } else { !0 };
        let high = if index == end / 64 { !(!0_u64 << (end % 64)) } else { !0 };
        (index, low & high)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_marked_is_not_missing() {
        for start in [0, 1, 63, 64, 65, 127, 128] {
            for length in [0, 1, 62, 63, 64, 65, 130] {
                let mut shadow = Shadow::new(300);
                shadow.mark(start..start + length);
                assert_eq!(shadow.first_missing(start..start + length), None);
                assert_eq!(shadow.first_missing(start..start + length + 1), Some(start + length));
                if start > 0 {
                    assert_eq!(shadow.first_missing(start - 1..start + length), Some(start - 1));
                }
            }
        }
    }
}
