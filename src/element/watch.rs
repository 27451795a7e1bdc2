//! Notices that a live source has stopped: nothing comes, and nothing says why.

use std::time::Duration;

use gst::ClockTime;

use super::latency::clock_time;

/// How often somebody looks at the time while nothing comes; as often as gaps leave.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// The wait for what comes next. Time stands while there is none.
#[derive(Debug, Default)]
pub(super) struct Watch {
    since: Option<ClockTime>,
    /// The longest wait after which the stretch went on, and the most that came at a time: the source may send much, and seldom.
    longest: ClockTime,
}

impl Watch {
    /// Nothing is left to do; the wait begins, unless it has.
    pub fn begin(&mut self, now: Option<ClockTime>) {
        self.since = self.since.or(now);
    }

    /// So much came. Nobody waits for more than `most`.
    pub fn end(&mut self, now: Option<ClockTime>, length: ClockTime, most: Duration) {
        let waited = self.waited(now).filter(|waited| *waited <= clock_time(most));
        self.longest = self.longest.max(waited.unwrap_or_default()).max(length);
        self.since = None;
    }

    /// No stretch is open: how its source sends shows when it has begun.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Whether the source has stopped: it sends nothing for as long as a pause is, longer than it ever has, or for `most`.
    pub fn is_over(&self, now: Option<ClockTime>, pause: Duration, most: Duration) -> bool {
        self.has_waited(now, (pause + self.longest.into()).min(most))
    }

    /// Whether nothing has come for so long.
    pub fn has_waited(&self, now: Option<ClockTime>, patience: Duration) -> bool {
        self.waited(now).is_some_and(|waited| waited >= clock_time(patience))
    }

    fn waited(&self, now: Option<ClockTime>) -> Option<ClockTime> {
        Some(now?.saturating_sub(self.since?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);
    const MOST: Duration = Duration::from_secs(6);

    fn at(milliseconds: u64) -> Option<ClockTime> {
        Some(ClockTime::from_mseconds(milliseconds))
    }

    #[test]
    fn a_source_has_stopped_after_a_pause() {
        let mut watch = Watch::default();
        watch.begin(at(500));
        watch.begin(at(1000));
        assert!(!watch.is_over(at(1499), PAUSE, MOST) && watch.is_over(at(1500), PAUSE, MOST));
        watch.end(at(1499), ClockTime::ZERO, MOST);
        assert!(!watch.is_over(at(9000), PAUSE, MOST), "nobody waits");
    }

    #[test]
    fn who_sends_seldom_is_given_time() {
        let mut watch = Watch::default();
        for (from, to) in [(0, 1500), (1500, 2000), (2000, 12_000)] {
            watch.begin(at(from));
            watch.end(at(to), ClockTime::from_mseconds(1000), MOST);
        }
        watch.begin(at(0));
        assert!(!watch.is_over(at(2499), PAUSE, MOST) && watch.is_over(at(2500), PAUSE, MOST));
        assert!(watch.is_over(at(2000), PAUSE, Duration::from_secs(2)));
    }

    #[test]
    fn what_was_waited_for_before_a_stretch_is_no_sign_of_how_it_comes() {
        let mut watch = Watch::default();
        watch.begin(at(0));
        watch.restart();
        watch.end(at(5000), ClockTime::from_mseconds(20), MOST);
        watch.begin(at(6000));
        assert!(watch.is_over(at(7020), PAUSE, MOST));
    }

    #[test]
    fn nobody_waits_while_time_stands() {
        let mut watch = Watch::default();
        watch.begin(None);
        assert!(!watch.is_over(at(9000), PAUSE, MOST));
        watch.begin(at(9000));
        assert!(!watch.is_over(None, PAUSE, MOST) && !watch.is_over(at(9500), PAUSE, MOST));
    }
}
