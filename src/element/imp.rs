//! The element as GStreamer sees it: states, properties and messages; its pads are in `imp/sink.rs` and `imp/source.rs`.

mod sink;
mod source;

use std::{
    sync::{Arc, LazyLock, Mutex, atomic::AtomicBool},
    thread::ThreadId,
    time::Duration,
};

use gst::{
    glib::{self, ParamSpec, Value},
    prelude::*,
    subclass::prelude::*,
};

use super::{
    decoding, errors,
    input::Input,
    latency,
    loader::{Loaded, Loader, Report, Request},
    pushes::Pushes,
    queue::{Audio, Queue},
    settings::{self, ELEMENT_NAME, Settings},
    stats::Stats,
    stopwatch::Stopwatch,
};
use crate::{lock::lock, scheduler::processors};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(ELEMENT_NAME, gst::DebugColorFlags::empty(), Some("Whisper speech-to-text"))
});

/// How long the way to READY waits to see whether the model fails to load. A file that is missing or no model fails within
/// it, and with it the change of state: gst-launch-1.0 up to 1.22 at least misses an ERROR message that is posted between the end
/// of its change of state and the start of its main loop, and would wait for ever.
const LOAD_PATIENCE: Duration = Duration::from_millis(500);

/// The element.
///
/// Each lock is held for a moment and alone, none over a push, a query, a post, a join or an inference, but for the queue's, which who
/// waits for the loader takes within its: so there is no other order to keep among them. The lifetimes they guard, from long to short:
/// `settings` lives with the element, `loader`'s model until another one is wanted, `stats` from NULL to NULL, `input`, `queue` and `pushes`
/// from flush to flush. What the task itself keeps of a stream (`Transcription`) belongs to its closure and needs no lock.
pub struct WhisperNpu {
    sinkpad: gst::Pad,
    srcpad: gst::Pad,
    unsynced_srcpad: gst::Pad,
    settings: Mutex<Settings>,
    /// The latency that a live stretch of audio is being cut for, which is answered until it ends.
    held_latency_ms: Mutex<Option<u32>>,
    loader: Arc<Loader>,
    stats: Mutex<Stats>,
    input: Mutex<Input>,
    queue: Queue,
    pushes: Mutex<Pushes>,
    /// The thread of the source pad's task, to know when it is itself the one who flushes.
    task_thread: Mutex<Option<ThreadId>>,
    /// An ERROR message of this stream is on the bus already.
    is_reported: AtomicBool,
    /// What `now` is without a clock.
    stopwatch: Mutex<Stopwatch>,
}

impl WhisperNpu {
    /// The settings as they are now, but for what a stretch of audio that has begun keeps.
    pub(super) fn settings(&self) -> Settings {
        let settings = lock(&self.settings).clone();
        let latency_ms = lock(&self.held_latency_ms).unwrap_or(settings.latency_ms);
        Settings { latency_ms, ..settings }
    }

    /// A live stretch of audio begins and keeps this latency, or has ended.
    pub(super) fn hold_latency(&self, latency_ms: Option<u32>) {
        let before_ms = self.settings().latency_ms;
        *lock(&self.held_latency_ms) = latency_ms;
        if self.settings().latency_ms != before_ms {
            self.tell_latency();
        }
    }

    fn tell_latency(&self) {
        let _ = self.obj().post_message(gst::message::Latency::builder().src(&*self.obj()).build());
    }

    /// The running time while it passes: in PAUSED it stands, whereas the clock runs on.
    pub(super) fn running_time(&self) -> Option<gst::ClockTime> {
        self.obj().current_running_time().filter(|_| self.obj().current_state() == gst::State::Playing)
    }

    /// What delays are counted by: the running time, or, where nobody has a clock, how long the element has played.
    pub(super) fn now(&self) -> Option<gst::ClockTime> {
        if self.obj().clock().is_some() {
            return self.running_time();
        }
        lock(&self.stopwatch).time().map(latency::clock_time)
    }

    /// What upstream says of its latency: whether it is live, and the least and the most of it.
    pub(super) fn ask_upstream(&self) -> Option<(bool, gst::ClockTime, Option<gst::ClockTime>)> {
        let mut query = gst::query::Latency::new();
        self.sinkpad.peer_query(&mut query).then(|| query.result())
    }

    /// What upstream adds to the latency, if it is live.
    pub(super) fn upstream_latency(&self) -> Option<gst::ClockTime> {
        self.ask_upstream().and_then(|(is_live, minimum, _)| is_live.then_some(minimum))
    }

    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What is still held back of a stretch for which nothing has come for long.
    pub(super) fn stop_input(&self) -> Option<Audio> {
        lock(&self.input).stop()
    }

    pub(super) fn sinkpad(&self) -> &gst::Pad {
        &self.sinkpad
    }

    pub(super) fn srcpad(&self) -> &gst::Pad {
        &self.srcpad
    }

    pub(super) fn unsynced_srcpad(&self) -> &gst::Pad {
        &self.unsynced_srcpad
    }

    /// The bus hears that text of audio from `start` on cannot leave before `moved`, where it came late, or its model did.
    pub(super) fn report_moved(&self, start: gst::ClockTime, moved: gst::ClockTime, was_late: bool) {
        let (cause, remedy) = match was_late {
            true => {
                ("came when", "timestamps that go back need a new segment, and audio that comes late a higher latency")
            }
            false => ("waited for the model until", "play when the bus has said that it is loaded; READY loads it"),
        };
        gst::element_imp_warning!(
            self,
            gst::StreamError::Failed,
            ("audio from {start} {cause} the time line was at {moved}, so its text is moved: {remedy}")
        );
    }

    /// Lets downstream take something, and remembers how long it took.
    pub(super) fn push<T>(&self, push: impl FnOnce() -> T) -> T {
        let before = self.now();
        lock(&self.pushes).begin(before);
        let taken = push();
        let after = self.now();
        lock(&self.pushes).end(after);
        taken
    }

    /// How long downstream has held up text since then, if that is most of the time.
    fn held_up_since(&self, arrived: gst::ClockTime) -> Option<Duration> {
        let now = self.now()?;
        let held = lock(&self.pushes).held(arrived, now);
        (held * 2 > Duration::from(now.saturating_sub(arrived))).then_some(held)
    }

    /// The bus hears that samples were not transcribed, which came at this time, the first of them at a PTS, running time and stream
    /// time of `at`, in a live pipeline that fell behind.
    pub(super) fn report_skipped(
        &self,
        samples: u64,
        arrived: Option<gst::ClockTime>,
        at: [Option<gst::ClockTime>; 3],
    ) {
        lock(&self.stats).skipped_samples += samples;
        let duration = gst::ClockTime::SECOND.mul_div_floor(samples, u64::from(latency::SAMPLE_RATE));
        let seconds = samples as f64 / f64::from(latency::SAMPLE_RATE);
        let (reason, remedy) = match arrived.and_then(|arrived| self.held_up_since(arrived)) {
            Some(held) => (
                format!("downstream held up text for {:.1} s", held.as_secs_f64()),
                "put a queue behind the element, before a muxer one without limits",
            ),
            None if self.now().is_none() => ("this element is not in PLAYING".to_owned(), "link it when it plays"),
            None => ("transcription is slower than the audio".to_owned(), "use a smaller model"),
        };
        gst::element_imp_warning!(
            self,
            gst::CoreError::Clock,
            ("{reason}, so {seconds:.1} s of live audio were skipped: {remedy}")
        );
        let [timestamp, running_time, stream_time] = at;
        let message = gst::message::Qos::builder(true)
            .timestamp(timestamp)
            .running_time(running_time)
            .stream_time(stream_time)
            .duration(duration)
            .src(&*self.obj())
            .build();
        let _ = self.obj().post_message(message);
    }

    /// Changes the counters.
    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut lock(&self.stats));
    }

    /// Takes note of how long after its end, a running time, a text leaves.
    pub(super) fn observe_delay(&self, end: gst::ClockTime) {
        let Some(now) = self.running_time() else { return };
        let delay = now.saturating_sub(end);
        let has_grown = {
            let mut stats = lock(&self.stats);
            let has_grown = delay > stats.longest_delay;
            stats.longest_delay = stats.longest_delay.max(delay);
            has_grown
        };
        if has_grown {
            self.obj().notify(settings::MAX_OBSERVED_DELAY);
        }
    }

    /// Wants the model that is set now; the bus hears what becomes of it.
    fn load(&self) {
        let settings = self.settings();
        let request =
            Request { placement: settings.placement(), voice_activity: settings.voice_activity, model: settings.model };
        let (threads, processors) = (request.placement.threads, processors());
        if threads > processors {
            gst::warning!(
                CAT,
                imp = self,
                "threads is {threads}, but no more are started than processors: {processors}"
            );
        }
        let weak = self.downgrade();
        self.loader.start(request, move |report| {
            if let Some(element) = weak.upgrade() {
                element.announce(report);
            }
        });
    }

    fn announce(&self, report: Report) {
        let progress = |kind, text: &str| {
            let message = gst::message::Progress::builder(kind, "loading", text).src(&*self.obj()).build();
            let _ = self.obj().post_message(message);
        };
        match report {
            Report::Started => progress(gst::ProgressType::Start, "loading the model"),
            Report::Canceled => progress(gst::ProgressType::Canceled, "the element was stopped"),
            Report::Failed(error) => {
                progress(gst::ProgressType::Error, &error.to_string());
                let _ = errors::report(self, &error.into());
            }
            Report::Loaded { loaded: Loaded { engine, voice }, model, was_loaded } => {
                if !was_loaded {
                    for (stage, origin) in engine.origins() {
                        use gst::DebugLevel::{Info, Warning};
                        let level = if origin.is_not_kept() { Warning } else { Info };
                        gst::log_with_level!(CAT, level, imp = self, "Weights of the {stage}: {origin}");
                    }
                    progress(gst::ProgressType::Complete, "the model is loaded");
                }
                let device = gst::Structure::builder("whispernpu/device")
                    .field("device", engine.device())
                    .field("precision", engine.precision().name())
                    .field("instruction-set", engine.instruction_set())
                    .field("voice-activity", voice.is_some())
                    .field("model", model);
                let fields = engine.devices().iter().map(|(stage, device)| (format!("{stage}-device"), device));
                let device = fields.fold(device, |device, (name, value)| device.field(name, value)).build();
                let message = gst::message::Element::builder(device).src(&*self.obj()).build();
                let _ = self.obj().post_message(message);
                self.obj().notify(settings::ACTIVE_DEVICE);
            }
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for WhisperNpu {
    const NAME: &'static str = "GstWhisperNpu";
    type Type = super::WhisperNpu;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        let template = |name: &str| class.pad_template(name).expect("pad_templates() has all");
        let sinkpad = gst::Pad::builder_from_template(&template("sink"))
            .chain_function(|_, parent, buffer| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |element| element.sink_chain(buffer),
                )
            })
            .event_function(|_, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |element| element.sink_event(event))
            })
            .query_function(|_, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |element| element.sink_query(query))
            })
            .build();
        let srcpad = gst::Pad::builder_from_template(&template("src"))
            .activatemode_function(|_, parent, mode, is_active| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::loggable_error!(CAT, "panic while the source pad was activated")),
                    |element| element.src_activate(mode, is_active),
                )
            })
            .event_function(|_, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |element| element.src_event(event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |element| element.src_query(pad, query))
            })
            .flags(gst::PadFlags::FIXED_CAPS)
            .build();
        let unsynced_srcpad = gst::Pad::builder_from_template(&template("unsynced_src"))
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |element| element.src_query(pad, query))
            })
            .build();
        Self {
            sinkpad,
            srcpad,
            unsynced_srcpad,
            settings: Mutex::default(),
            held_latency_ms: Mutex::default(),
            loader: Arc::default(),
            stats: Mutex::default(),
            input: Mutex::default(),
            queue: Queue::default(),
            pushes: Mutex::default(),
            task_thread: Mutex::default(),
            is_reported: AtomicBool::default(),
            stopwatch: Mutex::default(),
        }
    }
}

impl ObjectImpl for WhisperNpu {
    fn constructed(&self) {
        self.parent_constructed();
        for pad in [&self.sinkpad, &self.srcpad, &self.unsynced_srcpad] {
            self.obj().add_pad(pad).expect("a new element has no pads");
        }
    }

    fn properties() -> &'static [ParamSpec] {
        static PROPERTIES: LazyLock<Vec<ParamSpec>> =
            LazyLock::new(|| [settings::properties(), decoding::properties()].concat());
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &Value, pspec: &ParamSpec) {
        let before_ms = self.settings().latency_ms;
        lock(&self.settings).set(value, pspec);
        gst::info!(CAT, imp = self, "{} is now {value:?}", pspec.name());
        if pspec.name() == settings::LATENESS {
            self.srcpad.set_offset(i64::from(self.settings().lateness_ms) * 1_000_000);
        }
        if self.settings().latency_ms != before_ms {
            self.tell_latency();
        }
    }

    fn property(&self, _id: usize, pspec: &ParamSpec) -> Value {
        match pspec.name() {
            settings::ACTIVE_DEVICE => self.loader.loaded().map(|loaded| loaded.engine.device()).to_value(),
            settings::MAX_OBSERVED_DELAY => {
                u32::try_from(lock(&self.stats).longest_delay.mseconds()).unwrap_or(u32::MAX).to_value()
            }
            settings::STATS => {
                let engine = self.loader.loaded().map(|loaded| loaded.engine);
                let device = engine.as_ref().map(|engine| engine.device());
                let completed = engine.as_ref().and_then(|engine| engine.completed());
                let stats = *lock(&self.stats);
                stats.structure(&self.settings().model, device, completed).to_value()
            }
            _ => lock(&self.settings).value(pspec),
        }
    }
}

impl GstObjectImpl for WhisperNpu {}

impl ElementImpl for WhisperNpu {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Whisper speech-to-text",
                "Text/Audio/Filter",
                "Writes what is said in raw audio as timed text, with OpenAI's Whisper run on this machine",
                "The whispernpu authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let audio = gst_audio::AudioCapsBuilder::new_interleaved()
                .layout_list([gst_audio::AudioLayout::Interleaved, gst_audio::AudioLayout::NonInterleaved])
                .rate_range(1..=settings::HIGHEST_RATE)
                .channels_range(1..=settings::MOST_CHANNELS)
                .build();
            let text = gst::Caps::builder("text/x-raw").field("format", "utf8").build();
            let json = gst::Caps::new_empty_simple("application/x-json");
            [
                ("sink", gst::PadDirection::Sink, audio),
                ("src", gst::PadDirection::Src, text),
                ("unsynced_src", gst::PadDirection::Src, json),
            ]
            .map(|(name, direction, caps)| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps)
                    .expect("name and caps are valid")
            })
            .into()
        });
        &TEMPLATES
    }

    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        gst::debug!(CAT, imp = self, "Changing state: {transition:?}");
        match transition {
            gst::StateChange::NullToReady => {
                *lock(&self.stats) = Stats::default();
                self.load();
                if self.loader.fails_within(LOAD_PATIENCE) {
                    self.loader.stop();
                    return Err(gst::StateChangeError);
                }
            }
            gst::StateChange::PausedToPlaying => lock(&self.stopwatch).start(),
            gst::StateChange::PlayingToPaused => lock(&self.stopwatch).stop(),
            // The parent class joins the streaming threads, which must not wait for the engine or the model then.
            gst::StateChange::PausedToReady => {
                self.queue.flush();
                self.loader.wake();
                // Pads go down one by one, and the one whose task is joined before the one that the task may be blocked on.
                let _ = self.unsynced_srcpad.set_active(false);
            }
            _ => {}
        }
        let success = self.parent_change_state(transition)?;
        match transition {
            gst::StateChange::PausedToReady => *lock(&self.input) = Input::default(),
            gst::StateChange::ReadyToNull => {
                if let Some(report) = self.loader.stop() {
                    self.announce(report);
                }
            }
            _ => {}
        }
        Ok(success)
    }
}
