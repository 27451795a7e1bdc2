//! Counters that a user may read at any time.

use std::time::Duration;

use super::latency::SAMPLE_RATE;
use crate::scheduler::Completed;

/// Counters since the element left NULL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stats {
    /// Windows transcribed.
    pub windows: u64,
    /// Those of them for which there was no time for all that was asked for.
    pub hasty_windows: u64,
    /// Text buffers pushed.
    pub cues: u64,
    /// Samples at 16 kHz taken in.
    pub heard_samples: u64,
    /// Samples at 16 kHz dropped because a live pipeline fell behind.
    pub skipped_samples: u64,
    /// Samples that were no finite number.
    pub damaged_samples: u64,
    /// Longest time from the end of what a text says to the moment it left, in a live pipeline.
    pub longest_delay: gst::ClockTime,
    /// Time that encoder and decoder took for them.
    pub inference: Duration,
}

impl Stats {
    /// The value of the property `stats`; `array` is what the engine's array has completed.
    pub fn structure(&self, model: &str, device: Option<&str>, array: Option<Completed>) -> gst::Structure {
        let array = array.unwrap_or_default();
        gst::Structure::builder("whispernpu-stats")
            .field("windows", self.windows)
            .field("hasty-windows", self.hasty_windows)
            .field("cues", self.cues)
            .field("audio-seconds", seconds(self.heard_samples))
            .field("skipped-seconds", seconds(self.skipped_samples))
            .field("inference-seconds", self.inference.as_secs_f64())
            .field("damaged-samples", self.damaged_samples)
            .field("model", model)
            .field("device", device)
            .field("npu-launches", array.launches)
            .field("npu-kernel-calls", array.kernel_calls)
            .field("npu-predicted-seconds", array.predicted_seconds)
            .build()
    }
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}
