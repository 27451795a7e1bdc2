//! Which sample belongs to which time: counts samples from the first buffer's timestamp and notices when the stream jumps.

use gst::ClockTime;

use super::latency::SAMPLE_RATE;

/// Timestamps within this distance of the sample count are jitter: the alignment threshold of GStreamer's own audio sinks
/// and `GstAudioStreamAlign`.
const JITTER: ClockTime = ClockTime::from_mseconds(40);

/// Buffers that are not marked DISCONT and have other timestamps for so long have other times: the discont wait of `GstAudioStreamAlign`. A
/// source that stamps what it gets when it gets it may have lost nothing.
const DOUBT: ClockTime = ClockTime::from_seconds(1);

/// So do two of which the second follows on the first, to [`ROUNDING`], or where times differ by more than a loss that is filled, to half of
/// a buffer, but no more than this.
const LEAP_AGREEMENT: ClockTime = ClockTime::from_mseconds(40);

/// One buffer that is so long may not be heard at the wrong place.
const LONGEST_DOUBTED: ClockTime = ClockTime::from_mseconds(200);

/// What a buffer marked DISCONT may differ without being a jump: rounding of timestamps, also of containers that count
/// milliseconds.
const ROUNDING: ClockTime = ClockTime::from_mseconds(1);

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
    deviation: Option<Deviation>,
}

/// Timestamps that are not what was counted.
#[derive(Clone, Debug)]
struct Deviation {
    /// Frames that had been counted when it began.
    since_frames: u64,
    is_ahead: bool,
    /// The least that a buffer has been off since.
    least: ClockTime,
    /// The time of what follows on the last buffer.
    next: ClockTime,
}

impl Position {
    /// A stretch that starts at `anchor` and comes at `rate` frames a second.
    pub fn new(anchor: ClockTime, rate: u32) -> Self {
        Self { anchor, samples: 0, base_samples: 0, frames: 0, rate, deviation: None }
    }

    /// The time that the next frame should have.
    pub fn expected(&self) -> ClockTime {
        time(self.anchor, self.base_samples).saturating_add(duration(self.frames, self.rate))
    }

    /// How a buffer of so many frames with this timestamp follows on; without one it is taken as the next. Unless it is marked DISCONT, a
    /// timestamp that differs is believed when others agree with it.
    pub fn step(&mut self, pts: Option<ClockTime>, frames: u64, is_discont: bool) -> Step {
        let before = self.deviation.take();
        let Some(pts) = pts else {
            return Step::Continue;
        };
        if is_discont {
            return self.follow(pts, frames);
        }
        let expected = self.expected();
        let (off, is_ahead) = (pts.absdiff(expected), pts > expected);
        let length = duration(frames, self.rate);
        let is_leap = off > LONGEST_FILL;
        let agreement = if is_leap { (length / 2).clamp(ROUNDING, LEAP_AGREEMENT) } else { ROUNDING };
        let is_confirmed = before.as_ref().is_some_and(|before| pts.absdiff(before.next) <= agreement);
        if is_confirmed || is_leap && length > LONGEST_DOUBTED {
            return self.follow(pts, frames);
        }
        if off <= JITTER {
            return Step::Continue;
        }
        let before = before.filter(|before| before.is_ahead == is_ahead);
        let since_frames = before.as_ref().map_or(self.frames, |before| before.since_frames);
        let least = before.map_or(off, |before| before.least.min(off));
        if duration(self.frames - since_frames, self.rate) >= DOUBT {
            return self.leap(if is_ahead { expected.saturating_add(least) } else { expected.saturating_sub(least) });
        }
        self.deviation = Some(Deviation { since_frames, is_ahead, least, next: pts.saturating_add(length) });
        Step::Continue
    }

    /// How a buffer with certainly this timestamp follows on. What follows on one that was heard before as a whole was heard before, too.
    fn follow(&mut self, pts: ClockTime, frames: u64) -> Step {
        let step = self.leap(pts);
        if matches!(step, Step::Drop { frames: heard } if heard > frames) {
            let next = pts.saturating_add(duration(frames, self.rate));
            let least = self.expected().saturating_sub(pts);
            self.deviation = Some(Deviation { since_frames: self.frames, is_ahead: false, least, next });
        }
        step
    }

    /// How what has certainly this time follows on.
    pub fn leap(&self, pts: ClockTime) -> Step {
        let expected = self.expected();
        if pts.absdiff(expected) <= ROUNDING {
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
        self.deviation = None;
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

pub(super) fn duration(frames: u64, rate: u32) -> ClockTime {
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
            assert_eq!(position().step(Some(milliseconds(pts)), 441, false), Step::Continue, "{pts} ms");
        }
        assert_eq!(position().step(None, 441, true), Step::Continue);
    }

    #[test]
    fn a_short_loss_is_filled_and_a_long_one_restarts() {
        let step = |pts| position().step(Some(milliseconds(pts)), 441, true);
        assert_eq!(step(11_100), Step::Fill { frames: 4410 });
        assert_eq!(step(11_020), Step::Fill { frames: 882 });
        assert_eq!(step(15_000), Step::Restart { at: milliseconds(15_000) });
        assert_eq!(step(9_000), Step::Restart { at: milliseconds(9_000) });
    }

    #[test]
    fn a_short_overlap_is_dropped() {
        let step = |pts| position().step(Some(milliseconds(pts)), 441, true);
        assert_eq!(step(10_950), Step::Drop { frames: 2205 });
        assert_eq!(step(10_980), Step::Drop { frames: 882 });
        assert_eq!(step(10_700), Step::Restart { at: milliseconds(10_700) });
    }

    /// What becomes of buffers with these timestamps, of so many milliseconds, that are not marked.
    fn steps(milliseconds_each: u64, pts: &[u64]) -> Vec<Step> {
        let (mut position, frames) = (position(), 441 * milliseconds_each / 10);
        let mut step = |&pts: &u64| {
            let step = position.step(Some(milliseconds(pts)), frames, false);
            position.advance(frames);
            step
        };
        pts.iter().map(&mut step).collect()
    }

    #[test]
    fn a_timestamp_alone_is_not_believed() {
        for wrong in [11_300, 10_600, 71_000, 0] {
            assert_eq!(steps(20, &[11_000, wrong, 11_040, wrong, 11_080]), [Step::Continue; 5], "{wrong} ms");
        }
        assert_eq!(steps(1_000, &[71_000]), [Step::Restart { at: milliseconds(71_000) }]);
    }

    #[test]
    fn two_that_follow_on_each_other_are() {
        assert_eq!(steps(20, &[11_100, 11_120]), [Step::Continue, Step::Fill { frames: 4410 }]);
        assert_eq!(steps(20, &[10_900, 10_920]), [Step::Continue, Step::Drop { frames: 4410 }]);
        assert_eq!(steps(20, &[71_000, 71_012])[1], Step::Restart { at: milliseconds(71_012) });
    }

    #[test]
    fn what_follows_on_what_was_heard_before_was_heard_before() {
        let (mut position, mut heard) = (position(), Vec::new());
        for (index, pts) in (10_870..11_020).step_by(20).enumerate() {
            let step = position.step(Some(milliseconds(pts)), 882, index == 0);
            let dropped = if let Step::Drop { frames } = step { frames.min(882) } else { 0 };
            position.advance(882 - dropped);
            heard.push(882 - dropped);
        }
        assert_eq!(heard, [0, 0, 0, 0, 0, 0, 441, 882]);
    }

    #[test]
    fn what_comes_late_and_all_at_a_time_is_the_next() {
        let late: Vec<u64> = (0..20).map(|_| 13_000).chain((0..20).map(|index| 13_000 + index)).collect();
        assert_eq!(steps(20, &late), vec![Step::Continue; 40]);
    }

    #[test]
    fn times_that_stay_others_are_believed() {
        let off = |index: u64| 60 + 40 * (index % 3);
        let pts: Vec<u64> = (0..60).map(|index| 11_000 + 20 * index + off(index)).collect();
        let steps = steps(20, &pts);
        let first = steps.iter().position(|step| *step != Step::Continue);
        assert_eq!((first, &steps[50]), (Some(50), &Step::Fill { frames: 2646 }), "60 ms after a second");
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
