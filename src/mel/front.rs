//! The log-mel front end on a device.

use std::sync::Arc;

use super::{FRAME_SAMPLES, HOP_SAMPLES, WINDOW_FRAMES, WINDOW_SAMPLES, filter_bank};
use crate::device::{
    Device, DeviceError, Extent, Operation, Prepared, Procedure, Program, Rows, Session, Tensors, Value,
};

/// The front end, shared by every window.
pub struct FrontEnd {
    prepared: Arc<dyn Prepared>,
    samples: Value,
    mel: Value,
    run: Procedure,
}

/// Buffers that turn one window after another into a spectrogram.
pub struct Spectrogram {
    session: Box<dyn Session>,
    samples: Value,
    mel: Value,
    run: Procedure,
    padded: Vec<f32>,
}

impl FrontEnd {
    /// Prepares a front end of `bins` mel bins.
    pub fn new(device: &dyn Device, bins: usize) -> Result<Self, DeviceError> {
        let mut program = Program::default();
        let samples = program.value("samples", Rows::Fixed(WINDOW_SAMPLES), 1);
        let mel = program.value("mel", Rows::Fixed(WINDOW_FRAMES), bins);
        let run = program.procedure(vec![Operation::LogMel {
            samples,
            mel,
            filters: filter_bank(bins).into(),
            window_samples: FRAME_SAMPLES,
            hop_samples: HOP_SAMPLES,
        }]);
        Ok(Self { prepared: device.prepare(&program, &NoTensors)?, samples, mel, run })
    }

    /// Allocates the buffers of one user.
    pub fn session(&self) -> Spectrogram {
        let session = self.prepared.session(1);
        Spectrogram { session, samples: self.samples, mel: self.mel, run: self.run, padded: vec![0.0; WINDOW_SAMPLES] }
    }
}

impl Spectrogram {
    /// The log-mel spectrogram (WINDOW_FRAMES, bins), time-major, of at most WINDOW_SAMPLES samples; the window is filled
    /// up with silence before anything is computed, as `pad_or_trim` does in openai/whisper `audio.py`.
    pub fn of(&mut self, samples: &[f32]) -> Result<&[f32], DeviceError> {
        let samples = &samples[..samples.len().min(WINDOW_SAMPLES)];
        let (heard, silence) = self.padded.split_at_mut(samples.len());
        heard.copy_from_slice(samples);
        silence.fill(0.0);
        self.session.write(self.samples, &self.padded);
        self.session.run(self.run, &[Extent::default()])?;
        Ok(self.session.read(self.mel))
    }
}

/// The front end has constants and no weights.
struct NoTensors;

impl Tensors for NoTensors {
    fn tensor(&self, name: &str) -> Result<crate::device::TensorView<'_>, DeviceError> {
        Err(DeviceError::MissingTensor { name: name.into() })
    }
}
