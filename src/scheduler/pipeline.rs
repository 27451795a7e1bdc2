//! A model on a device: window → encoder → decoder → transcript.

use std::sync::Arc;
use std::time::Instant;

use super::aligner::Aligner;
use super::devices::Devices;
use crate::Error;
use crate::decoder::{Batch, Decoder, Decoding, Growing, Options, POSITION_SAMPLES, Task};
use crate::device::{Device, Origin};
use crate::encoder::{Encoder, EncoderSession};
use crate::mel::{HOP_SAMPLES, normalise, quiet_frames};
use crate::model::{Model, Token};
use crate::segment::{Purpose, Window};
use crate::transcript::{
    Segment, Timings, WindowTranscript, add_words, drop_invented, drop_unfinished, drop_wordless, keep_to_sound,
    segments, text_tokens,
};

/// A model whose stages are prepared.
pub struct Pipeline {
    model: Arc<Model>,
    encoder: Encoder,
    decoder: Decoder,
    processor: Arc<dyn Device>,
    device: &'static str,
}

/// The buffers of one worker, which has some windows in hand at a time.
pub struct PipelineSession {
    model: Arc<Model>,
    /// What the encoder sees: (frames, bins).
    mel: Vec<f32>,
    encoder: EncoderSession,
    batch: Batch,
    /// Where words are timed if the decoder's device cannot.
    aligner: Option<Aligner>,
    windows: Vec<Option<Begun>>,
    device: &'static str,
}

/// A window whose states are being decoded.
struct Begun {
    window_samples: usize,
    /// Whether all of its text is final.
    is_final: bool,
    options: Options,
    /// What an aligner will listen to; empty if there is none or no words are asked for.
    states: Vec<f32>,
    /// Which frames have a voice; empty if nobody listened for one.
    voiced: Vec<bool>,
    /// Which frames are quiet or have no voice, if words are asked for.
    is_quiet: Vec<bool>,
    timings: Timings,
    decoding_since: Instant,
}

impl Pipeline {
    /// Prepares every stage of `model` on its device.
    pub fn new(model: Arc<Model>, devices: &Devices) -> Result<Self, Error> {
        Ok(Self {
            encoder: Encoder::new(&*devices.encoder, &model.config, &model.weights)?,
            decoder: Decoder::new(&*devices.decoder, &model)?,
            processor: devices.processor.clone(),
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
        let batch = Batch::new(self.model.clone(), self.decoder.session(lanes));
        PipelineSession {
            model: self.model.clone(),
            mel: Vec::new(),
            encoder: self.encoder.session(),
            aligner: (!batch.can_align()).then(|| Aligner::new(self.model.clone(), self.processor.clone())),
            batch,
            windows: (0..lanes).map(|_| None).collect(),
            device: self.device,
        }
    }
}

impl PipelineSession {
    /// The lanes that no window has.
    pub fn free_lanes(&self) -> Vec<usize> {
        self.batch.free_lanes()
    }

    /// Gives free lanes, but for `kept` of them, to windows that can use more than they have.
    pub fn spread(&mut self, kept: usize) {
        self.batch.spread(kept);
    }

    /// Takes a window as far as the decoder, in a free lane and as many others as its options ask for.
    pub fn begin(&mut self, lane: usize, window: &Window, options: &Options) -> Result<(), Error> {
        let begin = Instant::now();
        let frames = window.purpose.frames_to_encode(window.length_samples);
        self.mel.resize(frames * self.model.config.mel_bins, 0.0);
        normalise(&window.log_mel, &mut self.mel);
        let is_growing = matches!(window.purpose, Purpose::Draft | Purpose::Close);
        let states = if is_growing {
            self.encoder.extend(&window.stream, &self.mel, window.length_samples / POSITION_SAMPLES)?
        } else {
            self.encoder.encode(&self.mel)?
        };
        let decoding_since = Instant::now();
        self.batch.begin(lane, states, options, window.start_samples)?;
        if is_growing {
            self.batch.grow(lane, Growing { stream: window.stream.clone(), start_samples: window.start_samples });
        }
        let timings = Timings { encoder: decoding_since - begin, ..Timings::default() };
        let states = if options.words && self.aligner.is_some() { states.to_vec() } else { Vec::new() };
        let bins = self.model.config.mel_bins;
        let mut is_quiet = if options.words { quiet_frames(&window.log_mel, bins) } else { Vec::new() };
        is_quiet.iter_mut().zip(&window.voiced).for_each(|(is_quiet, voiced)| *is_quiet |= !voiced);
        let (window_samples, options, voiced) = (window.length_samples, options.clone(), window.voiced.clone());
        let is_final = window.purpose == Purpose::Final;
        self.windows[lane] =
            Some(Begun { window_samples, is_final, options, states, voiced, is_quiet, timings, decoding_since });
        Ok(())
    }

    /// Gives up the window that was begun in a lane.
    pub fn leave(&mut self, lane: usize) {
        self.batch.leave(lane);
        self.windows[lane] = None;
    }

    /// Writes a token in every lane and gives the windows that are done, with the lanes that they were begun in.
    ///
    /// Errors: a device fault; all windows are lost.
    pub fn step(&mut self) -> Result<Vec<(usize, WindowTranscript)>, Error> {
        let ended = self.batch.step()?;
        let mut transcripts = Vec::with_capacity(ended.len());
        for (lane, decoding) in ended {
            if let Some(begun) = self.windows[lane].take() {
                transcripts.push((lane, self.transcript(lane, begun, decoding)?));
            }
        }
        Ok(transcripts)
    }

    fn transcript(&mut self, lane: usize, begun: Begun, mut decoding: Decoding) -> Result<WindowTranscript, Error> {
        if begun.is_final {
            drop_unfinished(&mut decoding, &self.model.vocabulary, begun.window_samples);
        }
        let (mut segments, mut consumed_samples) = segments(&decoding, &self.model.vocabulary, begun.window_samples);
        let written = written(&begun.options, &decoding.language);
        let had_signs = drop_wordless(&mut segments);
        let is_cut = drop_invented(&mut segments, &decoding, (&begun.voiced, HOP_SAMPLES), written, &begun.options);
        if segments.is_empty() && is_cut {
            consumed_samples = begun.window_samples;
        }
        if begun.options.words {
            self.add_words(lane, &begun, &decoding.language, &mut segments)?;
        }
        let (decoder, tokens) = (begun.decoding_since.elapsed(), decoding.tokens.len());
        Ok(WindowTranscript {
            written: written.to_owned(),
            is_cut: is_cut || had_signs || segments.is_empty(),
            tokens: decoding.tokens,
            timestamp_begin: self.model.vocabulary.special.timestamp_begin,
            segments,
            consumed_samples,
            language: decoding.language,
            language_probability: decoding.language_probability,
            average_log_probability: decoding.average_log_probability,
            no_speech_probability: decoding.no_speech_probability,
            temperature: decoding.temperature,
            tried_temperature: decoding.tried_temperature,
            device: self.device,
            timings: Timings { decoder, tokens, ..begun.timings },
        })
    }

    /// Words of a text that was written in a lane, in speech of this language.
    fn add_words(&mut self, lane: usize, begun: &Begun, language: &str, segments: &mut [Segment]) -> Result<(), Error> {
        let (vocabulary, window_samples) = (&self.model.vocabulary, begun.window_samples);
        let text: Vec<Token> = segments.iter().flat_map(|segment| text_tokens(segment, vocabulary)).collect();
        let spoken = (language, begun.options.task);
        // A rest of less than a position is no sound that any head looks at; of a shorter window there is no other.
        let heard = (window_samples / POSITION_SAMPLES).clamp(1, self.model.config.audio_positions);
        let spoken_before = begun.options.prefix.iter().filter(|token| **token < vocabulary.special.end_of_text);
        let given = spoken_before.zip(&text).take_while(|(given, token)| given == token).count();
        let text = (text.as_slice(), given);
        let alignment = match &mut self.aligner {
            Some(aligner) => aligner.align(&begun.states, text, spoken, heard)?,
            None => self.batch.align(lane, text, spoken, heard)?,
        };
        add_words(segments, &alignment, vocabulary, written(&begun.options, language), window_samples);
        keep_to_sound(segments, &begun.is_quiet, HOP_SAMPLES);
        Ok(())
    }
}

/// Code of the language in which speech of `language` is written.
fn written<'a>(options: &Options, language: &'a str) -> &'a str {
    if options.task == Task::Translate { "en" } else { language }
}
