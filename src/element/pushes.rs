//! How long downstream took what was pushed, so that a text that is late is blamed on who held it up. Times are running times.

use std::{collections::VecDeque, time::Duration};

use gst::ClockTime;

/// A push that is shorter holds nobody up, and pauses between long ones that are shorter count with them.
const SHORTEST: ClockTime = ClockTime::from_mseconds(20);

/// Stretches that are remembered.
const MOST: usize = 64;

/// Stretches in which the task was kept in pushes.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    since: Option<ClockTime>,
    long: VecDeque<[ClockTime; 2]>,
}

impl Pushes {
    /// A push begins. Where no time passes it is not measured.
    pub fn begin(&mut self, now: Option<ClockTime>) {
        self.since = now;
    }

    /// It is over.
    pub fn end(&mut self, now: Option<ClockTime>) {
        let Some((from, to)) = self.since.take().zip(now) else { return };
        if to < from.saturating_add(SHORTEST) {
            return;
        }
        match self.long.back_mut().filter(|last| from < last[1].saturating_add(SHORTEST)) {
            Some(last) => last[1] = to,
            None => self.long.push_back([from, to]),
        }
        if self.long.len() > MOST {
            self.long.pop_front();
        }
    }

    /// How much of the time between these two went by in pushes, the present one among them.
    pub fn held(&self, from: ClockTime, to: ClockTime) -> Duration {
        let present = self.since.map(|since| [since, to]);
        let within = |[start, end]: &[ClockTime; 2]| Duration::from((*end).min(to).saturating_sub((*start).max(from)));
        self.long.iter().chain(&present).map(within).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(spans_ms: &[[u64; 2]]) -> Pushes {
        let mut pushes = Pushes::default();
        for [from, to] in spans_ms.iter().map(|span| span.map(ClockTime::from_mseconds)) {
            pushes.begin(Some(from));
            pushes.end(Some(to));
        }
        pushes
    }

    fn held_ms(pushes: &Pushes, from_ms: u64, to_ms: u64) -> u128 {
        pushes.held(ClockTime::from_mseconds(from_ms), ClockTime::from_mseconds(to_ms)).as_millis()
    }

    #[test]
    fn long_pushes_count_as_far_as_they_are_within() {
        let pushes = pushed(&[[0, 1000], [1500, 1505], [2000, 4000]]);
        assert_eq!(
            [(0, 5000), (500, 3000), (1000, 2000)].map(|(from, to)| held_ms(&pushes, from, to)),
            [3000, 1500, 0]
        );
    }

    #[test]
    fn the_present_push_counts() {
        let mut pushes = pushed(&[[0, 1000]]);
        pushes.begin(Some(ClockTime::from_seconds(2)));
        assert_eq!(held_ms(&pushes, 500, 10_000), 8500);
        pushes.begin(None);
        pushes.end(Some(ClockTime::from_seconds(10)));
        assert_eq!(held_ms(&pushes, 500, 10_000), 500);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let spans: Vec<_> = (0..1000).map(|index| [index * 100, index * 100 + 50]).collect();
        assert_eq!(held_ms(&pushed(&spans), 0, 1_000_000), 64 * 50);
        assert_eq!(pushed(&[[0, 50], [50, 100], [110, 200]]).long.len(), 1);
    }
}
