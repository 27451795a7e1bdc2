//! Times of cues in milliseconds.

use std::fmt;

use crate::common::{audio::SAMPLE_RATE, recognise::Cue};

/// A time in milliseconds as `HH:MM:SS` and, after the given separator, thousandths.
pub struct Clock(pub u64, pub char);

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, thousandths) = (self.0 / 1000, self.0 % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{hours:02}:{minutes:02}:{seconds:02}{}{thousandths:03}", self.1)
    }
}

/// Start and end of a cue in milliseconds; it lasts at least one, as players drop empty cues.
pub fn interval(cue: &Cue) -> (u64, u64) {
    let start = milliseconds(cue.start_samples);
    (start, milliseconds(cue.end_samples).max(start + 1))
}

/// A place in milliseconds.
pub fn milliseconds(samples: u64) -> u64 {
    (samples * 1000 + u64::from(SAMPLE_RATE) / 2) / u64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_and_hours_grow() {
        assert_eq!(milliseconds(7), 0);
        assert_eq!(milliseconds(8), 1);
        assert_eq!(Clock(milliseconds(16_000 * 3600 * 123), '.').to_string(), "123:00:00.000");
    }
}
