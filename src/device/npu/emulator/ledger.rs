//! Who used which part of a buffer last, to find uses that nothing orders.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::super::target::WORD_BYTES;
use super::clocks::Actor;
use super::pattern::Pattern;

/// Uses are compared page by page; most are of objects of this size.
const PAGE_BYTES: usize = 4096;
const PAGE_SETS: usize = PAGE_BYTES / WORD_BYTES / 64;

/// The part of a buffer that something uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprint {
    pages: Vec<(usize, Part)>,
}

/// The part of a page.
#[derive(Clone, Debug)]
struct Part {
    low: u16,
    high: u16,
    /// A bit for each word, if not all between the bounds are used.
    words: Option<Arc<[u64; PAGE_SETS]>>,
}

/// The uses of a buffer that later ones have to be ordered after.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pages: Vec<Vec<Use>>,
}

#[derive(Clone, Debug)]
struct Use {
    actor: Actor,
    /// Number of the piece of work, of the actor's own, that the use is part of.
    work: u32,
    writes: bool,
    part: Part,
}

/// Who uses a buffer, and when in its own time.
#[derive(Clone, Copy, Debug)]
pub(super) struct User<'a> {
    pub(super) actor: Actor,
    pub(super) work: u32,
    pub(super) knows: &'a [u32],
    pub(super) writes: bool,
}

/// A use that is not known to be over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict {
    pub(super) actor: Actor,
    pub(super) writes: bool,
    pub(super) offset_bytes: usize,
}

impl Footprint {
    /// Where a pattern goes that starts at this byte of the buffer.
    pub(super) fn of_pattern(pattern: &Pattern, start: usize) -> Self {
        let mut pages: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        pattern.runs(start, |run| each_page(run, |page, range| pages.entry(page).or_default().push(range)));
        Self { pages: pages.into_iter().map(|(page, ranges)| (page, Part::of_ranges(&ranges))).collect() }
    }

    /// The byte after the last one.
    pub(super) fn end(&self) -> usize {
        self.pages.last().map_or(0, |(page, part)| page * PAGE_BYTES + usize::from(part.high))
    }
}

impl Part {
    fn of_ranges(ranges: &[Range<usize>]) -> Self {
        let low = ranges.iter().map(|range| range.start).min().unwrap_or(0) as u16;
        let high = ranges.iter().map(|range| range.end).max().unwrap_or(0) as u16;
        let mut words = [0_u64; PAGE_SETS];
        for word in ranges.iter().flat_map(|range| range.start / WORD_BYTES..range.end.div_ceil(WORD_BYTES)) {
            words[word / 64] |= 1 << (word % 64);
        }
        let used = words.iter().map(|set| set.count_ones() as usize).sum::<usize>() * WORD_BYTES;
        Self { low, high, words: (used < usize::from(high - low)).then(|| Arc::new(words)) }
    }

    fn meets(&self, other: &Self) -> bool {
        if self.low >= other.high || other.low >= self.high {
            return false;
        }
        match (&self.words, &other.words) {
            (None, None) => true,
            (Some(words), Some(others)) => words.iter().zip(&**others).any(|(one, other)| one & other != 0),
            (Some(words), None) => reaches(words, other),
            (None, Some(words)) => reaches(words, self),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        let bounds = self.low <= other.low && other.high <= self.high;
        match (&self.words, &other.words) {
            (None, _) => bounds,
            (Some(words), Some(others)) => words.iter().zip(&**others).all(|(one, other)| other & !one == 0),
            (Some(_), None) => false,
        }
    }
}

/// Whether any of the words is between the bounds of the part.
fn reaches(words: &[u64; PAGE_SETS], part: &Part) -> bool {
    let bounds = usize::from(part.low) / WORD_BYTES..usize::from(part.high).div_ceil(WORD_BYTES);
    bounds.into_iter().any(|word| words[word / 64] >> (word % 64) & 1 == 1)
}

fn each_page(range: Range<usize>, mut each: impl FnMut(usize, Range<usize>)) {
    let mut start = range.start;
    while start < range.end {
        let page = start / PAGE_BYTES;
        let end = range.end.min((page + 1) * PAGE_BYTES);
        each(page, start % PAGE_BYTES..end - page * PAGE_BYTES);
        start = end;
    }
}

impl Ledger {
    pub(super) fn new(bytes: usize) -> Self {
        Self { pages: vec![Vec::new(); bytes.div_ceil(PAGE_BYTES)] }
    }

    /// Enters the use of a range. Error: an earlier use that nothing orders before this one.
    pub(super) fn enter_range(&mut self, range: Range<usize>, user: User<'_>) -> Result<(), Conflict> {
        let mut result = Ok(());
        each_page(range, |page, range| {
            if result.is_ok() {
                let part = Part { low: range.start as u16, high: range.end as u16, words: None };
                result = self.enter_page(page, &part, user);
            }
        });
        result
    }

    /// Enters the use of a footprint. Error: as above.
    pub(super) fn enter(&mut self, footprint: &Footprint, user: User<'_>) -> Result<(), Conflict> {
        footprint.pages.iter().try_for_each(|(page, part)| self.enter_page(*page, part, user))
    }

    fn enter_page(&mut self, page: usize, part: &Part, user: User<'_>) -> Result<(), Conflict> {
        let Some(uses) = self.pages.get_mut(page) else { return Ok(()) };
        let over = |past: &Use| past.actor == user.actor || user.knows[past.actor] >= past.work;
        let conflict = |past: &&Use| (past.writes || user.writes) && !over(past) && past.part.meets(part);
        if let Some(past) = uses.iter().find(conflict) {
            let offset_bytes = page * PAGE_BYTES + usize::from(past.part.low.max(part.low));
            return Err(Conflict { actor: past.actor, writes: past.writes, offset_bytes });
        }
        // What conflicts with a past use that is covered here conflicts with this one too, which is later.
        uses.retain(|past| !((user.writes || !past.writes) && over(past) && part.covers(&past.part)));
        uses.push(Use { actor: user.actor, work: user.work, writes: user.writes, part: part.clone() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::design::Dimension;
    use super::*;

    fn user(actor: Actor, work: u32, knows: &[u32], writes: bool) -> User<'_> {
        User { actor, work, knows, writes }
    }

    #[test]
    fn a_write_conflicts_with_a_use_that_is_not_known_to_be_over() {
        let mut ledger = Ledger::new(8192);
        ledger.enter_range(0..4096, user(0, 1, &[0, 0], true)).unwrap();
        assert!(ledger.enter_range(4000..4100, user(1, 1, &[0, 0], false)).is_err());
        ledger.enter_range(4096..8192, user(1, 1, &[0, 0], true)).unwrap();
        ledger.enter_range(0..4096, user(1, 1, &[1, 0], false)).unwrap();
        assert!(ledger.enter_range(0..4, user(0, 2, &[1, 0], true)).is_err());
        ledger.enter_range(0..4, user(0, 2, &[1, 1], true)).unwrap();
    }

    #[test]
    fn reads_do_not_conflict() {
        let mut ledger = Ledger::new(4096);
        ledger.enter_range(0..4096, user(0, 1, &[0, 0], false)).unwrap();
        ledger.enter_range(0..4096, user(1, 1, &[0, 0], false)).unwrap();
        assert!(ledger.enter_range(0..4096, user(0, 2, &[1, 0], true)).is_err());
    }

    #[test]
    fn interleaved_patterns_do_not_meet() {
        let columns = [Dimension { wrap: 16, step_words: 8 }, Dimension { wrap: 4, step_words: 1 }];
        let pattern = Pattern::new(64, &columns);
        let mut ledger = Ledger::new(4096);
        ledger.enter(&Footprint::of_pattern(&pattern, 0), user(0, 1, &[0, 0], true)).unwrap();
        ledger.enter(&Footprint::of_pattern(&pattern, 16), user(1, 1, &[0, 0], true)).unwrap();
        assert!(ledger.enter(&Footprint::of_pattern(&pattern, 4), user(1, 1, &[0, 0], true)).is_err());
    }

    #[test]
    fn what_is_covered_is_forgotten() {
        let mut ledger = Ledger::new(4096);
        for work in 1..100 {
            let knows = [work - 1, work - 1];
            ledger.enter_range(0..4096, user(0, work, &knows, true)).unwrap();
            ledger.enter_range(0..2048, user(1, work, &[work, work - 1], false)).unwrap();
        }
        assert!(ledger.pages[0].len() < 4);
    }
}
