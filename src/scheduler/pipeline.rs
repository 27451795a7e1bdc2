//! A model on a device: window → mel → encoder → decoder → transcript.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::Error;
use crate::decoder::{self, Decoder, DecoderSession, Options};
use crate::device::Device;
use crate::encoder::{Encoder, EncoderSession};
use crate::mel::{FrontEnd, Spectrogram};
use crate::model::Model;
use crate::segment::Window;
use crate::transcript::{Timings, WindowTranscript, segments};

/// A model whose stages are prepared.
pub struct Pipeline {
    model: Arc<Model>,
    front: FrontEnd,
    encoder: Encoder,
    decoder: Decoder,
    device: &'static str,
}

/// The buffers of one worker.
pub struct PipelineSession {
    model: Arc<Model>,
    spectrogram: Spectrogram,
    encoder: EncoderSession,
    decoder: DecoderSession,
    device: &'static str,
}

impl Pipeline {
    /// Prepares every stage of `model` on `device`.
    pub fn new(model: Arc<Model>, device: &dyn Device) -> Result<Self, Error> {
        Ok(Self {
            front: FrontEnd::new(device, model.config.mel_bins)?,
            encoder: Encoder::new(device, &model.config, &model.weights)?,
            decoder: Decoder::new(device, &model.config, &model.weights)?,
            device: device.name(),
            model,
        })
    }

    /// Allocates the buffers of one worker.
    pub fn session(&self) -> PipelineSession {
        PipelineSession {
            model: self.model.clone(),
            spectrogram: self.front.session(),
            encoder: self.encoder.session(),
            decoder: self.decoder.session(1),
            device: self.device,
        }
    }
}

impl PipelineSession {
    /// Transcribes one window.
    pub fn transcribe(
        &mut self,
        window: &Window,
        options: &Options,
        cancelled: &AtomicBool,
    ) -> Result<WindowTranscript, Error> {
        let begin = Instant::now();
        let mel = self.spectrogram.of(&window.samples)?;
        let mel_done = Instant::now();
        let states = self.encoder.encode(mel)?;
        let encoder_done = Instant::now();
        let decoding = decoder::decode(&self.model, &mut self.decoder, states, options, cancelled)?;
        let timings = Timings {
            queue: Default::default(),
            mel: mel_done - begin,
            encoder: encoder_done - mel_done,
            decoder: encoder_done.elapsed(),
            tokens: decoding.tokens.len(),
        };
        let (segments, consumed_samples) = segments(&decoding, &self.model.vocabulary, window.samples.len());
        Ok(WindowTranscript {
            segments,
            consumed_samples,
            language: decoding.language,
            average_log_probability: decoding.average_log_probability,
            no_speech_probability: decoding.no_speech_probability,
            device: self.device,
            timings,
        })
    }
}
