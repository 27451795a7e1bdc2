//! Which sample belongs to which time: counts samples from the first buffer's timestamp and notices when the stream jumps.

use gst::ClockTime;

use super::latency::SAMPLE_RATE;

/// Timestamps within this distance of the sample count are jitter: the alignment threshold of GStreamer's own audio sinks
/// and `GstAudioStreamAlign`.
const JITTER: ClockTime = ClockTime::from_mseconds(40);

/// What a buffer marked DISCONT may differ without being a jump: rounding of timestamps, also of containers that count
/// milliseconds.
const DISCONT_JITTER: ClockTime = ClockTime::from_mseconds(1);

/// What overlaps what was heard by up to this much was counted too fast, by a source whose clock is not the pipeline's, and is dropped as
/// audio sinks drop it; more is a jump.
const LONGEST_OVERLAP: ClockTime = ClockTime::from_mseconds(200);

/// Lost audio up to this length is heard as silence, because a window that goes on keeps its sentence whole; speakers
/// pause as long.
const LONGEST_FILL: ClockTime = ClockTime::from_seconds(1);

/// How a buffer follows on what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is the next one.
    Continue,
    /// So many frames at the input's rate were lost before it.
    Fill { frames: u64 },
    /// So many of its frames have been heard.
    Drop { frames: u64 },
    /// It lies somewhere else: a new stretch starts at this time.
    Restart { at: ClockTime },
}

/// A stretch of audio without jumps.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// Time of the stretch's first sample.
    pub anchor: ClockTime,
    /// Samples at 16 kHz that were converted.
    pub samples: u64,
    /// Samples at 16 kHz before the input took on its present rate.
    base_samples: u64,
    /// Frames at the present rate.
    frames: u64,
    rate: u32,
}

impl Position {
    /// A stretch that starts at `anchor` and comes at `rate` frames a second.
    pub fn new(anchor: ClockTime, rate: u32) -> Self {
        Self { anchor, samples: 0, base_samples: 0, frames: 0, rate }
    }

    /// The time that the next frame should have.
    pub fn expected(&self) -> ClockTime {
        time(self.anchor, self.base_samples).saturating_add(duration(self.frames, self.rate))
    }

    /// How a buffer with this timestamp follows on; without one it is taken as the next.
    pub fn step(&self, pts: Option<ClockTime>, is_discont: bool) -> Step {
        let Some(pts) = pts else {
            return Step::Continue;
        };
        let expected = self.expected();
        let tolerance = if is_discont { DISCONT_JITTER } else { JITTER };
        if pts.absdiff(expected) <= tolerance {
            Step::Continue
        } else if pts > expected && pts - expected <= LONGEST_FILL {
            Step::Fill { frames: frames(pts - expected, self.rate) }
        } else if pts < expected && expected - pts <= LONGEST_OVERLAP {
            Step::Drop { frames: frames(expected - pts, self.rate) }
        } else {
            Step::Restart { at: pts }
        }
    }

    /// So many frames came in.
    pub fn advance(&mut self, frames: u64) {
        self.frames += frames;
    }

    /// Samples at 16 kHz that everything heard so far amounts to.
    pub fn due_samples(&self) -> u64 {
        self.base_samples + scale(self.frames, SAMPLE_RATE, self.rate)
    }

    /// From here on frames come at another rate; everything before has been converted.
    pub fn change_rate(&mut self, rate: u32) {
        self.base_samples = self.samples;
        self.frames = 0;
        self.rate = rate;
    }
}

/// The time of a sample at 16 kHz.
pub(super) fn time(anchor: ClockTime, samples: u64) -> ClockTime {
    anchor.saturating_add(duration(samples, SAMPLE_RATE))
}

/// How many frames at `rate` pass in `duration`.
pub(super) fn frames(duration: ClockTime, rate: u32) -> u64 {
    scale(duration.nseconds(), rate, 1_000_000_000)
}

fn duration(frames: u64, rate: u32) -> ClockTime {
    ClockTime::from_nseconds(scale(frames, 1_000_000_000, rate).min(ClockTime::MAX.nseconds()))
}

/// `value * numerator / denominator`, rounded to the nearest.
fn scale(value: u64, numerator: u32, denominator: u32) -> u64 {
    let denominator = u128::from(denominator);
    let scaled = (u128::from(value) * u128::from(numerator) + denominator / 2) / denominator;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(value: u64) -> ClockTime {
        ClockTime::from_mseconds(value)
    }

    /// A stretch that starts at 10 s and has heard one second at 44.1 kHz.
    fn position() -> Position {
        let mut position = Position::new(milliseconds(10_000), 44_100);
        position.advance(44_100);
        position
    }

    #[test]
    fn jitter_is_no_jump() {
        for pts in [10_960, 11_000, 11_040] {
            assert_eq!(position().step(Some(milliseconds(pts)), false), Step::Continue, "{pts} ms");
        }
        assert_eq!(position().step(None, true), Step::Continue);
    }

    #[test]
    fn a_short_loss_is_filled_and_a_long_one_restarts() {
        assert_eq!(position().step(Some(milliseconds(11_100)), false), Step::Fill { frames: 4410 });
        assert_eq!(position().step(Some(milliseconds(11_020)), true), Step::Fill { frames: 882 });
        assert_eq!(position().step(Some(milliseconds(15_000)), false), Step::Restart { at: milliseconds(15_000) });
        assert_eq!(position().step(Some(milliseconds(9_000)), false), Step::Restart { at: milliseconds(9_000) });
    }

    #[test]
    fn a_short_overlap_is_dropped() {
        assert_eq!(position().step(Some(milliseconds(10_950)), false), Step::Drop { frames: 2205 });
        assert_eq!(position().step(Some(milliseconds(10_980)), true), Step::Drop { frames: 882 });
        assert_eq!(position().step(Some(milliseconds(10_700)), false), Step::Restart { at: milliseconds(10_700) });
    }

    #[test]
    fn a_day_of_audio_does_not_drift() {
        let mut position = Position::new(ClockTime::ZERO, 44_100);
        for _ in 0..86_400 {
            position.advance(44_100);
        }
        assert_eq!(position.expected(), ClockTime::from_seconds(86_400));
        assert_eq!(position.due_samples(), 86_400 * 16_000);
    }

    #[test]
    fn a_change_of_rate_keeps_the_count() {
        let mut position = position();
        position.samples = position.due_samples();
        position.change_rate(8000);
        position.advance(4000);
        assert_eq!(position.expected(), milliseconds(11_500));
        assert_eq!(position.due_samples(), 24_000);
    }

    #[test]
    fn the_end_of_time_is_no_overflow() {
        let mut position = Position::new(ClockTime::MAX, 1);
        position.advance(u64::MAX);
        assert_eq!(position.expected(), ClockTime::MAX);
    }
}
