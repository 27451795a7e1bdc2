//! How far a live stream is behind, and what there is time for. Places are samples of its stretch of audio, times running times.

use std::{collections::VecDeque, time::Duration};

use gst::ClockTime;

use super::latency::clock_time;

/// A window that takes longer or shorter than expected changes what is expected by this part of the difference.
const LEARNING_DENOMINATOR: u32 = 4;

/// What there is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// Everything that was asked for.
    Full,
    /// No window that still grows.
    Whole,
    /// Nor more than one text of each.
    Hasty,
}

/// When samples came, and how long windows take.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Up to which place samples had come at which time.
    arrivals: VecDeque<(u64, ClockTime)>,
    /// What the next window is expected to take.
    full: Duration,
    /// The same of one that is done in haste; nothing until one was.
    hasty: Duration,
}

impl Lag {
    /// Samples up to `end` came.
    pub fn hear(&mut self, end: u64, arrived: Option<ClockTime>) {
        if let Some(arrived) = arrived {
            self.arrivals.push_back((end, arrived));
        }
    }

    /// Nobody will ask for what is before `place`.
    pub fn forget(&mut self, place: u64) {
        while self.arrivals.front().is_some_and(|(end, _)| *end <= place) {
            self.arrivals.pop_front();
        }
    }

    /// A window took so long. One in haste says of all others too that the load has changed: else nobody would try again.
    pub fn learn(&mut self, effort: Effort, inference: Duration) {
        let learnt = |expected: Duration| match expected {
            Duration::ZERO => inference,
            expected => (expected * (LEARNING_DENOMINATOR - 1) + inference) / LEARNING_DENOMINATOR,
        };
        if effort == Effort::Hasty {
            self.hasty = learnt(self.hasty);
        }
        self.full = learnt(self.full);
        self.hasty = self.hasty.min(self.full);
    }

    /// A window had not come after so long.
    pub fn fear(&mut self, effort: Effort, inference: Duration) {
        if effort == Effort::Hasty {
            self.hasty = self.hasty.max(inference);
        }
        self.full = self.full.max(inference);
    }

    /// How long the next window is expected to take.
    pub fn expected(&self) -> Duration {
        self.full
    }

    /// What there is time for in a window that ends at `end`, if its text may be there `slack` after its samples.
    pub fn effort(&self, end: u64, now: ClockTime, slack: Duration) -> Effort {
        let Some(arrived) = self.arrived(end.saturating_sub(1)) else { return Effort::Full };
        let late = Duration::from(now.saturating_sub(arrived)) + self.full;
        if late * 2 < slack {
            Effort::Full
        } else if late * 4 < slack * 3 {
            Effort::Whole
        } else {
            Effort::Hasty
        }
    }

    /// Whether there is time for a window that only grows, and then for one that is final, of which what begins at `place` is to be
    /// there within `latency`.
    pub fn has_time(&self, place: u64, now: ClockTime, latency: Duration) -> bool {
        let done = now.saturating_add(clock_time(self.full * 2));
        self.deadline(place, latency).is_none_or(|deadline| done <= deadline)
    }

    /// When text must be there that begins at `place`.
    pub fn deadline(&self, place: u64, longest: Duration) -> Option<ClockTime> {
        Some(self.arrived(place)?.saturating_add(clock_time(longest)))
    }

    /// Where to go on if what begins at `place` cannot be there in time: where half of the time is left, so that it does not happen
    /// again at once. A window that is given up teaches nothing, so the next one is expected to take half as long.
    pub fn skip(&mut self, place: u64, now: ClockTime, longest: Duration) -> Option<u64> {
        let done = now.saturating_add(clock_time(self.hasty));
        if done <= self.deadline(place, longest)? {
            return None;
        }
        self.hasty /= 2;
        let is_fresh = |(_, arrived): &&(u64, ClockTime)| arrived.saturating_add(clock_time(longest / 2)) >= done;
        let stale = self.arrivals.iter().take_while(|arrival| !is_fresh(arrival)).last();
        stale.map(|(end, _)| *end)
    }

    /// When what begins at `place` came.
    pub fn arrived(&self, place: u64) -> Option<ClockTime> {
        self.arrivals.iter().find(|(end, _)| *end > place).map(|(_, arrived)| *arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    /// A second of samples each second, from 1 s on, for 20 s.
    fn lag(inference_s: u64) -> Lag {
        let mut lag = Lag::default();
        (1..=20).for_each(|second| lag.hear(16_000 * second, Some(ClockTime::from_seconds(second))));
        lag.learn(Effort::Hasty, Duration::from_secs(inference_s));
        lag
    }

    #[test]
    fn who_keeps_up_skips_nothing() {
        let now = ClockTime::from_seconds(20);
        assert_eq!(lag(1).skip(11 * 16_000, now, TEN_SECONDS), None);
        assert_eq!(lag(1).effort(20 * 16_000, now, TEN_SECONDS), Effort::Full);
        assert_eq!(Lag::default().skip(0, now, TEN_SECONDS), None);
    }

    #[test]
    fn what_is_too_old_is_skipped_and_more_with_it() {
        let now = ClockTime::from_seconds(20);
        assert_eq!(lag(1).skip(9 * 16_000, now, TEN_SECONDS), Some(15 * 16_000));
        assert_eq!(lag(9).skip(11 * 16_000, now, TEN_SECONDS), Some(20 * 16_000));
    }

    #[test]
    fn after_windows_were_given_up_another_is_tried() {
        let mut lag = Lag::default();
        lag.fear(Effort::Hasty, Duration::from_secs(60));
        let tried = (1..=40).find(|&second| {
            lag.hear(16_000 * second, Some(ClockTime::from_seconds(second)));
            // A window of 6 s that ends now.
            second >= 6 && lag.skip(16_000 * (second - 6), ClockTime::from_seconds(second), TEN_SECONDS).is_none()
        });
        assert!(tried.is_some_and(|second| second <= 12), "{tried:?}");
    }

    #[test]
    fn the_later_it_gets_the_less_is_done() {
        let effort = |now_s| lag(1).effort(20 * 16_000, ClockTime::from_seconds(now_s), TEN_SECONDS);
        assert_eq!([21, 24, 27, 40].map(effort), [Effort::Full, Effort::Whole, Effort::Hasty, Effort::Hasty]);
    }

    #[test]
    fn what_only_grows_takes_no_time_from_what_is_due() {
        let has_time = |now_s| lag(2).has_time(14 * 16_000, ClockTime::from_seconds(now_s), TEN_SECONDS);
        // What begins at 14 s came at 15 s and is due at 25 s; a window takes 2 s.
        assert_eq!([15, 21, 22].map(has_time), [true, true, false]);
        assert!(Lag::default().has_time(0, ClockTime::MAX, TEN_SECONDS));
    }

    #[test]
    fn what_is_expected_follows_what_was_seen() {
        let mut lag = lag(4);
        lag.learn(Effort::Hasty, Duration::ZERO);
        assert_eq!((lag.full, lag.hasty), (Duration::from_secs(3), Duration::from_secs(3)));
        lag.fear(Effort::Full, TEN_SECONDS);
        lag.fear(Effort::Full, Duration::ZERO);
        assert_eq!((lag.full, lag.hasty), (TEN_SECONDS, Duration::from_secs(3)));
    }

    #[test]
    fn nothing_is_skipped_before_haste_was_tried() {
        let mut lag = lag(0);
        lag.fear(Effort::Full, TEN_SECONDS);
        let now = ClockTime::from_seconds(20);
        assert_eq!(
            (lag.effort(20 * 16_000, now, TEN_SECONDS), lag.skip(14 * 16_000, now, TEN_SECONDS)),
            (Effort::Hasty, None)
        );
    }

    #[test]
    fn when_the_load_falls_everything_is_done_again() {
        let mut lag = lag(1);
        lag.fear(Effort::Full, 2 * TEN_SECONDS);
        let now = ClockTime::from_seconds(20);
        let windows = (1..20).find(|_| {
            lag.learn(lag.effort(20 * 16_000, now, TEN_SECONDS), Duration::from_secs(1));
            lag.effort(20 * 16_000, now, TEN_SECONDS) == Effort::Full
        });
        assert!(windows.is_some_and(|windows| windows <= 8), "{windows:?}");
    }
}
