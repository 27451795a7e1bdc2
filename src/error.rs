//! The crate's one error: which stage failed, with that stage's own error as its source.

use crate::{
    decoder::DecodeError, device::DeviceError, model::ModelError, scheduler::ScheduleError, segment::voice::VoiceError,
};

/// Anything that can go wrong between a model's path and the text.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The model cannot be found or read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The voice activity detector cannot be found or read.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// The device cannot prepare or run the model.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The decoder was asked for what the model cannot do.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The window was not transcribed.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}
