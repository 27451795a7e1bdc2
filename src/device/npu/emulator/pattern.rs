//! The order in which a descriptor visits addresses.

use std::ops::Range;

use super::super::design::Dimension;
use super::super::target::WORD_BYTES;

/// An address pattern as runs of consecutive bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    run_bytes: usize,
    /// How many and bytes from one to the next, outermost first.
    outer: Vec<(usize, usize)>,
    /// Bytes of the whole.
    pub(super) bytes: usize,
}

/// Where a transfer stands in its pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    counts: Vec<usize>,
    /// First byte of the current run.
    run: usize,
    /// Bytes of it that are done.
    done: usize,
}

impl Pattern {
    pub(super) fn new(length_words: usize, dimensions: &[Dimension]) -> Self {
        let bytes = length_words * WORD_BYTES;
        if dimensions.is_empty() {
            return Self { run_bytes: bytes, outer: Vec::new(), bytes };
        }
        let mut run_bytes = WORD_BYTES;
        let mut outer = Vec::new();
        for dimension in dimensions.iter().rev().filter(|dimension| dimension.wrap != 1) {
            let (wrap, step) = (dimension.wrap as usize, dimension.step_words as usize * WORD_BYTES);
            if outer.is_empty() && step == run_bytes { run_bytes *= wrap } else { outer.push((wrap, step)) }
        }
        outer.reverse();
        Self { run_bytes, outer, bytes }
    }

    /// Whether it is one run.
    pub(super) fn is_contiguous(&self) -> bool {
        self.outer.is_empty()
    }

    /// Bytes from the first to behind the last.
    pub(super) fn span_bytes(&self) -> usize {
        self.run_bytes + self.outer.iter().map(|(wrap, step)| wrap.saturating_sub(1) * step).sum::<usize>()
    }

    /// The cursor of a transfer that starts at this byte.
    pub(super) fn begin(&self, cursor: &mut Cursor, start: usize) {
        cursor.counts.clear();
        cursor.counts.resize(self.outer.len(), 0);
        cursor.run = start;
        cursor.done = 0;
    }

    /// The next `bytes` of the pattern, as ranges of addresses with their place in the stream.
    pub(super) fn advance<E>(
        &self,
        cursor: &mut Cursor,
        bytes: usize,
        mut each: impl FnMut(usize, Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut moved = 0;
        while moved < bytes {
            let some = (bytes - moved).min(self.run_bytes - cursor.done);
            each(cursor.run + cursor.done, moved..moved + some)?;
            moved += some;
            cursor.done += some;
            if cursor.done == self.run_bytes {
                cursor.done = 0;
                self.next_run(cursor);
            }
        }
        Ok(())
    }

    fn next_run(&self, cursor: &mut Cursor) {
        for (count, (wrap, step)) in cursor.counts.iter_mut().zip(&self.outer).rev() {
            *count += 1;
            cursor.run += step;
            if *count < *wrap {
                return;
            }
            cursor.run -= wrap * step;
            *count = 0;
        }
    }

    /// All runs of a transfer that starts at this byte, in order.
    pub(super) fn runs(&self, start: usize, mut each: impl FnMut(Range<usize>)) {
        let mut cursor = Cursor::default();
        self.begin(&mut cursor, start);
        let runs = self.bytes.checked_div(self.run_bytes).unwrap_or(0);
        for _ in 0..runs {
            each(cursor.run..cursor.run + self.run_bytes);
            self.next_run(&mut cursor);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(dimensions: &[Dimension]) -> Vec<usize> {
        match dimensions.split_first() {
            None => vec![0],
            Some((first, rest)) => {
                let inner = naive(rest);
                (0..first.wrap as usize)
                    .flat_map(|index| inner.iter().map(move |word| word + index * first.step_words as usize))
                    .collect()
            }
        }
    }

    proptest! {
        #[test]
        fn addresses_are_those_of_nested_loops(
            wraps_and_steps in prop::collection::vec((1_u32..6, 1_u32..9), 1..5),
            start in 0_usize..10,
            chunk in 1_usize..40,
        ) {
            let dimensions: Vec<Dimension> =
                wraps_and_steps.iter().map(|&(wrap, step_words)| Dimension { wrap, step_words }).collect();
            let expected: Vec<usize> = naive(&dimensions).iter().map(|word| word + start).collect();
            let pattern = Pattern::new(expected.len(), &dimensions);
            let mut cursor = Cursor::default();
            pattern.begin(&mut cursor, start * WORD_BYTES);
            let mut words = Vec::new();
            while words.len() < expected.len() {
                let some = chunk.min(expected.len() - words.len());
                let result: Result<(), ()> = pattern.advance(&mut cursor, some * WORD_BYTES, |address, range| {
                    words.extend((0..range.len() / WORD_BYTES).map(|word| address / WORD_BYTES + word));
                    Ok(())
                });
                prop_assert!(result.is_ok());
            }
            prop_assert_eq!(words, expected);
        }
    }
}
