//! The fewest edits that make a hypothesis of a reference.

use std::ops::AddAssign;

/// Counts over one or many clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Words (or characters) that were said.
    pub reference: usize,
    pub substitutions: usize,
    /// Words that were put out and not said.
    pub insertions: usize,
    /// Words that were said and not put out.
    pub deletions: usize,
}

impl Edits {
    /// Aligns two sequences; among the alignments with the fewest edits, one with the most substitutions is counted.
    pub fn between(reference: &[String], hypothesis: &[String]) -> Self {
        let mut row: Vec<Self> =
            (0..=hypothesis.len()).map(|insertions| Self { insertions, ..Self::default() }).collect();
        for (index, said) in reference.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = Self { deletions: index + 1, ..Self::default() };
            for (column, heard) in hypothesis.iter().enumerate() {
                let mut best = diagonal;
                best.substitutions += usize::from(said != heard);
                let mut inserted = row[column];
                inserted.insertions += 1;
                let mut deleted = row[column + 1];
                deleted.deletions += 1;
                for other in [inserted, deleted] {
                    if other.errors() < best.errors() {
                        best = other;
                    }
                }
                diagonal = std::mem::replace(&mut row[column + 1], best);
            }
        }
        Self { reference: reference.len(), ..row.pop().unwrap_or_default() }
    }

    pub fn errors(&self) -> usize {
        self.substitutions + self.insertions + self.deletions
    }

    /// Errors for each word that was said, in percent; `None` if nothing was.
    pub fn rate_percent(&self) -> Option<f64> {
        (self.reference > 0).then(|| 100.0 * self.errors() as f64 / self.reference as f64)
    }
}

impl AddAssign for Edits {
    fn add_assign(&mut self, other: Self) {
        self.reference += other.reference;
        self.substitutions += other.substitutions;
        self.insertions += other.insertions;
        self.deletions += other.deletions;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(reference: &str, hypothesis: &str) -> Edits {
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        Edits::between(&words(reference), &words(hypothesis))
    }

    #[test]
    fn each_kind_of_edit_is_counted() {
        let edits = |substitutions, insertions, deletions| Edits { reference: 4, substitutions, insertions, deletions };
        assert_eq!(between("a b c d", "a b c d"), edits(0, 0, 0));
        assert_eq!(between("a b c d", "a x c d"), edits(1, 0, 0));
        assert_eq!(between("a b c d", "a b y c d z"), edits(0, 2, 0));
        assert_eq!(between("a b c d", "b d"), edits(0, 0, 2));
        assert_eq!(between("a b c d", "x a b q"), edits(1, 1, 1));
        assert_eq!(between("a b c d", ""), edits(0, 0, 4));
    }

    #[test]
    fn a_rate_needs_words() {
        assert_eq!(between("", "a b").rate_percent(), None);
        assert_eq!(between("", "a b").insertions, 2);
        assert_eq!(between("a b", "a b c d e").rate_percent(), Some(150.0));
    }

    proptest! {
        #[test]
        fn edits_explain_both_lengths(reference in "([a-c] ){0,12}", hypothesis in "([a-c] ){0,12}") {
            let edits = between(&reference, &hypothesis);
            let heard = hypothesis.split_whitespace().count();
            prop_assert_eq!(edits.reference + edits.insertions - edits.deletions, heard);
            prop_assert!(edits.errors() <= edits.reference.max(heard));
            prop_assert_eq!(edits.errors() == 0, reference == hypothesis);
            prop_assert_eq!(between(&hypothesis, &reference).errors(), edits.errors());
        }
    }
}
