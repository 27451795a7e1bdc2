//! How long the element has played, for pipelines without a clock.

use std::time::{Duration, Instant};

/// Runs while the element plays.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    ran: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    /// Goes on.
    pub fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Stands.
    pub fn stop(&mut self) {
        self.ran += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// How long it has run in all; nothing where it stands.
    pub fn time(&self) -> Option<Duration> {
        self.since.map(|since| self.ran + since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_only_while_it_runs() {
        const MOMENT: Duration = Duration::from_millis(20);
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.time(), None);
        stopwatch.start();
        std::thread::sleep(MOMENT);
        stopwatch.stop();
        let ran = stopwatch.ran;
        assert!(stopwatch.time().is_none() && ran >= MOMENT);
        std::thread::sleep(MOMENT);
        stopwatch.stop();
        assert_eq!(stopwatch.ran, ran);
        stopwatch.start();
        assert!(stopwatch.time().is_some_and(|time| time >= ran));
    }
}
