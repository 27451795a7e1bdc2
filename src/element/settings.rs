//! What a user may set: names, defaults, ranges, and when each may change.

use gst::{
    glib::{self, ParamSpec},
    prelude::*,
};

use super::errors::Fault;
use crate::{
    decoder::{Language, Options, Task},
    scheduler::DeviceChoice,
};

/// The element's factory name, also the prefix of its messages.
pub(super) const ELEMENT_NAME: &str = "whispernpu";

pub(super) const MODEL: &str = "model";
pub(super) const LANGUAGE_CODE: &str = "language-code";
pub(super) const TASK: &str = "task";
pub(super) const DEVICE: &str = "device";
pub(super) const LATENCY: &str = "latency";
pub(super) const ACTIVE_DEVICE: &str = "active-device";
pub(super) const STATS: &str = "stats";

/// GStreamer's converter mixes fewer than 64 channels.
pub(super) const MOST_CHANNELS: i32 = 63;

/// The highest rate of PCM in use, in Hz. The resampler's filter grows with the rate: at the highest that caps can say it
/// would ask for 500 GB.
pub(super) const HIGHEST_RATE: i32 = 768_000;

const DEFAULT_MODEL: &str = "tiny.en";
const DEFAULT_LANGUAGE_CODE: &str = "en";
const DEFAULT_LATENCY_MS: u32 = 8000;

/// What to write down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuTask")]
#[repr(i32)]
pub enum WhisperNpuTask {
    /// The words in the language that is spoken.
    #[default]
    #[enum_value(name = "Write the words in the language that is spoken", nick = "transcribe")]
    Transcribe = 0,
    /// The words in English.
    #[enum_value(name = "Write the words in English (needs a multilingual model)", nick = "translate")]
    Translate = 1,
}

/// Where the model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuDevice")]
#[repr(i32)]
pub enum WhisperNpuDevice {
    /// The fastest device there is.
    #[default]
    #[enum_value(name = "The fastest device there is; active-device says which", nick = "auto")]
    Auto = 0,
    /// The processor.
    #[enum_value(name = "The processor", nick = "cpu")]
    Cpu = 1,
}

impl From<WhisperNpuDevice> for DeviceChoice {
    fn from(device: WhisperNpuDevice) -> Self {
        match device {
            WhisperNpuDevice::Auto => Self::Auto,
            WhisperNpuDevice::Cpu => Self::Cpu,
        }
    }
}

/// The user's settings, as last set.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub model: String,
    pub language_code: String,
    pub task: WhisperNpuTask,
    pub device: WhisperNpuDevice,
    pub latency_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: DEFAULT_MODEL.to_owned(),
            language_code: DEFAULT_LANGUAGE_CODE.to_owned(),
            task: WhisperNpuTask::default(),
            device: WhisperNpuDevice::default(),
            latency_ms: DEFAULT_LATENCY_MS,
        }
    }
}

impl Settings {
    /// What the decoder is asked for, or why `language-code` names no language.
    pub fn options(&self) -> Result<Options, Fault> {
        let language = Language::parse(&self.language_code).map_err(crate::Error::from)?;
        let task = match self.task {
            WhisperNpuTask::Transcribe => Task::Transcribe,
            WhisperNpuTask::Translate => Task::Translate,
        };
        Ok(Options { language, task })
    }

    /// Takes the value of a writable property; a string that is set to NULL falls back to its default.
    pub fn set(&mut self, value: &glib::Value, pspec: &ParamSpec) {
        match pspec.name() {
            MODEL => self.model = string(value, DEFAULT_MODEL),
            LANGUAGE_CODE => self.language_code = string(value, DEFAULT_LANGUAGE_CODE),
            TASK => self.task = value.get().expect("GObject has checked the type"),
            DEVICE => self.device = value.get().expect("GObject has checked the type"),
            LATENCY => self.latency_ms = value.get().expect("GObject has checked the type"),
            name => unreachable!("{name} is not in the property table as writable"),
        }
    }

    /// The value of a writable property.
    pub fn value(&self, pspec: &ParamSpec) -> glib::Value {
        match pspec.name() {
            MODEL => self.model.to_value(),
            LANGUAGE_CODE => self.language_code.to_value(),
            TASK => self.task.to_value(),
            DEVICE => self.device.to_value(),
            LATENCY => self.latency_ms.to_value(),
            name => unreachable!("{name} is not in the property table as writable"),
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
        glib::ParamSpecUInt::builder(LATENCY)
            .nick("Latency")
            .blurb(
                "Longest time from a word to its text in a live pipeline, in milliseconds; windows are cut to keep it, \
                 longer is more accurate. Below 1500 acts as 1500, and above 40000 windows grow no longer. Not used when \
                 the pipeline is not live",
            )
            .default_value(DEFAULT_LATENCY_MS)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder(ACTIVE_DEVICE)
            .nick("Active device")
            .blurb("Device that runs the model; NULL until the model is loaded, which notifies")
            .read_only()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>(STATS)
            .nick("Statistics")
            .blurb(
                "Counters since the element left NULL: windows and cues (count), audio-seconds heard, skipped-seconds not \
                 transcribed because a live pipeline fell behind, inference-seconds spent, damaged-samples (count) that \
                 were no numbers, model, device",
            )
            .read_only()
            .build(),
    ]
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
    fn an_unknown_language_is_kept_and_refused_when_used() {
        let settings = Settings { language_code: "klingon".into(), ..Settings::default() };
        assert!(settings.options().unwrap_err().to_string().contains("klingon"));
    }
}
