//! How long text may take: window lengths, deadlines and the answer to latency queries.

use std::time::{Duration, Instant};

use crate::{
    scheduler::Urgency,
    segment::{Limits, voice::Thresholds},
};

/// Whisper's sample rate in Hz (`SAMPLE_RATE` in openai/whisper `audio.py`).
pub(super) const SAMPLE_RATE: u32 = 16_000;

/// Whisper makes no words of windows that are much shorter than a second.
const SHORTEST_LATENCY_MS: u32 = 1500;

/// The part of the latency that goes into listening; the rest is for inference.
const LISTENING_NUMERATOR: usize = 3;
const LISTENING_DENOMINATOR: usize = 4;

/// A live window ends at the quietest place of its last quarter, rather than within a word.
const CUT_SEARCH_DENOMINATOR: usize = 4;

/// A pause that ends a window where somebody waits for the text: 0.7 s, longer than those within a sentence.
const LIVE_PAUSE_SAMPLES: usize = 11_200;

/// What the element itself adds in a live pipeline, given the property `latency`.
pub(super) fn own_latency(latency_ms: u32) -> Duration {
    Duration::from_millis(latency_ms.max(SHORTEST_LATENCY_MS).into())
}

/// How windows are cut: as long as Whisper takes where nobody waits, else so that listening takes its part of the latency.
pub(super) fn limits(is_live: bool, latency_ms: u32, voice: Thresholds) -> Limits {
    if !is_live {
        return Limits { voice, ..Limits::default() };
    }
    let latency_samples = own_latency(latency_ms).as_millis() as usize * SAMPLE_RATE as usize / 1000;
    let window_samples =
        (latency_samples / LISTENING_DENOMINATOR * LISTENING_NUMERATOR).min(Limits::default().window_samples);
    Limits {
        window_samples,
        cut_search_samples: window_samples / CUT_SEARCH_DENOMINATOR,
        pause_samples: LIVE_PAUSE_SAMPLES,
        voice,
        ..Limits::default()
    }
}

/// When a window's text should be there, counted from now.
pub(super) fn urgency(is_live: bool, latency_ms: u32) -> Urgency {
    if is_live {
        let inference = own_latency(latency_ms) / LISTENING_DENOMINATOR as u32;
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
    let own = gst::ClockTime::from_mseconds(own_latency(latency_ms).as_millis() as u64);
    (true, minimum.saturating_add(own), maximum.map(|maximum| maximum.saturating_add(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_windows_leave_a_quarter_of_the_latency_for_inference() {
        assert_eq!(limits(true, 8000, Thresholds::default()).window_samples, 6 * 16_000);
        assert_eq!(
            limits(true, 0, Thresholds::default()).window_samples,
            limits(true, 1500, Thresholds::default()).window_samples
        );
        assert_eq!(limits(true, u32::MAX, Thresholds::default()).window_samples, 30 * 16_000);
        assert_eq!(limits(false, 1000, Thresholds::default()).window_samples, 30 * 16_000);
    }

    #[test]
    fn only_live_pipelines_wait() {
        let second = gst::ClockTime::SECOND;
        assert_eq!(answer((false, second, None), 8000), (false, second, None));
        assert_eq!(answer((true, second, None), 8000), (true, 9 * second, None));
        assert_eq!(answer((true, second, Some(2 * second)), 8000), (true, 9 * second, Some(10 * second)));
    }
}
