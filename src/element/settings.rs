//! What a user may set: names, defaults, ranges, and when each may change.

mod choices;

use gst::{
    glib::{self, ParamSpec},
    prelude::*,
};

use choices::default_stages;
pub use choices::{
    WhisperNpuCommitPolicy, WhisperNpuDevice, WhisperNpuGranularity, WhisperNpuPrecision, WhisperNpuStages,
    WhisperNpuTask, WhisperNpuVoiceActivity,
};

use super::{decoding::Decoding, errors::Fault, latency::SAMPLE_RATE};
use crate::{
    decoder::{Language, Options},
    scheduler::Placement,
    segment::voice::Thresholds,
};

/// The element's factory name, also the prefix of its messages.
pub(super) const ELEMENT_NAME: &str = "whispernpu";

pub(super) const MODEL: &str = "model";
pub(super) const LANGUAGE_CODE: &str = "language-code";
pub(super) const TASK: &str = "task";
pub(super) const DEVICE: &str = "device";
pub(super) const PRECISION: &str = "precision";
pub(super) const NPU_STAGES: &str = "npu-stages";
pub(super) const THREADS: &str = "threads";
pub(super) const VOICE_ACTIVITY: &str = "voice-activity";
pub(super) const GRANULARITY: &str = "granularity";
pub(super) const WORD_TIMES: &str = "word-times";
pub(super) const VOICE_ONSET: &str = "voice-onset";
pub(super) const VOICE_OFFSET: &str = "voice-offset";
pub(super) const VOICE_MIN_SPEECH: &str = "voice-min-speech";
pub(super) const VOICE_MIN_SILENCE: &str = "voice-min-silence";
pub(super) const VOICE_PADDING: &str = "voice-padding";
pub(super) const COMMIT_POLICY: &str = "commit-policy";
pub(super) const PARTIALS: &str = "partials";
pub(super) const LATENCY: &str = "latency";
pub(super) const MAX_DELAY: &str = "max-delay";
pub(super) const LATENESS: &str = "lateness";
pub(super) const MAX_OBSERVED_DELAY: &str = "max-observed-delay";
pub(super) const ACTIVE_DEVICE: &str = "active-device";
pub(super) const STATS: &str = "stats";

/// GStreamer's converter mixes fewer than 64 channels.
pub(super) const MOST_CHANNELS: i32 = 63;

/// The highest rate of PCM in use, in Hz. The resampler's filter grows with the rate: at the highest that caps can say it
/// would ask for 500 GB.
pub(super) const HIGHEST_RATE: i32 = 768_000;

/// More threads than this share no window's work usefully.
const MOST_THREADS: u32 = 256;

const DEFAULT_MODEL: &str = "tiny.en";
const DEFAULT_LANGUAGE_CODE: &str = "en";
const DEFAULT_LATENCY_MS: u32 = 8000;
const DEFAULT_MAX_DELAY_MS: u32 = 10_000;

// Those of `Thresholds::default`, which a test compares.
const DEFAULT_VOICE_ONSET: f32 = 0.5;
const DEFAULT_VOICE_OFFSET: f32 = 0.35;
const DEFAULT_VOICE_MIN_SPEECH_MS: u32 = 250;
const DEFAULT_VOICE_MIN_SILENCE_MS: u32 = 100;
const DEFAULT_VOICE_PADDING_MS: u32 = 30;

/// Speech that must last longer, or be padded by more, has nothing to do with voices.
const MOST_VOICE_MS: u32 = 5000;

/// The user's settings, as last set.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub model: String,
    pub language_code: String,
    pub task: WhisperNpuTask,
    pub device: WhisperNpuDevice,
    pub precision: WhisperNpuPrecision,
    pub npu_stages: WhisperNpuStages,
    pub threads: u32,
    pub voice_activity: WhisperNpuVoiceActivity,
    pub voice_onset: f32,
    pub voice_offset: f32,
    pub voice_min_speech_ms: u32,
    pub voice_min_silence_ms: u32,
    pub voice_padding_ms: u32,
    pub granularity: WhisperNpuGranularity,
    pub word_times: bool,
    pub commit_policy: WhisperNpuCommitPolicy,
    pub partials: bool,
    pub latency_ms: u32,
    pub max_delay_ms: u32,
    pub lateness_ms: u32,
    pub decoding: Decoding,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: DEFAULT_MODEL.to_owned(),
            language_code: DEFAULT_LANGUAGE_CODE.to_owned(),
            task: WhisperNpuTask::default(),
            device: WhisperNpuDevice::default(),
            precision: WhisperNpuPrecision::default(),
            npu_stages: default_stages(),
            threads: 0,
            voice_activity: WhisperNpuVoiceActivity::default(),
            voice_onset: DEFAULT_VOICE_ONSET,
            voice_offset: DEFAULT_VOICE_OFFSET,
            voice_min_speech_ms: DEFAULT_VOICE_MIN_SPEECH_MS,
            voice_min_silence_ms: DEFAULT_VOICE_MIN_SILENCE_MS,
            voice_padding_ms: DEFAULT_VOICE_PADDING_MS,
            granularity: WhisperNpuGranularity::default(),
            word_times: false,
            commit_policy: WhisperNpuCommitPolicy::default(),
            partials: false,
            latency_ms: DEFAULT_LATENCY_MS,
            max_delay_ms: DEFAULT_MAX_DELAY_MS,
            lateness_ms: 0,
            decoding: Decoding::default(),
        }
    }
}

impl Settings {
    /// What the decoder is asked for, or why `language-code` names no language.
    pub fn options(&self) -> Result<Options, Fault> {
        let language = Language::parse(&self.language_code).map_err(crate::Error::from)?;
        Ok(Options { language, task: self.task.into(), words: self.wants_words(), ..self.decoding.options()? })
    }

    /// What speech is.
    pub fn voice(&self) -> Thresholds {
        let samples = |milliseconds: u32| u64::from(milliseconds) * u64::from(SAMPLE_RATE) / 1000;
        Thresholds {
            speech: self.voice_onset,
            silence: self.voice_offset.min(self.voice_onset),
            min_speech_samples: samples(self.voice_min_speech_ms),
            min_silence_samples: samples(self.voice_min_silence_ms),
            padding_samples: samples(self.voice_padding_ms),
        }
    }

    /// Whether words are to be timed.
    pub fn wants_words(&self) -> bool {
        self.word_times || self.granularity == WhisperNpuGranularity::Word
    }

    /// Where and how the model runs.
    pub fn placement(&self) -> Placement {
        Placement {
            device: self.device.into(),
            precision: self.precision.into(),
            threads: self.threads as usize,
            stages: self.npu_stages.into(),
        }
    }

    /// Takes the value of a writable property; a string that is set to NULL falls back to its default.
    pub fn set(&mut self, value: &glib::Value, pspec: &ParamSpec) {
        match pspec.name() {
            MODEL => self.model = string(value, DEFAULT_MODEL),
            LANGUAGE_CODE => self.language_code = string(value, DEFAULT_LANGUAGE_CODE),
            TASK => self.task = value.get().expect("GObject has checked the type"),
            DEVICE => self.device = value.get().expect("GObject has checked the type"),
            PRECISION => self.precision = value.get().expect("GObject has checked the type"),
            NPU_STAGES => self.npu_stages = value.get().expect("GObject has checked the type"),
            THREADS => self.threads = value.get().expect("GObject has checked the type"),
            VOICE_ACTIVITY => self.voice_activity = value.get().expect("GObject has checked the type"),
            VOICE_ONSET => self.voice_onset = value.get().expect("GObject has checked the type"),
            VOICE_OFFSET => self.voice_offset = value.get().expect("GObject has checked the type"),
            VOICE_MIN_SPEECH => self.voice_min_speech_ms = value.get().expect("GObject has checked the type"),
            VOICE_MIN_SILENCE => self.voice_min_silence_ms = value.get().expect("GObject has checked the type"),
            VOICE_PADDING => self.voice_padding_ms = value.get().expect("GObject has checked the type"),
            GRANULARITY => self.granularity = value.get().expect("GObject has checked the type"),
            WORD_TIMES => self.word_times = value.get().expect("GObject has checked the type"),
            COMMIT_POLICY => self.commit_policy = value.get().expect("GObject has checked the type"),
            PARTIALS => self.partials = value.get().expect("GObject has checked the type"),
            LATENCY => self.latency_ms = value.get().expect("GObject has checked the type"),
            MAX_DELAY => self.max_delay_ms = value.get().expect("GObject has checked the type"),
            LATENESS => self.lateness_ms = value.get().expect("GObject has checked the type"),
            _ => self.decoding.set(value, pspec),
        }
    }

    /// The value of a writable property.
    pub fn value(&self, pspec: &ParamSpec) -> glib::Value {
        match pspec.name() {
            MODEL => self.model.to_value(),
            LANGUAGE_CODE => self.language_code.to_value(),
            TASK => self.task.to_value(),
            DEVICE => self.device.to_value(),
            PRECISION => self.precision.to_value(),
            NPU_STAGES => self.npu_stages.to_value(),
            THREADS => self.threads.to_value(),
            VOICE_ACTIVITY => self.voice_activity.to_value(),
            VOICE_ONSET => self.voice_onset.to_value(),
            VOICE_OFFSET => self.voice_offset.to_value(),
            VOICE_MIN_SPEECH => self.voice_min_speech_ms.to_value(),
            VOICE_MIN_SILENCE => self.voice_min_silence_ms.to_value(),
            VOICE_PADDING => self.voice_padding_ms.to_value(),
            GRANULARITY => self.granularity.to_value(),
            WORD_TIMES => self.word_times.to_value(),
            COMMIT_POLICY => self.commit_policy.to_value(),
            PARTIALS => self.partials.to_value(),
            LATENCY => self.latency_ms.to_value(),
            MAX_DELAY => self.max_delay_ms.to_value(),
            LATENESS => self.lateness_ms.to_value(),
            _ => self.decoding.value(pspec),
        }
    }
}

/// The property table.
pub(super) fn properties() -> Vec<ParamSpec> {
    vec![
        glib::ParamSpecString::builder(MODEL)
            .nick("Model")
            .blurb(
                "Whisper model: a name (tiny.en, base, large-v3-turbo, ...) looked up in $WHISPERNPU_MODEL_PATH or the \
                 user's model folder, or the path of a file or folder; takes effect on the way from NULL to READY",
            )
            .default_value(DEFAULT_MODEL)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder(LANGUAGE_CODE)
            .nick("Language code")
            .blurb(
                "Language that is spoken, as ISO 639 code (en, de, pt-BR; the region is ignored), or auto to detect it; \
                 takes effect with the next window",
            )
            .default_value(DEFAULT_LANGUAGE_CODE)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder::<WhisperNpuTask>(TASK)
            .nick("Task")
            .blurb("What to write down; takes effect with the next window")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder::<WhisperNpuDevice>(DEVICE)
            .nick("Device")
            .blurb("Where the model runs; takes effect on the way from NULL to READY")
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder::<WhisperNpuPrecision>(PRECISION)
            .nick("Precision")
            .blurb("What the device computes in; takes effect on the way from NULL to READY")
            .mutable_ready()
            .build(),
        glib::ParamSpecFlags::builder::<WhisperNpuStages>(NPU_STAGES)
            .nick("NPU stages")
            .blurb(
                "What the array runs, where the device has one; the rest runs on the processor. Takes effect on the way \
                 from NULL to READY",
            )
            .default_value(default_stages())
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder(THREADS)
            .nick("Threads")
            .blurb(
                "Threads that one inference is spread over, 0 for one for each processor that the process may use, which is \
                 the most; elements with the same model and the same settings share them. Takes effect on the way from NULL to READY",
            )
            .maximum(MOST_THREADS)
            .default_value(0)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder::<WhisperNpuVoiceActivity>(VOICE_ACTIVITY)
            .nick("Voice activity")
            .blurb(
                "Whether speech is told from silence first, so that silence costs nothing and windows end in pauses; takes \
                 effect on the way from NULL to READY",
            )
            .mutable_ready()
            .build(),
        probability(VOICE_ONSET, "Voice onset", DEFAULT_VOICE_ONSET, "Probability of a voice from which on speech begins"),
        probability(
            VOICE_OFFSET,
            "Voice offset",
            DEFAULT_VOICE_OFFSET,
            "Probability of a voice below which speech ends; above voice-onset acts as voice-onset",
        ),
        voice_ms(
            VOICE_MIN_SPEECH,
            "Voice minimum speech",
            DEFAULT_VOICE_MIN_SPEECH_MS,
            "Shorter sounds of a voice are no speech, in milliseconds",
        ),
        voice_ms(
            VOICE_MIN_SILENCE,
            "Voice minimum silence",
            DEFAULT_VOICE_MIN_SILENCE_MS,
            "Shorter silence does not end speech, in milliseconds",
        ),
        voice_ms(
            VOICE_PADDING,
            "Voice padding",
            DEFAULT_VOICE_PADDING_MS,
            "What counts as speech before its onset and behind its end, in milliseconds",
        ),
        glib::ParamSpecEnum::builder::<WhisperNpuGranularity>(GRANULARITY)
            .nick("Granularity")
            .blurb("What a buffer has; takes effect with the next window")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder(WORD_TIMES)
            .nick("Word times")
            .blurb(
                "Whether subtitle events, messages and metas list each word with its time and confidence, which takes \
                 another pass over the text; always so with granularity=word. Takes effect with the next window",
            )
            .default_value(false)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder::<WhisperNpuCommitPolicy>(COMMIT_POLICY)
            .nick("Commit policy")
            .blurb(
                "When text is final in a live pipeline; text that is final never changes. Not used when the pipeline is not live. \
                 Takes effect with the next stretch of audio",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder(PARTIALS)
            .nick("Partials")
            .blurb(
                "Whether, in a live pipeline, subtitle events and messages also tell text that may still change (final=false), \
                 each time it does. Takes effect with the next stretch of audio",
            )
            .default_value(false)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder(LATENCY)
            .nick("Latency")
            .blurb(
                "Longest time from a word to its text in a live pipeline that keeps up, in milliseconds: text is final in time for it, \
                 longer is more accurate. Below 1500 acts as 1500, and above 37000 nobody waits longer. Not used when the \
                 pipeline is not live. Takes effect with the next stretch of audio",
            )
            .default_value(DEFAULT_LATENCY_MS)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder(MAX_DELAY)
            .nick("Maximum delay")
            .blurb(
                "Longest time from a word to its text in a live pipeline that cannot keep up, in milliseconds: partials get rarer \
                 and stop, then windows are decoded in the cheapest way, then audio is skipped, with a GAP, a WARNING and a QoS \
                 message. Less than the latency acts as the latency; no more than a minute of audio ever waits",
            )
            .default_value(DEFAULT_MAX_DELAY_MS)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder(LATENESS)
            .nick("Lateness")
            .blurb("What is added to the running times of all that leaves the source pad, in milliseconds")
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder(MAX_OBSERVED_DELAY)
            .nick("Maximum observed delay")
            .blurb(
                "Longest time from the end of what a text says to the moment it left, in milliseconds, in a live pipeline since \
                 the element left NULL; notifies when it grows",
            )
            .read_only()
            .build(),
        glib::ParamSpecString::builder(ACTIVE_DEVICE)
            .nick("Active device")
            .blurb("Device that runs the model; NULL until the model is loaded, which notifies")
            .read_only()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>(STATS)
            .nick("Statistics")
            .blurb(
                "Counters since the element left NULL: windows, hasty-windows of them that a live pipeline had no time to \
                 decode but greedily, and cues (count), audio-seconds heard, skipped-seconds not transcribed because a live \
                 pipeline fell behind, inference-seconds spent, damaged-samples (count) that were no numbers, model, \
                 device. Of the array, for all elements that share it and since it was configured: npu-launches and \
                 npu-kernel-calls (count) completed, npu-predicted-seconds that silicon is predicted to take for them; 0 \
                 without an array",
            )
            .read_only()
            .build(),
    ]
}

fn probability(name: &str, nick: &str, default: f32, blurb: &str) -> ParamSpec {
    glib::ParamSpecFloat::builder(name)
        .nick(nick)
        .blurb(&format!("{blurb}. Takes effect with the next stretch of audio"))
        .minimum(0.0)
        .maximum(1.0)
        .default_value(default)
        .mutable_playing()
        .build()
}

fn voice_ms(name: &str, nick: &str, default: u32, blurb: &str) -> ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(&format!("{blurb}. Takes effect with the next stretch of audio"))
        .maximum(MOST_VOICE_MS)
        .default_value(default)
        .mutable_playing()
        .build()
}

fn string(value: &glib::Value, default: &str) -> String {
    let given: Option<String> = value.get().expect("GObject has checked the type");
    given.unwrap_or_else(|| default.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_and_auto_are_languages() {
        for (code, language) in
            [("en-US", Language::Code("en".into())), ("de", Language::Code("de".into())), ("auto", Language::Auto)]
        {
            let settings = Settings { language_code: code.into(), ..Settings::default() };
            assert_eq!(settings.options().unwrap().language, language);
        }
    }

    #[test]
    fn speech_is_by_default_what_the_detector_takes_for_it() {
        assert_eq!(Settings::default().voice(), Thresholds::default());
        let settings = Settings { voice_onset: 0.3, voice_min_speech_ms: 100, ..Settings::default() };
        assert_eq!((settings.voice().silence, settings.voice().min_speech_samples), (0.3, 1_600));
    }

    #[test]
    fn an_unknown_language_is_kept_and_refused_when_used() {
        let settings = Settings { language_code: "klingon".into(), ..Settings::default() };
        assert!(settings.options().unwrap_err().to_string().contains("klingon"));
    }
}
