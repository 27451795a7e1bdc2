//! The promise of a transcript.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::ScheduleError;
use crate::Error;
use crate::lock::lock;
use crate::transcript::WindowTranscript;

/// A submitted window. Dropping it gives the window up.
#[derive(Debug)]
pub struct Ticket {
    slot: Arc<Slot>,
}

/// Gives a submitted window up from another thread.
#[derive(Clone, Debug)]
pub struct Canceller {
    slot: Arc<Slot>,
}

/// Where a worker leaves the result.
#[derive(Debug, Default)]
pub(super) struct Slot {
    cancelled: AtomicBool,
    result: Mutex<Option<Result<WindowTranscript, Error>>>,
    ready: Condvar,
}

impl Ticket {
    pub(super) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// Whether [`Ticket::wait`] would return at once.
    pub fn is_ready(&self) -> bool {
        lock(&self.slot.result).is_some()
    }

    /// Waits for the transcript. A cancelled window gives [`ScheduleError::Cancelled`] at once.
    pub fn wait(self) -> Result<WindowTranscript, Error> {
        let mut result = lock(&self.slot.result);
        loop {
            if let Some(result) = result.take() {
                return result;
            }
            result = self.slot.ready.wait(result).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the transcript for so long; None if it is not there by then.
    pub fn wait_for(&self, patience: Duration) -> Option<Result<WindowTranscript, Error>> {
        let result = lock(&self.slot.result);
        let waited = self.slot.ready.wait_timeout_while(result, patience, |result| result.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }

    /// A handle that can give the window up while somebody waits for it.
    pub fn canceller(&self) -> Canceller {
        Canceller { slot: self.slot.clone() }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.slot.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Canceller {
    /// Makes `wait` return at once; the worker stops at its next step.
    pub fn cancel(&self) {
        self.slot.cancelled.store(true, Ordering::Relaxed);
        self.slot.finish(Err(ScheduleError::Cancelled.into()));
    }
}

impl Slot {
    pub fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    /// Leaves the result unless there is one.
    pub fn finish(&self, result: Result<WindowTranscript, Error>) {
        lock(&self.result).get_or_insert(result);
        self.ready.notify_all();
    }
}
