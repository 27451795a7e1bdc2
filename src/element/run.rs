//! A stretch of audio on its way to text.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use gst::ClockTime;

use super::{
    imp::WhisperNpu,
    lag::{Effort, Lag},
    latency::{self, clock_time},
    loader::Loaded,
    position,
    queue::Audio,
    settings::Settings,
    watch::{self, Watch},
};
use crate::{
    Error,
    decoder::{Language, Options, Task},
    scheduler::Ticket,
    stream::Stream,
    transcript::WindowTranscript,
};

/// How often a wait looks at the clock.
const LOOK: Duration = Duration::from_millis(20);

/// A stretch of audio without holes.
pub(super) struct Run {
    pub number: u64,
    pub anchor: ClockTime,
    /// Where the stream starts within the stretch.
    pub start_samples: u64,
    pub heard_samples: u64,
    pub is_live: bool,
    /// What ends a line.
    pub pause: Duration,
    pub stream: Stream,
    /// Windows in the engine, in the order in which their text is pushed.
    pub windows: VecDeque<InFlight>,
    pub lag: Lag,
    /// What was told last of the text that may change.
    pub tail: String,
    /// Whether something was said since the speech paused.
    pub is_open: bool,
    /// What the last window was asked for.
    pub asked: Option<(Language, Task)>,
}

/// A window in the engine.
pub(super) struct InFlight {
    pub place: u64,
    pub samples: usize,
    pub ticket: Ticket,
    pub since: Instant,
    pub effort: Effort,
    /// Probability of its language, if that was detected before.
    pub language_probability: Option<f32>,
}

impl Run {
    /// A stretch that begins with this, in a segment of this rate.
    pub fn new(audio: &Audio, rate: f64, settings: &Settings, loaded: &Loaded) -> Self {
        let limits = latency::limits(audio.is_live, rate, settings);
        let Loaded { engine, voice } = loaded;
        Self {
            number: audio.run,
            anchor: audio.anchor,
            start_samples: audio.start_samples,
            heard_samples: 0,
            is_live: audio.is_live,
            pause: latency::pause(&limits),
            stream: Stream::new(limits, settings.commit_policy.into(), voice.as_ref(), engine.spectrogram()),
            windows: VecDeque::new(),
            lag: Lag::default(),
            tail: String::new(),
            is_open: false,
            asked: None,
        }
    }

    /// The PTS of a place.
    pub fn time(&self, samples: u64) -> ClockTime {
        position::time(self.anchor, self.start_samples + samples)
    }

    /// Text that is asked for in another language than that of the last window does not go on from it.
    pub fn ask(&mut self, options: &Options) {
        let asked = Some((options.language.clone(), options.task));
        if self.asked.is_some() && self.asked != asked {
            self.stream.forget_prefix();
        }
        self.asked = asked;
    }

    /// What there is time for in a window of what was heard.
    pub fn effort(&self, element: &WhisperNpu, settings: &Settings) -> Effort {
        let Some(now) = element.now().filter(|_| self.is_live) else { return Effort::Full };
        let slack = latency::longest_delay(settings).saturating_sub(latency::listening(settings.latency_ms));
        let effort = self.lag.effort(self.heard_samples, now, slack);
        let latency = latency::own_latency(settings.latency_ms);
        let is_late = !self.lag.has_time(self.stream.position_samples(), now, latency);
        effort.max(if is_late { Effort::Whole } else { Effort::Full })
    }

    /// Whether a live source has stopped. Where it did within a word the word may yet come, so that is waited for as long as what is not
    /// final can still be there within the latency.
    pub fn is_over(&self, watch: &Watch, now: Option<ClockTime>, latency_ms: u32) -> bool {
        let Some(soon) = now.filter(|_| self.is_live).map(|now| now.saturating_add(clock_time(watch::LOOK))) else {
            return false;
        };
        let most = latency::listening(latency_ms);
        let has_time = self.lag.has_time(self.stream.position_samples(), soon, latency::own_latency(latency_ms));
        let pause = if has_time && self.stream.ends_in_voice() { most } else { self.pause };
        watch.is_over(now, pause, most) || !has_time && watch.has_waited(now, self.pause.min(most))
    }

    /// Whether it goes on with this.
    pub fn is_followed_by(&self, audio: &Audio) -> bool {
        self.number == audio.run && self.start_samples + self.heard_samples == audio.start_samples
    }
}

impl InFlight {
    /// Waits for its transcript, until this time if it has to be there by then, and gives it up.
    pub fn wait(&self, element: &WhisperNpu, deadline: Option<ClockTime>) -> Option<Result<WindowTranscript, Error>> {
        loop {
            if let Some(result) = self.ticket.wait_for(LOOK) {
                return Some(result);
            }
            if deadline.zip(element.now()).is_some_and(|(deadline, now)| now > deadline) {
                self.ticket.canceller().cancel();
                return None;
            }
        }
    }
}

/// What windows that grow are decoded with: when their words are said tells which are final, and what was said before is in them.
pub(super) fn growing(options: Options) -> Options {
    Options { words: true, conditions_on_previous: false, previous: Vec::new(), ..options }
}
