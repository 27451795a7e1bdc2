//! The thread that runs windows: as many at a time as there are lanes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::counters::Tally;
use super::queue::{Job, Queue};
use super::{Pipeline, PipelineSession, ScheduleError};
use crate::Error;
use crate::decoder::MOST_LANES;
use crate::transcript::WindowTranscript;

/// A lane is kept free for live windows so long after the last one: other windows may take seconds to leave theirs.
const LIVE_FOR: Duration = Duration::from_secs(60);

/// Takes windows from the queue and leaves transcripts in their slots.
pub struct Worker {
    pipeline: Pipeline,
    queue: Arc<Queue>,
    tally: Arc<Tally>,
    session: Option<PipelineSession>,
    /// The windows in hand, by the lanes that they were begun in.
    jobs: Vec<Option<(Job, Duration)>>,
    /// When a live window was begun last.
    live: Option<Instant>,
}

impl Worker {
    /// A worker with nothing in hand.
    pub fn new(pipeline: Pipeline, queue: Arc<Queue>, tally: Arc<Tally>) -> Self {
        let jobs = (0..MOST_LANES).map(|_| None).collect();
        Self { pipeline, queue, tally, session: None, jobs, live: None }
    }

    /// Works until the queue is closed.
    pub fn run(mut self) {
        while let Some(job) = self.queue.pop() {
            self.begin(0, job);
            while self.jobs.iter().any(Option::is_some) {
                self.fill();
                self.drop_cancelled();
                self.spread();
                self.step();
            }
        }
    }

    /// Takes what waits into free lanes. Beside a window whose text is awaited only one is begun between two steps.
    fn fill(&mut self) {
        let is_awaited = self.jobs.iter().flatten().any(|(job, _)| job.is_live());
        while let Some(session) = &self.session
            && let free = session.free_lanes()
            && let Some(&lane) = free.first()
            && let Some(job) = self.queue.try_pop(free.len(), self.kept())
        {
            self.begin(lane, job);
            if is_awaited {
                return;
            }
        }
    }

    /// Lanes that windows that nobody waits for have to leave.
    fn kept(&self) -> usize {
        usize::from(self.live.is_some_and(|since| since.elapsed() < LIVE_FOR))
    }

    /// Takes a window into a free lane.
    fn begin(&mut self, lane: usize, job: Job) {
        if job.is_live() {
            self.live = Some(Instant::now());
        }
        if job.slot.cancelled().load(Ordering::Relaxed) {
            return self.finish(job, Err(ScheduleError::Cancelled.into()));
        }
        let queued = job.submitted.elapsed();
        let lanes = self.jobs.len();
        let mut session = self.session.take().unwrap_or_else(|| self.pipeline.session(lanes));
        let begun = catch_unwind(AssertUnwindSafe(|| {
            let begun = session.begin(lane, &job.window, &job.options);
            (begun, session)
        }));
        match begun {
            Ok((Ok(()), session)) => {
                self.session = Some(session);
                self.jobs[lane] = Some((job, queued));
            }
            Ok((Err(error), session)) => {
                self.session = Some(session);
                self.finish(job, Err(error));
            }
            Err(panic) => {
                let error: Error = ScheduleError::Panicked { message: message(panic) }.into();
                self.finish(job, Err(error.clone()));
                self.fail_all(&error);
            }
        }
    }

    /// Lanes that no window waits for help those that can use several.
    fn spread(&mut self) {
        let kept = self.kept();
        if let Some(session) = &mut self.session
            && self.queue.is_empty()
        {
            session.spread(kept);
        }
    }

    fn drop_cancelled(&mut self) {
        for lane in 0..self.jobs.len() {
            let is_cancelled = |(job, _): &mut (Job, Duration)| job.slot.cancelled().load(Ordering::Relaxed);
            if let Some((job, _)) = self.jobs[lane].take_if(is_cancelled) {
                if let Some(session) = &mut self.session {
                    session.leave(lane);
                }
                self.finish(job, Err(ScheduleError::Cancelled.into()));
            }
        }
    }

    fn step(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        let stepped = catch_unwind(AssertUnwindSafe(|| {
            let stepped = session.step();
            (stepped, session)
        }));
        match stepped {
            Ok((Ok(done), session)) => {
                self.session = Some(session);
                for (lane, mut transcript) in done {
                    if let Some((job, queued)) = self.jobs[lane].take() {
                        transcript.timings.queue = queued;
                        self.finish(job, Ok(transcript));
                    }
                }
            }
            Ok((Err(error), _)) => self.fail_all(&error),
            Err(panic) => self.fail_all(&ScheduleError::Panicked { message: message(panic) }.into()),
        }
    }

    /// A session that failed is not used again: what its lanes hold is unknown.
    fn fail_all(&mut self, error: &Error) {
        self.session = None;
        for lane in 0..self.jobs.len() {
            if let Some((job, _)) = self.jobs[lane].take() {
                self.finish(job, Err(error.clone()));
            }
        }
    }

    fn finish(&self, job: Job, result: Result<WindowTranscript, Error>) {
        match &result {
            Ok(_) => self.tally.completed(job.window.length_samples),
            Err(Error::Schedule(ScheduleError::Cancelled)) => self.tally.cancelled(),
            Err(_) => self.tally.failed(),
        }
        job.slot.finish(result);
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(|| "panic".into(), |message| (*message).into()),
    }
}
