//! A model on a device: window → encoder → decoder → transcript.

use std::sync::Arc;
use std::time::Instant;

use super::devices::Devices;
use crate::Error;
use crate::decoder::{Batch, Decoder, Decoding, Options};
use crate::device::Origin;
use crate::encoder::{Encoder, EncoderSession};
use crate::mel::{frames_to_encode, normalise};
use crate::model::Model;
use crate::segment::Window;
use crate::transcript::{Timings, WindowTranscript, segments};

/// A model whose stages are prepared.
pub struct Pipeline {
    model: Arc<Model>,
    encoder: Encoder,
    decoder: Decoder,
    device: &'static str,
}

/// The buffers of one worker, which has some windows in hand at a time.
pub struct PipelineSession {
    model: Arc<Model>,
    /// What the encoder sees: (frames, bins).
    mel: Vec<f32>,
    encoder: EncoderSession,
    batch: Batch,
    windows: Vec<Option<Begun>>,
    device: &'static str,
}

/// A window whose states are being decoded.
struct Begun {
    window_samples: usize,
    timings: Timings,
    decoding_since: Instant,
}

impl Pipeline {
    /// Prepares every stage of `model` on its device.
    pub fn new(model: Arc<Model>, devices: &Devices) -> Result<Self, Error> {
        Ok(Self {
            encoder: Encoder::new(&*devices.encoder, &model.config, &model.weights)?,
            decoder: Decoder::new(&*devices.decoder, &model)?,
            device: devices.encoder.name(),
            model,
        })
    }

    /// Where the packed weights of each stage are from.
    pub fn origins(&self) -> [(&'static str, Origin); 2] {
        [("encoder", self.encoder.origin().clone()), ("decoder", self.decoder.origin().clone())]
    }

    /// Allocates the buffers of one worker who decodes at most `lanes` windows at a time.
    pub fn session(&self, lanes: usize) -> PipelineSession {
        PipelineSession {
            model: self.model.clone(),
            mel: Vec::new(),
            encoder: self.encoder.session(),
            batch: Batch::new(self.model.clone(), self.decoder.session(lanes)),
            windows: (0..lanes).map(|_| None).collect(),
            device: self.device,
        }
    }
}

impl PipelineSession {
    /// Takes a window as far as the decoder, in a free lane.
    pub fn begin(&mut self, lane: usize, window: &Window, options: &Options) -> Result<(), Error> {
        let begin = Instant::now();
        self.mel.resize(frames_to_encode(window.length_samples) * self.model.config.mel_bins, 0.0);
        normalise(&window.log_mel, &mut self.mel);
        let states = self.encoder.encode(&self.mel)?;
        let decoding_since = Instant::now();
        self.batch.begin(lane, states, options)?;
        let timings = Timings { encoder: decoding_since - begin, ..Timings::default() };
        self.windows[lane] = Some(Begun { window_samples: window.length_samples, timings, decoding_since });
        Ok(())
    }

    /// Gives up the window in a lane.
    pub fn leave(&mut self, lane: usize) {
        self.batch.leave(lane);
        self.windows[lane] = None;
    }

    /// Writes a token in every lane and gives the windows that are done, with the lanes that they leave.
    ///
    /// Errors: a device fault; all windows are lost.
    pub fn step(&mut self) -> Result<Vec<(usize, WindowTranscript)>, Error> {
        let ended = self.batch.step()?;
        let transcript = |(lane, decoding): (usize, Decoding)| {
            let begun = self.windows[lane].take()?;
            let timings =
                Timings { decoder: begun.decoding_since.elapsed(), tokens: decoding.tokens.len(), ..begun.timings };
            let (segments, consumed_samples) = segments(&decoding, &self.model.vocabulary, begun.window_samples);
            let transcript = WindowTranscript {
                segments,
                consumed_samples,
                language: decoding.language,
                average_log_probability: decoding.average_log_probability,
                no_speech_probability: decoding.no_speech_probability,
                device: self.device,
                timings,
            };
            Some((lane, transcript))
        };
        Ok(ended.into_iter().filter_map(transcript).collect())
    }
}
