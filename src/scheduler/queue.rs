//! The order in which windows run: earliest deadline first, then first come first served.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ScheduleError;
use super::ticket::Slot;
use crate::decoder::Options;
use crate::lock::lock;
use crate::segment::Window;

/// How soon a background window wants to be done, so that live streams go first but do not starve it for ever.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(60);

/// How soon a transcript is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The text is to be shown at this time.
    Live {
        /// When the text is late.
        deadline: Instant,
    },
    /// As soon as nothing is more urgent.
    Background,
}

/// A window that waits for a worker.
pub struct Job {
    pub window: Window,
    pub options: Options,
    pub submitted: Instant,
    pub slot: Arc<Slot>,
    deadline: Instant,
    sequence: u64,
    is_live: bool,
}

/// Windows of all streams.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: BinaryHeap<Job>,
    sequence: u64,
    closed: bool,
}

impl Queue {
    /// Adds a window.
    pub fn push(&self, window: Window, options: Options, urgency: Urgency, slot: Arc<Slot>) {
        let submitted = Instant::now();
        let deadline = match urgency {
            Urgency::Live { deadline } => deadline,
            Urgency::Background => submitted + BACKGROUND_PATIENCE,
        };
        let mut state = self.lock();
        state.sequence += 1;
        let sequence = state.sequence;
        let is_live = matches!(urgency, Urgency::Live { .. });
        state.jobs.push(Job { window, options, submitted, slot, deadline, sequence, is_live });
        drop(state);
        self.filled.notify_one();
    }

    /// The most urgent window, if there is one and it makes do with so many lanes, or, if nobody waits for its text, leaves `kept` of them.
    /// No other goes before it.
    pub fn try_pop(&self, lanes: usize, kept: usize) -> Option<Job> {
        let mut state = self.lock();
        let needed = |job: &Job| job.options.lanes() + if job.is_live { 0 } else { kept };
        let fits = state.jobs.peek().is_some_and(|job| needed(job) <= lanes);
        if fits { state.jobs.pop() } else { None }
    }

    /// Whether no window waits.
    pub fn is_empty(&self) -> bool {
        self.lock().jobs.is_empty()
    }

    /// Waits for the most urgent window; None once the queue is closed.
    pub fn pop(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop() {
                return Some(job);
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives up everything that waits and lets the workers go.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        self.filled.notify_all();
        for job in jobs {
            job.slot.finish(Err(ScheduleError::Cancelled.into()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Job {
    /// Whether somebody waits for its text.
    pub fn is_live(&self) -> bool {
        self.is_live
    }
}

/// The greatest job is the one to run first.
impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.deadline, other.sequence).cmp(&(self.deadline, self.sequence))
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Job {}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queue: &Queue, place: u64, urgency: Urgency) {
        let window = Window { start_samples: place, length_samples: 1, ..Window::default() };
        queue.push(window, Options::default(), urgency, Arc::default());
    }

    #[test]
    fn live_windows_go_first_by_deadline_and_equals_in_order() {
        let (queue, now) = (Queue::default(), Instant::now());
        let live = |seconds| Urgency::Live { deadline: now + Duration::from_secs(seconds) };
        push(&queue, 0, Urgency::Background);
        push(&queue, 1, Urgency::Background);
        push(&queue, 2, live(5));
        push(&queue, 3, live(2));
        push(&queue, 4, live(5));
        push(&queue, 5, live(600));
        let order: Vec<u64> = (0..6).filter_map(|_| queue.pop()).map(|job| job.window.start_samples).collect();
        assert_eq!(order, [3, 2, 4, 0, 1, 5]);
    }

    #[test]
    fn a_window_waits_for_its_lanes_and_is_not_overtaken() {
        let queue = Queue::default();
        let push = |start_samples, beam_size| {
            let window = Window { start_samples, length_samples: 1, ..Window::default() };
            let options = Options { beam_size, ..Options::default() };
            queue.push(window, options, Urgency::Background, Arc::default());
        };
        push(0, 5);
        push(1, 1);
        assert!(queue.try_pop(4, 0).is_none() && !queue.is_empty());
        let place = |lanes| queue.try_pop(lanes, 0).map(|job| job.window.start_samples);
        assert_eq!((place(5), place(0), place(1), place(8)), (Some(0), None, Some(1), None));
        assert!(queue.is_empty());
    }

    #[test]
    fn lanes_that_are_kept_are_for_windows_that_somebody_waits_for() {
        let queue = Queue::default();
        push(&queue, 0, Urgency::Background);
        assert!(queue.try_pop(1, 1).is_none());
        push(&queue, 1, Urgency::Live { deadline: Instant::now() });
        let place = |lanes| queue.try_pop(lanes, 1).map(|job| job.window.start_samples);
        assert_eq!((place(1), place(1), place(2)), (Some(1), None, Some(0)));
    }

    #[test]
    fn a_closed_queue_gives_its_windows_up() {
        let queue = Queue::default();
        let slot = Arc::<Slot>::default();
        let window = Window { start_samples: 0, length_samples: 1, ..Window::default() };
        queue.push(window, Options::default(), Urgency::Background, slot.clone());
        queue.close();
        assert!(queue.pop().is_none());
        assert!(super::super::Ticket::new(slot).wait().is_err());
    }
}
