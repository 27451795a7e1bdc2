//! What was heard and not yet transcribed: upstream's thread puts samples and events in, the source pad's task takes them
//! out, in order.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use gst::{ClockTime, FlowError, FlowSuccess};

use super::latency::SAMPLE_RATE;
use crate::lock::lock;
use crate::scheduler::Canceller;

/// Two windows: enough that the device never waits for samples, little enough to stay small (4 MB).
const BOUND_SAMPLES: usize = 60 * SAMPLE_RATE as usize;

/// A live stream that is too far behind drops this much at once, so that what remains is in one piece.
const SKIP_SAMPLES: usize = 10 * SAMPLE_RATE as usize;

/// Items shorter than this grow instead of being followed by another: some sources send single samples.
const MERGE_SAMPLES: usize = SAMPLE_RATE as usize;

/// Consecutive samples at 16 kHz.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Audio {
    /// Which stretch they belong to; stretches are numbered as they come.
    pub run: u64,
    /// The time of the stretch's first sample.
    pub anchor: ClockTime,
    /// How many samples of the stretch come before these.
    pub start_samples: u64,
    /// Mono, finite.
    pub samples: Vec<f32>,
    /// The most of them that came at a time.
    pub longest_samples: usize,
    /// Nobody upstream waits.
    pub is_live: bool,
    /// The running time at which the first of them came, in a live pipeline.
    pub arrived: Option<ClockTime>,
}

/// One entry of the queue.
#[derive(Debug)]
pub(super) enum Item {
    /// Samples, never none.
    Audio(Audio),
    /// A serialized event.
    Event(gst::Event),
}

impl Item {
    fn event_type(&self) -> Option<gst::EventType> {
        match self {
            Self::Audio(_) => None,
            Self::Event(event) => Some(event.type_()),
        }
    }

    /// What downstream had enough of ends here.
    fn is_new_line(&self) -> bool {
        matches!(self.event_type(), Some(gst::EventType::StreamStart | gst::EventType::Segment))
    }

    /// Whether it stays true when nobody takes what follows.
    fn is_sticky(&self) -> bool {
        self.event_type().is_some_and(|kind| kind.is_sticky() && kind != gst::EventType::Eos)
    }
}

/// The stream is being torn down or flushed: there is nothing to take and nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flushing;

/// The queue between upstream's thread and the task.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    items: VecDeque<Item>,
    audio_samples: usize,
    is_flushing: bool,
    has_eos: bool,
    /// What the task met downstream; upstream gets it with its next buffer.
    outcome: Result<FlowSuccess, FlowError>,
    /// Counts flushes, so that the task notices one that came and went while it pushed.
    generation: u64,
    /// The source pad was linked after the task took its present entry, so that it may have found no peer for it.
    is_relinked: bool,
    /// The windows in the engine, by place.
    windows: Vec<(u64, Canceller)>,
}

impl Default for Queue {
    fn default() -> Self {
        let inner = Inner {
            items: VecDeque::new(),
            audio_samples: 0,
            is_flushing: true,
            has_eos: false,
            outcome: Ok(FlowSuccess::Ok),
            generation: 0,
            is_relinked: false,
            windows: Vec::new(),
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }
}

impl Queue {
    /// Opens the queue, empty.
    pub fn start(&self) {
        let mut inner = lock(&self.inner);
        inner.is_flushing = false;
        inner.has_eos = false;
        inner.outcome = Ok(FlowSuccess::Ok);
    }

    /// Drops everything, wakes both sides and gives up the windows that are in the engine.
    pub fn flush(&self) {
        let (windows, items) = {
            let mut inner = lock(&self.inner);
            inner.is_flushing = true;
            inner.generation += 1;
            inner.audio_samples = 0;
            (std::mem::take(&mut inner.windows), std::mem::take(&mut inner.items))
        };
        self.changed.notify_all();
        for (_, window) in windows {
            window.cancel();
        }
        drop(items);
    }

    /// Appends samples. Where nobody is live it waits for room; a live stream is never kept waiting: its oldest samples are
    /// dropped, and returned.
    pub fn push_audio(&self, audio: Audio) -> Result<Vec<Audio>, FlowError> {
        let mut inner = lock(&self.inner);
        while !audio.is_live && inner.audio_samples >= BOUND_SAMPLES && inner.outcome().is_ok() {
            inner = self.wait(inner, None);
        }
        inner.outcome()?;
        inner.append(audio);
        let dropped = inner.skip();
        drop(inner);
        self.changed.notify_all();
        Ok(dropped)
    }

    /// Appends a serialized event; answers whether the stream still takes it.
    pub fn push_event(&self, event: gst::Event) -> bool {
        let mut inner = lock(&self.inner);
        if inner.is_flushing || inner.has_eos && event.type_() != gst::EventType::StreamStart {
            return false;
        }
        inner.has_eos = event.type_() == gst::EventType::Eos;
        let item = Item::Event(event);
        match inner.outcome {
            Err(FlowError::Eos) if item.is_new_line() => inner.outcome = Ok(FlowSuccess::Ok),
            Err(FlowError::NotLinked) if item.is_sticky() => {}
            Err(_) => return item.is_sticky(),
            Ok(_) => {}
        }
        inner.items.push_back(item);
        drop(inner);
        self.changed.notify_all();
        true
    }

    /// The next entry with the number of the flush it came after; waits for one, and as long as downstream takes none. With patience
    /// there may be no entry: none came for so long, and the stream is not at its end.
    pub fn pop(&self, patience: Option<Duration>) -> Result<(u64, Option<Item>), Flushing> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut inner = lock(&self.inner);
        loop {
            if inner.is_flushing {
                return Err(Flushing);
            }
            if inner.outcome.is_ok()
                && let Some(item) = inner.items.pop_front()
            {
                if let Item::Audio(audio) = &item {
                    inner.audio_samples -= audio.samples.len();
                }
                inner.is_relinked = false;
                let generation = inner.generation;
                drop(inner);
                self.changed.notify_all();
                return Ok((generation, Some(item)));
            }
            let left =
                until.filter(|_| inner.outcome().is_ok()).map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok((inner.generation, None));
            }
            inner = self.wait(inner, left);
        }
    }

    /// Whether a flush has come since this one.
    pub fn is_outdated(&self, generation: u64) -> bool {
        let inner = lock(&self.inner);
        inner.is_flushing || inner.generation != generation
    }

    /// Goes on as long as no flush has come since this one.
    pub fn stay(&self, generation: u64) -> Result<(), FlowError> {
        if self.is_outdated(generation) { Err(FlowError::Flushing) } else { Ok(()) }
    }

    /// Keeps what cancels the window of this place, which is going into the engine.
    pub fn hold(&self, generation: u64, place: u64, window: Canceller) -> Result<(), Flushing> {
        let mut inner = lock(&self.inner);
        if inner.is_flushing || inner.generation != generation {
            return Err(Flushing);
        }
        inner.windows.push((place, window));
        Ok(())
    }

    /// The window of this place has left the engine.
    pub fn release(&self, place: u64) {
        lock(&self.inner).windows.retain(|window| window.0 != place);
    }

    /// Whether nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        lock(&self.inner).items.is_empty()
    }

    /// Whether samples are what is taken next.
    pub fn is_audio_next(&self) -> bool {
        matches!(lock(&self.inner).items.front(), Some(Item::Audio(_)))
    }

    /// What upstream's next buffer will be answered.
    pub fn outcome(&self) -> Result<FlowSuccess, FlowError> {
        lock(&self.inner).outcome()
    }

    /// What downstream answered, whatever has come from upstream since.
    pub fn failure(&self) -> Result<FlowSuccess, FlowError> {
        lock(&self.inner).outcome
    }

    /// Remembers what downstream answered, unless a flush has come since. Answers whether EOS had been taken already, so
    /// that nobody upstream will see it.
    pub fn fail(&self, generation: u64, flow: FlowError) -> Result<bool, Flushing> {
        let mut inner = lock(&self.inner);
        if inner.is_flushing || inner.generation != generation {
            return Err(Flushing);
        }
        match flow {
            FlowError::NotLinked if inner.is_relinked => {}
            FlowError::NotLinked => inner.fail(flow, |item| item.is_sticky()),
            FlowError::Eos => inner.fail_to_new_line(),
            _ => inner.fail(flow, |_| false),
        }
        let is_lost = inner.has_eos && inner.outcome.is_err();
        let windows = std::mem::take(&mut inner.windows);
        drop(inner);
        self.changed.notify_all();
        for (_, window) in windows {
            window.cancel();
        }
        Ok(is_lost)
    }

    /// The source pad was linked: goes on if that is what was missing.
    pub fn relink(&self) {
        let mut inner = lock(&self.inner);
        inner.is_relinked = true;
        if inner.outcome == Err(FlowError::NotLinked) {
            inner.outcome = Ok(FlowSuccess::Ok);
        }
        drop(inner);
        self.changed.notify_all();
    }

    /// Takes no more: what came cannot be understood, which has been reported.
    pub fn refuse(&self, flow: FlowError) {
        lock(&self.inner).outcome = Err(flow);
        self.changed.notify_all();
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>, patience: Option<Duration>) -> MutexGuard<'a, Inner> {
        match patience {
            None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => self.changed.wait_timeout(inner, patience).unwrap_or_else(PoisonError::into_inner).0,
        }
    }
}

impl Inner {
    fn outcome(&self) -> Result<FlowSuccess, FlowError> {
        if self.is_flushing {
            Err(FlowError::Flushing)
        } else if self.has_eos {
            Err(FlowError::Eos)
        } else {
            self.outcome
        }
    }

    fn fail(&mut self, flow: FlowError, is_kept: impl FnMut(&Item) -> bool) {
        self.outcome = Err(flow);
        self.items.retain(is_kept);
        self.audio_samples = 0;
    }

    /// Downstream had enough. Goes on with what it has not seen the beginning of, if that has come already.
    fn fail_to_new_line(&mut self) {
        let is_eos = |item: &Item| item.event_type() == Some(gst::EventType::Eos);
        let Some(next) = self.items.iter().position(|item| is_eos(item) || item.is_new_line()) else {
            return self.fail(FlowError::Eos, |_| false);
        };
        let samples = |item: Item| if let Item::Audio(audio) = item { audio.samples.len() } else { 0 };
        self.audio_samples -= self.items.drain(..next).map(samples).sum::<usize>();
    }

    fn append(&mut self, audio: Audio) {
        self.audio_samples += audio.samples.len();
        if let Some(Item::Audio(last)) = self.items.back_mut()
            && last.samples.len() < MERGE_SAMPLES
            && last.run == audio.run
            && last.start_samples + last.samples.len() as u64 == audio.start_samples
        {
            last.samples.extend_from_slice(&audio.samples);
            last.longest_samples = last.longest_samples.max(audio.longest_samples);
            return;
        }
        self.items.push_back(Item::Audio(audio));
    }

    fn skip(&mut self) -> Vec<Audio> {
        let mut dropped = Vec::new();
        if self.audio_samples <= BOUND_SAMPLES {
            return dropped;
        }
        let mut samples = 0;
        for item in std::mem::take(&mut self.items) {
            match item {
                Item::Audio(audio) if audio.is_live && samples < SKIP_SAMPLES => {
                    samples += audio.samples.len();
                    dropped.push(audio);
                }
                item => self.items.push_back(item),
            }
        }
        self.audio_samples -= samples;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(index: u64, is_live: bool) -> Audio {
        Audio {
            run: 0,
            anchor: ClockTime::ZERO,
            start_samples: index * u64::from(SAMPLE_RATE),
            samples: vec![0.0; SAMPLE_RATE as usize],
            longest_samples: SAMPLE_RATE as usize,
            is_live,
            arrived: None,
        }
    }

    fn open() -> Queue {
        let queue = Queue::default();
        queue.start();
        queue
    }

    #[test]
    fn a_live_stream_skips_its_oldest_samples_instead_of_waiting() {
        let queue = open();
        let skipped = (0..100).flat_map(|index| queue.push_audio(second(index, true)).unwrap());
        let places: Vec<_> = skipped.map(|audio| audio.start_samples / u64::from(SAMPLE_RATE)).collect();
        assert_eq!(places, (0..40).collect::<Vec<_>>());
        let Ok((_, Some(Item::Audio(first)))) = queue.pop(None) else { panic!("no audio") };
        assert_eq!(first.start_samples, 40 * u64::from(SAMPLE_RATE));
    }

    #[test]
    fn a_file_waits_until_there_is_room() {
        let queue = open();
        std::thread::scope(|scope| {
            let write = || (0..100).map(|index| queue.push_audio(second(index, false)).unwrap().len()).sum::<usize>();
            let writer = scope.spawn(write);
            for index in 0..100 {
                let Ok((_, Some(Item::Audio(audio)))) = queue.pop(None) else { panic!("no audio") };
                assert_eq!(audio.start_samples, index * u64::from(SAMPLE_RATE));
            }
            assert_eq!(writer.join().unwrap(), 0);
        });
    }

    #[test]
    fn a_flush_wakes_who_waits() {
        let queue = open();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| queue.pop(None).map(|_| ()));
            queue.flush();
            assert_eq!(reader.join().unwrap(), Err(Flushing));
        });
        assert_eq!(queue.push_audio(second(0, false)), Err(FlowError::Flushing));
    }

    #[test]
    fn who_waits_looks_up_until_the_stream_ends() {
        const MOMENT: Option<Duration> = Some(Duration::from_millis(1));
        let queue = open();
        assert!(matches!(queue.pop(MOMENT), Ok((0, None))));
        lock(&queue.inner).has_eos = true;
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| queue.pop(MOMENT).map(|_| ()));
            std::thread::sleep(Duration::from_millis(20));
            queue.flush();
            assert_eq!(reader.join().unwrap(), Err(Flushing));
        });
    }

    #[test]
    fn single_samples_are_put_together() {
        let queue = open();
        for index in 0..100 {
            let audio =
                Audio { start_samples: index, longest_samples: 1, samples: vec![index as f32], ..second(0, false) };
            queue.push_audio(audio).unwrap();
        }
        let Ok((_, Some(Item::Audio(audio)))) = queue.pop(None) else { panic!("no audio") };
        assert_eq!(audio.longest_samples, 1, "how they came is known still");
        assert_eq!(audio.samples, (0..100).map(|index| index as f32).collect::<Vec<_>>());
    }
}
