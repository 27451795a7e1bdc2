//! The log-mel front end on a device.

use std::sync::Arc;

use super::{FRAME_SAMPLES, HOP_SAMPLES, Spectrogram, filter_bank};
use crate::device::{
    Device, DeviceError, Extent, Operation, Prepared, Procedure, Program, Rows, Session, Tensors, Value,
};

/// Frames that are computed at a time: their samples stay in a processor's second-level cache.
pub(super) const FRAMES_AT_A_TIME: usize = 256;

/// The front end, shared by every stream.
pub struct FrontEnd {
    prepared: Arc<dyn Prepared>,
    samples: Value,
    mel: Value,
    run: Procedure,
    bins: usize,
}

/// The buffers of one stream.
pub(super) struct Frames {
    session: Box<dyn Session>,
    samples: Value,
    mel: Value,
    run: Procedure,
    pub bins: usize,
}

impl FrontEnd {
    /// Prepares a front end of `bins` mel bins.
    pub fn new(device: &dyn Device, bins: usize) -> Result<Self, DeviceError> {
        let mut program = Program::default();
        let samples = (FRAMES_AT_A_TIME - 1) * HOP_SAMPLES + FRAME_SAMPLES;
        let samples = program.value("samples", Rows::Fixed(samples), 1);
        let mel = program.value("mel", Rows::Step(FRAMES_AT_A_TIME), bins);
        let run = program.procedure(vec![Operation::LogMel {
            samples,
            mel,
            filters: filter_bank(bins).into(),
            window_samples: FRAME_SAMPLES,
            hop_samples: HOP_SAMPLES,
        }]);
        Ok(Self { prepared: device.prepare(&program, &NoTensors)?, samples, mel, run, bins })
    }

    /// The spectrogram of a stream of which nothing was heard.
    pub fn spectrogram(&self) -> Spectrogram {
        let Self { samples, mel, run, bins, .. } = *self;
        Spectrogram::new(Frames { session: self.prepared.session(1), samples, mel, run, bins })
    }
}

impl Frames {
    /// Appends the logarithms (frames, bins) of all frames that `samples` has whole, the first of which begins with it; answers
    /// how many those are.
    pub fn extend(&mut self, mel: &mut Vec<f32>, samples: &[f32]) -> Result<usize, DeviceError> {
        let frames = (samples.len() + HOP_SAMPLES).saturating_sub(FRAME_SAMPLES) / HOP_SAMPLES;
        for first in (0..frames).step_by(FRAMES_AT_A_TIME) {
            let rows = FRAMES_AT_A_TIME.min(frames - first);
            let samples = &samples[first * HOP_SAMPLES..][..(rows - 1) * HOP_SAMPLES + FRAME_SAMPLES];
            self.session.write(self.samples, samples);
            self.session.run(self.run, &[Extent::new(0, rows, 0)])?;
            mel.extend_from_slice(&self.session.read(self.mel)[..rows * self.bins]);
        }
        Ok(frames)
    }
}

/// The front end has constants and no weights.
struct NoTensors;

impl Tensors for NoTensors {
    fn tensor(&self, name: &str) -> Result<crate::device::TensorView<'_>, DeviceError> {
        Err(DeviceError::MissingTensor { name: name.into() })
    }
}
