//! Log-mel → states: a spectrogram (3000, bins) enters, audio states (1500, width) leave.
//!
//! `program` is the whole network, in the order of the paper (Radford et al., arXiv 2212.04356; `AudioEncoder` in
//! openai/whisper `model.py`); `lane` is what is kept of a window that grows.

mod lane;
mod program;

use std::sync::Arc;

use crate::device::{Device, DeviceError, Extent, Origin, Prepared, Session, Tensors};
use crate::model::Config;
use crate::recent::{COUNT, Owner, Recent};
use lane::Lane;
use program::EncoderProgram;

/// The encoder, prepared once.
pub struct Encoder {
    prepared: Arc<dyn Prepared>,
    program: Arc<EncoderProgram>,
    bins: usize,
    width: usize,
}

/// Buffers that encode one window after another.
pub struct EncoderSession {
    session: Box<dyn Session>,
    program: Arc<EncoderProgram>,
    lanes: Recent<Lane>,
    bins: usize,
    width: usize,
}

impl Encoder {
    /// Prepares the encoder of a model.
    pub fn new(device: &dyn Device, config: &Config, weights: &dyn Tensors) -> Result<Self, DeviceError> {
        let program = program::encoder(config, device.attends_to_kept());
        let prepared = device.prepare(&program.program, weights)?;
        Ok(Self { prepared, program: Arc::new(program), bins: config.mel_bins, width: config.width })
    }

    /// Where the packed weights are from.
    pub fn origin(&self) -> &Origin {
        self.prepared.origin()
    }

    /// Allocates the buffers of one user.
    pub fn session(&self) -> EncoderSession {
        EncoderSession {
            session: self.prepared.session(COUNT),
            program: self.program.clone(),
            lanes: Recent::default(),
            bins: self.bins,
            width: self.width,
        }
    }
}

impl EncoderSession {
    /// Encodes `mel` (2·positions, bins), time-major, to states (positions, width).
    pub fn encode(&mut self, mel: &[f32]) -> Result<&[f32], DeviceError> {
        let rows = mel.len() / self.bins / 2;
        self.session.write(self.program.mel, mel);
        self.session.run(self.program.run, &[Extent::new(0, rows, 0)])?;
        Ok(&self.session.read(self.program.states)[..rows * self.width])
    }

    /// The same for a window that grows, of which the first `heard` positions are not silence that is put behind it. What a stream's
    /// window before had more than 4 s before its end, if this one begins with it, has the states that it had there
    /// (`docs/decisions/growing-windows.md`); the first time, and where the device does not attend to what is kept, all is encoded.
    pub fn extend(&mut self, stream: &Owner, mel: &[f32], heard: usize) -> Result<&[f32], DeviceError> {
        let Some(extending) = &self.program.extending else { return self.encode(mel) };
        let position = 2 * self.bins;
        let rows = mel.len() / position;
        let (index, lane) = self.lanes.of(stream, Lane::forget);
        let first = lane.settled(mel, position);
        // Until all of it is encoded again, the lane holds nothing.
        lane.mel.clear();
        // A row more, which the first one's neighbours are in.
        let before = first.min(1);
        self.session.write(self.program.mel, &mel[(first - before) * position..]);
        self.session.run(extending.open, &[Extent::new(index, rows - first + before, 0)])?;
        let opened = self.session.read(extending.opened)[before * self.width..][..(rows - first) * self.width].to_vec();
        self.session.write(extending.entered, &opened);
        self.session.run(extending.extend, &[Extent::new(index, rows - first, first)])?;
        lane.states.truncate(first * self.width);
        lane.states.extend_from_slice(&self.session.read(self.program.states)[..(rows - first) * self.width]);
        lane.mel.extend_from_slice(&mel[..heard.min(rows) * position]);
        Ok(&lane.states)
    }
}
