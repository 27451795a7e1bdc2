//! One line on the terminal that is rewritten as work goes on.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

const REDRAW_INTERVAL: Duration = Duration::from_millis(200);

/// A progress line on standard error; nothing at all when that is not a terminal.
pub struct Progress {
    shown: bool,
    drawn: Option<Instant>,
}

impl Progress {
    /// A line that appears with the first `show`, if `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { shown: wanted && io::stderr().is_terminal(), drawn: None }
    }

    /// Replaces the line, at most a few times a second.
    pub fn show(&mut self, line: impl FnOnce() -> String) {
        if self.shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW_INTERVAL) {
            self.drawn = Some(Instant::now());
            // A terminal that is gone is no reason to stop working.
            let _ = write!(io::stderr(), "\r\x1b[K{}", line()).and_then(|()| io::stderr().flush());
        }
    }

    /// Removes the line, so that other text can be written.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K").and_then(|()| io::stderr().flush());
        }
    }
}

/// `1:02:03` or `2:03`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_clock_shows_hours_only_when_there_are_some() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(123.9), "2:03");
        assert_eq!(clock(3723.0), "1:02:03");
    }
}
