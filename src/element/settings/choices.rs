//! The enumerations that GStreamer knows by name, and what they are in the engine.

use gst::glib;

use crate::{
    commit::Policy,
    decoder::Task,
    scheduler::{DeviceChoice, Precision, Stages},
};

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
    /// An AMD XDNA array, emulated.
    #[enum_value(
        name = "An AMD XDNA array, emulated on the processor: the NPU's kernels and program, slowly",
        nick = "npu-emulator"
    )]
    NpuEmulator = 2,
}

/// Stages that run on the array.
#[glib::flags(name = "GstWhisperNpuStages")]
pub enum WhisperNpuStages {
    /// Samples to log-mel.
    #[flags_value(name = "Samples to log-mel spectrogram", nick = "mel")]
    MEL = 1 << 0,
    /// Log-mel to audio states.
    #[flags_value(name = "Spectrogram to audio states", nick = "encoder")]
    ENCODER = 1 << 1,
    /// Audio states to text.
    #[flags_value(name = "Audio states to text", nick = "decoder")]
    DECODER = 1 << 2,
}

impl From<WhisperNpuStages> for Stages {
    fn from(stages: WhisperNpuStages) -> Self {
        Self {
            mel: stages.contains(WhisperNpuStages::MEL),
            encoder: stages.contains(WhisperNpuStages::ENCODER),
            decoder: stages.contains(WhisperNpuStages::DECODER),
        }
    }
}

/// What runs on the array unless it is said.
pub(super) fn default_stages() -> WhisperNpuStages {
    WhisperNpuStages::MEL | WhisperNpuStages::ENCODER
}

/// What the device computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuPrecision")]
#[repr(i32)]
pub enum WhisperNpuPrecision {
    /// The fastest that keeps the word error rate of f32.
    #[default]
    #[enum_value(name = "The fastest that keeps the word error rate of f32", nick = "auto")]
    Auto = 0,
    /// 32-bit floating point.
    #[enum_value(name = "32-bit floating point, the reference", nick = "f32")]
    F32 = 1,
    /// 16-bit floating point with 8 bits of mantissa.
    #[enum_value(name = "bfloat16 operands, sums in f32", nick = "bf16")]
    Bf16 = 2,
    /// 8-bit integers.
    #[enum_value(name = "8-bit integers with scales, sums in 32 bits", nick = "int8")]
    Int8 = 3,
}

/// Whether silence is told from speech before anything is transcribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuVoiceActivity")]
#[repr(i32)]
pub enum WhisperNpuVoiceActivity {
    /// If the detector is installed.
    #[default]
    #[enum_value(
        name = "If the detector's weights are installed; the message whispernpu/device says so",
        nick = "auto"
    )]
    Auto = 0,
    /// Always; without the detector the element fails to start.
    #[enum_value(name = "Always; an error if the detector's weights are not installed", nick = "on")]
    On = 1,
    /// Never.
    #[enum_value(name = "Never; everything is transcribed", nick = "off")]
    Off = 2,
}

/// What a buffer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuGranularity")]
#[repr(i32)]
pub enum WhisperNpuGranularity {
    /// A line of text.
    #[default]
    #[enum_value(name = "A line of text, as subtitles are", nick = "segment")]
    Segment = 0,
    /// A word.
    #[enum_value(name = "A word with its punctuation", nick = "word")]
    Word = 1,
}

/// When text is final in a live pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstWhisperNpuCommitPolicy")]
#[repr(i32)]
pub enum WhisperNpuCommitPolicy {
    /// At pauses, or when the latency asks for it.
    #[default]
    #[enum_value(name = "When the speech pauses, or the latency asks for it: best text", nick = "segment")]
    Segment = 0,
    /// As soon as two transcripts agree.
    #[enum_value(name = "What two transcripts of a growing window agree in", nick = "local-agreement")]
    LocalAgreement = 1,
    /// As soon as the model has heard enough.
    #[enum_value(
        name = "What the model does not look for at the end of what was heard: least delay",
        nick = "align-att"
    )]
    AlignAtt = 2,
}

impl From<WhisperNpuCommitPolicy> for Policy {
    fn from(policy: WhisperNpuCommitPolicy) -> Self {
        match policy {
            WhisperNpuCommitPolicy::Segment => Self::Segment,
            WhisperNpuCommitPolicy::LocalAgreement => Self::LocalAgreement,
            WhisperNpuCommitPolicy::AlignAtt => Self::AlignAtt,
        }
    }
}

impl From<WhisperNpuPrecision> for Option<Precision> {
    fn from(precision: WhisperNpuPrecision) -> Self {
        match precision {
            WhisperNpuPrecision::Auto => None,
            WhisperNpuPrecision::F32 => Some(Precision::F32),
            WhisperNpuPrecision::Bf16 => Some(Precision::Bf16),
            WhisperNpuPrecision::Int8 => Some(Precision::Int8),
        }
    }
}

impl From<WhisperNpuDevice> for DeviceChoice {
    fn from(device: WhisperNpuDevice) -> Self {
        match device {
            WhisperNpuDevice::Auto => Self::Auto,
            WhisperNpuDevice::Cpu => Self::Cpu,
            WhisperNpuDevice::NpuEmulator => Self::NpuEmulator,
        }
    }
}

impl From<WhisperNpuTask> for Task {
    fn from(task: WhisperNpuTask) -> Self {
        match task {
            WhisperNpuTask::Transcribe => Self::Transcribe,
            WhisperNpuTask::Translate => Self::Translate,
        }
    }
}
