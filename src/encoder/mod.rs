//! Log-mel → states: a spectrogram (3000, bins) enters, audio states (1500, width) leave.
//!
//! `program` is the whole network, in the order of the paper (Radford et al., arXiv 2212.04356; `AudioEncoder` in
//! openai/whisper `model.py`).

mod program;

use std::sync::Arc;

use crate::device::{Device, DeviceError, Extent, Origin, Prepared, Procedure, Session, Tensors, Value};
use crate::model::Config;

/// The encoder, prepared once.
pub struct Encoder {
    prepared: Arc<dyn Prepared>,
    mel: Value,
    states: Value,
    run: Procedure,
    bins: usize,
    width: usize,
}

/// Buffers that encode one window after another.
pub struct EncoderSession {
    session: Box<dyn Session>,
    mel: Value,
    states: Value,
    run: Procedure,
    bins: usize,
    width: usize,
}

impl Encoder {
    /// Prepares the encoder of a model.
    pub fn new(device: &dyn Device, config: &Config, weights: &dyn Tensors) -> Result<Self, DeviceError> {
        let encoder = program::encoder(config);
        let prepared = device.prepare(&encoder.program, weights)?;
        let (mel, states, run) = (encoder.mel, encoder.states, encoder.run);
        Ok(Self { prepared, mel, states, run, bins: config.mel_bins, width: config.width })
    }

    /// Where the packed weights are from.
    pub fn origin(&self) -> &Origin {
        self.prepared.origin()
    }

    /// Allocates the buffers of one user.
    pub fn session(&self) -> EncoderSession {
        let Self { mel, states, run, bins, width, .. } = *self;
        EncoderSession { session: self.prepared.session(1), mel, states, run, bins, width }
    }
}

impl EncoderSession {
    /// Encodes `mel` (2·positions, bins), time-major, to states (positions, width).
    pub fn encode(&mut self, mel: &[f32]) -> Result<&[f32], DeviceError> {
        let rows = mel.len() / self.bins / 2;
        self.session.write(self.mel, mel);
        self.session.run(self.run, &[Extent::new(0, rows, 0)])?;
        Ok(&self.session.read(self.states)[..rows * self.width])
    }
}
