//! What an engine has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers since the engine was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Windows transcribed to the end on the device.
    pub windows: u64,
    /// Samples of these windows, at 16 kHz.
    pub samples: u64,
    /// Windows given up by their streams.
    pub cancelled: u64,
    /// Windows that failed.
    pub failed: u64,
}

/// The counters that workers add to.
#[derive(Debug, Default)]
pub struct Tally {
    windows: AtomicU64,
    samples: AtomicU64,
    cancelled: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub fn completed(&self, samples: usize) {
        self.windows.fetch_add(1, Ordering::Relaxed);
        self.samples.fetch_add(samples as u64, Ordering::Relaxed);
    }

    pub fn cancelled(&self) {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> Counters {
        Counters {
            windows: self.windows.load(Ordering::Relaxed),
            samples: self.samples.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
