//! Threads that share one piece of work after another with little ado.
//!
//! A decoder's step is some fifty pieces of a few microseconds each, which a general pool's wake-ups would outweigh. Between
//! pieces the helpers look for the next one for [`PATIENCE`] and then sleep, so an idle device costs nothing.
#![allow(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::device::DeviceError;
use crate::lock::lock;

/// How long a helper looks for work before it sleeps: longer than the serial stretches within a decoder's step, and much
/// shorter than the time between windows of a live stream.
const PATIENCE: Duration = Duration::from_micros(150);
/// Looks between two readings of the clock.
const LOOKS: u32 = 64;

/// The calling thread and its helpers.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// Held by the one whose work is being shared.
    turn: Mutex<()>,
}

/// A piece of work: a function of the task's index and of the worker's.
type Work<'a> = &'a (dyn Fn(usize, usize) + Sync + 'a);

struct Shared {
    /// Number of the piece in the high half, tasks that nobody took yet in the low half.
    state: AtomicU64,
    /// The piece's function; valid while a task of it is taken and not done.
    work: AtomicPtr<Work<'static>>,
    /// Tasks of the piece that are not done.
    pending: AtomicU32,
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
    sleepers: Vec<Sleeper>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

/// Processors that this process may use.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get())
}

impl Team {
    /// Starts `threads` − 1 helpers; 0 stands for one thread for each processor, and more than that are no more.
    ///
    /// Each piece of work wakes all helpers, and they look for the next one for a while: more of them than processors keep each
    /// other, and the caller, from these.
    pub fn new(threads: usize) -> Result<Self, DeviceError> {
        let processors = processors();
        Self::of(if threads == 0 { processors } else { threads.min(processors) })
    }

    /// Starts `threads` − 1 helpers, however many processors there are.
    fn of(threads: usize) -> Result<Self, DeviceError> {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            work: AtomicPtr::new(std::ptr::null_mut()),
            pending: AtomicU32::new(0),
            panicked: Mutex::default(),
            sleepers: (1..threads).map(|_| Sleeper::default()).collect(),
            closed: AtomicBool::new(false),
        });
        let mut team = Self { shared, helpers: Vec::new(), turn: Mutex::default() };
        for worker in 1..threads {
            let shared = team.shared.clone();
            let helper = thread::Builder::new()
                .name(format!("whispernpu-cpu{worker}"))
                .spawn(move || shared.help(worker))
                .map_err(|error| DeviceError::Threads { reason: error.to_string() })?;
            *lock(&team.shared.sleepers[worker - 1].thread) = Some(helper.thread().clone());
            team.helpers.push(helper);
        }
        Ok(team)
    }

    /// Threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.shared.sleepers.len() + 1
    }

    /// Runs `work` once for each task below `tasks`, on any of the threads; returns when all are done.
    ///
    /// The second argument is below [`Team::threads`] and no two tasks that run at the same time have the same. If the
    /// helpers are busy with somebody else's work the caller does it alone. A panic of a task is passed on to the caller.
    pub fn run(&self, tasks: usize, work: Work<'_>) {
        let turn = if tasks > 1 && !self.helpers.is_empty() { self.turn.try_lock().ok() } else { None };
        let Some(_turn) = turn else {
            (0..tasks).for_each(|task| work(task, 0));
            return;
        };
        let shared = &*self.shared;
        let mut work = work;
        // SAFETY: only the lifetime changes. A helper uses the reference after it took a task and before it counts that task
        // as done, and this function returns only when all tasks are done.
        let work: *mut Work<'static> = unsafe { std::mem::transmute::<&mut Work<'_>, &mut Work<'static>>(&mut work) };
        let tasks = u32::try_from(tasks).expect("a piece of work has fewer than 2³² tasks");
        shared.work.store(work, Ordering::Relaxed);
        shared.pending.store(tasks, Ordering::Relaxed);
        let piece = (shared.state.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        shared.state.store(piece << 32 | u64::from(tasks), Ordering::Release);
        shared.wake();
        while shared.take(0) {}
        let mut looks = 0_u32;
        while shared.pending.load(Ordering::Acquire) > 0 {
            looks += 1;
            // A helper that was preempted in its task may need this very processor.
            if looks > 1 << 14 { thread::yield_now() } else { std::hint::spin_loop() }
        }
        if let Some(panic) = lock(&shared.panicked).take() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.wake();
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            // A helper's own panics were passed on where they happened.
            let _ = helper.join();
        }
    }
}

impl Shared {
    /// Takes a task and does it; false if there is none.
    fn take(&self, worker: usize) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let left = state & u64::from(u32::MAX);
            if left == 0 {
                return false;
            }
            let work = self.work.load(Ordering::Relaxed);
            match self.state.compare_exchange_weak(state, state - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: the exchange shows that the piece whose function was read is still the current one, and
                    // its caller waits until the task that was just taken is counted as done.
                    let work = unsafe { *work };
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(left as usize - 1, worker))) {
                        lock(&self.panicked).get_or_insert(panic);
                    }
                    self.pending.fetch_sub(1, Ordering::Release);
                    return true;
                }
                Err(now) => state = now,
            }
        }
    }

    fn wake(&self) {
        // Pairs with the fence in `sleep`: either the sleeper sees the work or it is seen asleep here.
        fence(Ordering::SeqCst);
        for sleeper in &self.sleepers {
            if sleeper.asleep.load(Ordering::Relaxed)
                && sleeper.asleep.swap(false, Ordering::Relaxed)
                && let Some(thread) = &*lock(&sleeper.thread)
            {
                thread.unpark();
            }
        }
    }

    fn help(&self, worker: usize) {
        let mut idle_since = Instant::now();
        let mut looks = 0;
        while !self.closed.load(Ordering::Relaxed) {
            if self.take(worker) {
                (idle_since, looks) = (Instant::now(), 0);
                continue;
            }
            std::hint::spin_loop();
            looks += 1;
            if looks % LOOKS == 0 && idle_since.elapsed() > PATIENCE {
                self.sleep(worker);
                (idle_since, looks) = (Instant::now(), 0);
            }
        }
    }

    fn sleep(&self, worker: usize) {
        let sleeper = &self.sleepers[worker - 1];
        sleeper.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let nothing = || self.state.load(Ordering::Relaxed) & u64::from(u32::MAX) == 0;
        while sleeper.asleep.load(Ordering::Relaxed) && nothing() && !self.closed.load(Ordering::Relaxed) {
            thread::park();
        }
        sleeper.asleep.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn count(counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn there_are_no_more_threads_than_processors() {
        assert_eq!(Team::new(0).unwrap().threads(), processors());
        assert_eq!(Team::new(usize::MAX).unwrap().threads(), processors());
        assert_eq!(Team::new(1).unwrap().threads(), 1);
    }

    #[test]
    fn every_task_runs_once_again_and_again() {
        for threads in [1, 2, 5] {
            let team = Team::of(threads).unwrap();
            for round in 0..2000 {
                let tasks = round % 7;
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                team.run(tasks, &|task, worker| {
                    assert!(worker < threads);
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    counts.iter().all(|count| count.load(Ordering::Relaxed) == 1),
                    "{threads} threads, {tasks} tasks"
                );
            }
        }
    }

    #[test]
    fn two_tasks_at_a_time_have_different_workers() {
        let team = Team::of(3).unwrap();
        let busy: Vec<AtomicBool> = (0..3).map(|_| AtomicBool::new(false)).collect();
        team.run(200, &|_, worker| {
            assert!(!busy[worker].swap(true, Ordering::SeqCst));
            thread::sleep(Duration::from_micros(20));
            busy[worker].store(false, Ordering::SeqCst);
        });
    }

    #[test]
    fn helpers_that_sleep_wake_for_work() {
        let team = Team::of(2).unwrap();
        for _ in 0..20 {
            thread::sleep(PATIENCE * 4);
            let met = AtomicUsize::new(0);
            // Neither task ends before both have begun, so the helper must come.
            team.run(2, &|_, _| {
                met.fetch_add(1, Ordering::SeqCst);
                while met.load(Ordering::SeqCst) < 2 {
                    thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn callers_at_the_same_time_all_get_their_work_done() {
        let team = Team::of(2).unwrap();
        let total = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| team.run(3, &|_, _| count(&total))));
            }
        });
        assert_eq!(total.into_inner(), 4 * 500 * 3);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let team = Team::of(2).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| team.run(8, &|task, _| assert!(task != 5, "task five"))));
        assert!(panicked.is_err());
        let done = AtomicUsize::new(0);
        team.run(8, &|_, _| count(&done));
        assert_eq!(done.into_inner(), 8);
    }
}
