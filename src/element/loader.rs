//! The model's life: loaded in the background when the element reaches READY, kept across NULL until another one is wanted.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use super::{queue::Flushing, settings::WhisperNpuVoiceActivity};
use crate::lock::lock;
use crate::{
    Error,
    scheduler::{Engine, Placement, ScheduleError},
    segment::voice::{self, Voice},
};

/// What to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// A name or a path.
    pub model: String,
    /// Device, precision and threads.
    pub placement: Placement,
    /// Whether to listen for voices.
    pub voice_activity: WhisperNpuVoiceActivity,
}

/// What a stream is transcribed with.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// The model on its device.
    pub engine: Arc<Engine>,
    /// What tells speech from silence, if anything does.
    pub voice: Option<Arc<Voice>>,
}

/// What the application is told about loading.
#[derive(Clone, Debug)]
pub(super) enum Report {
    /// Loading has begun.
    Started,
    /// The model is there; `was_loaded` when it has been all along.
    Loaded { loaded: Loaded, model: String, was_loaded: bool },
    /// The model cannot be loaded.
    Failed(Error),
    /// Nobody waits for the model any more.
    Canceled,
}

/// The model's place in the element.
#[derive(Debug, Default)]
pub(super) struct Loader {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    request: Option<Request>,
    /// `None` while it is being loaded.
    result: Option<Result<Loaded, Error>>,
    /// The bus has heard of the result, so that a flow error never comes before its message.
    is_announced: bool,
    /// Numbers the loads, so that one that was overtaken is not taken for the present one.
    load: u64,
    /// The element is in READY or above.
    is_wanted: bool,
}

impl Loader {
    /// Wants this model from now on. What is loaded or being loaded already is kept when it is the same; `report` hears
    /// what happens next, at once or from the loading thread.
    pub fn start(self: &Arc<Self>, request: Request, report: impl Fn(Report) + Clone + Send + 'static) {
        let mut slot = lock(&self.slot);
        slot.is_wanted = true;
        let is_same = slot.request.as_ref() == Some(&request);
        if is_same && let Some(Ok(loaded)) = slot.result.clone() {
            drop(slot);
            return report(Report::Loaded { loaded, model: request.model, was_loaded: true });
        }
        if is_same && slot.result.is_none() {
            drop(slot);
            return report(Report::Started);
        }
        slot.request = Some(request.clone());
        let outdated = slot.result.take();
        slot.is_announced = false;
        slot.load += 1;
        let load = slot.load;
        drop(slot);
        drop(outdated);
        report(Report::Started);

        let spawned = thread::Builder::new().name("whispernpu-load".to_owned()).spawn({
            let (loader, request, report) = (Arc::clone(self), request.clone(), report.clone());
            move || loader.finish(load, &request, open(&request), report)
        });
        if let Err(error) = spawned {
            let reason = error.to_string();
            self.finish(load, &request, Err(ScheduleError::Thread { reason }.into()), report);
        }
    }

    /// The element goes to NULL: a load in progress runs on unheard, its result is kept.
    pub fn stop(&self) -> Option<Report> {
        let mut slot = lock(&self.slot);
        slot.is_wanted = false;
        let is_loading = slot.request.is_some() && slot.result.is_none();
        is_loading.then_some(Report::Canceled)
    }

    /// The loaded model.
    pub fn loaded(&self) -> Option<Loaded> {
        lock(&self.slot).result.as_ref().and_then(|result| result.as_ref().ok()).cloned()
    }

    /// Waits a moment for the model, or until `is_given_up` says so, which is asked again after each `wake`; None if it is not there by
    /// then. The inner result is why the model could not be loaded, which has been reported before.
    pub fn wait(
        &self,
        patience: Duration,
        is_given_up: impl Fn() -> bool,
    ) -> Result<Option<Result<Loaded, Error>>, Flushing> {
        let slot = lock(&self.slot);
        let is_undecided = |slot: &mut Slot| !is_given_up() && (slot.result.is_none() || !slot.is_announced);
        let waited = self.changed.wait_timeout_while(slot, patience, is_undecided);
        let (slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if is_given_up() {
            return Err(Flushing);
        }
        Ok(slot.result.clone().filter(|_| slot.is_announced))
    }

    /// Waits a moment for the model and answers whether it failed to load within it; that has been reported before.
    pub fn fails_within(&self, patience: Duration) -> bool {
        let slot = lock(&self.slot);
        let is_undecided = |slot: &mut Slot| slot.result.is_none() || !slot.is_announced;
        let waited = self.changed.wait_timeout_while(slot, patience, is_undecided);
        let (slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        slot.is_announced && matches!(slot.result, Some(Err(_)))
    }

    /// Makes `wait` ask again whether it is given up.
    pub fn wake(&self) {
        drop(lock(&self.slot));
        self.changed.notify_all();
    }

    fn finish(&self, load: u64, request: &Request, result: Result<Loaded, Error>, report: impl Fn(Report)) {
        let is_wanted = {
            let mut slot = lock(&self.slot);
            if slot.load != load {
                return;
            }
            slot.result = Some(result.clone());
            slot.is_wanted
        };
        if is_wanted {
            report(match result {
                Ok(loaded) => Report::Loaded { loaded, model: request.model.clone(), was_loaded: false },
                Err(error) => Report::Failed(error),
            });
        }
        {
            let mut slot = lock(&self.slot);
            slot.is_announced |= slot.load == load;
        }
        self.changed.notify_all();
    }
}

fn open(request: &Request) -> Result<Loaded, Error> {
    let open = || {
        let voice = match (request.voice_activity, voice::find()) {
            (WhisperNpuVoiceActivity::Off, _) | (WhisperNpuVoiceActivity::Auto, Err(_)) => None,
            (WhisperNpuVoiceActivity::On | WhisperNpuVoiceActivity::Auto, found) => Some(Voice::open(&found?)?),
        };
        Ok(Loaded { engine: Engine::open(&request.model, request.placement)?, voice })
    };
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "loading the model panicked".to_owned());
        Err(ScheduleError::Panicked { message }.into())
    })
}
