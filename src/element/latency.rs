//! How long text may take: window lengths, deadlines and the answer to latency queries.

use std::time::{Duration, Instant};

use super::settings::Settings;
use crate::{scheduler::Urgency, segment::Limits, stream};

/// Whisper's sample rate in Hz (`SAMPLE_RATE` in openai/whisper `audio.py`).
pub(super) const SAMPLE_RATE: u32 = 16_000;

/// Whisper makes no words of windows that are much shorter than a second.
const SHORTEST_LATENCY_MS: u32 = 1500;

/// What the element itself adds in a live pipeline, given the property `latency`.
pub(super) fn own_latency(latency_ms: u32) -> Duration {
    Duration::from_millis(latency_ms.max(SHORTEST_LATENCY_MS).into())
}

/// What text waits for at most after its words in a pipeline that cannot keep up.
pub(super) fn longest_delay(settings: &Settings) -> Duration {
    own_latency(settings.latency_ms).max(Duration::from_millis(settings.max_delay_ms.into()))
}

/// What is listened to at most before its text is wanted.
pub(super) fn listening(latency_ms: u32) -> Duration {
    Limits::listening(own_latency(latency_ms))
}

/// How long a speaker pauses where a window ends.
pub(super) fn pause(limits: &Limits) -> Duration {
    Duration::from_secs_f64(limits.pause_samples as f64 / f64::from(SAMPLE_RATE))
}

/// As the pipeline's clock counts.
pub(super) fn clock_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(duration).unwrap_or(gst::ClockTime::MAX)
}

/// How windows are cut: as long as Whisper takes where nobody waits, else so that listening takes its part of the latency, in which a
/// segment of `rate` plays so much sound. Of a fast one no more is listened to, because it has to be transcribed faster too.
pub(super) fn limits(is_live: bool, rate: f64, settings: &Settings) -> Limits {
    let voice = settings.voice();
    if !is_live {
        return Limits { voice, ..Limits::default() };
    }
    let latency = own_latency(settings.latency_ms).mul_f64(rate.abs().min(1.0));
    let limits = Limits { voice, ..stream::limits(settings.commit_policy.into(), latency) };
    if settings.partials { limits.told() } else { limits }
}

/// When a window's text should be there, counted from now.
pub(super) fn urgency(is_live: bool, latency_ms: u32) -> Urgency {
    if is_live {
        let inference = own_latency(latency_ms) - listening(latency_ms);
        Urgency::Live { deadline: Instant::now() + inference }
    } else {
        Urgency::Background
    }
}

/// Adds the element's own latency to upstream's answer; only a live pipeline waits for it.
pub(super) fn answer(
    (is_live, minimum, maximum): (bool, gst::ClockTime, Option<gst::ClockTime>),
    latency_ms: u32,
) -> (bool, gst::ClockTime, Option<gst::ClockTime>) {
    if !is_live {
        return (is_live, minimum, maximum);
    }
    let own = clock_time(own_latency(latency_ms));
    (true, minimum.saturating_add(own), maximum.map(|maximum| maximum.saturating_add(own)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::settings::WhisperNpuCommitPolicy;

    fn live(latency_ms: u32) -> Limits {
        limits(true, 1.0, &Settings { latency_ms, ..Settings::default() })
    }

    #[test]
    fn live_windows_leave_a_quarter_of_the_latency_for_inference() {
        assert_eq!(live(8000).flush_samples, 6 * 16_000);
        assert_eq!(live(0), live(1500));
        let slow = limits(true, 0.5, &Settings { latency_ms: 8000, ..Settings::default() });
        assert_eq!((slow, limits(true, -2.0, &Settings::default())), (live(4000), live(8000)));
        assert!(live(2000).pause_samples < live(8000).pause_samples);
        assert_eq!(limits(false, 1.0, &Settings::default()), Limits::default());
    }

    #[test]
    fn growing_windows_are_looked_at_where_their_text_is_wanted() {
        assert_eq!(live(8000).update_samples, 0);
        for settings in [
            Settings { partials: true, ..Settings::default() },
            Settings { commit_policy: WhisperNpuCommitPolicy::AlignAtt, ..Settings::default() },
        ] {
            let limits = limits(true, 1.0, &settings);
            assert!(limits.update_samples > 0 && limits.is_told == settings.partials);
        }
    }

    #[test]
    fn no_delay_is_shorter_than_the_latency() {
        let longest = |max_delay_ms| longest_delay(&Settings { max_delay_ms, ..Settings::default() }).as_millis();
        assert_eq!((longest(0), longest(12_000)), (8000, 12_000));
    }

    #[test]
    fn only_live_pipelines_wait() {
        let second = gst::ClockTime::SECOND;
        assert_eq!(answer((false, second, None), 8000), (false, second, None));
        assert_eq!(answer((true, second, None), 8000), (true, 9 * second, None));
        assert_eq!(answer((true, second, Some(2 * second)), 8000), (true, 9 * second, Some(10 * second)));
    }
}
