//! The only file here that calls the engine: 16 kHz samples go in, cues come out.

use std::sync::Arc;

pub use gstwhispernpu::stream::Cue;
use gstwhispernpu::{
    Error,
    decoder::{Language, Options, Task},
    scheduler::{Engine, Placement, Urgency},
    segment::Limits,
    stream::Stream,
};

/// A model that is ready to transcribe.
pub struct Recogniser {
    engine: Arc<Engine>,
}

impl Recogniser {
    /// Loads a model by path or name.
    pub fn open(model: &str, placement: Placement) -> Result<Self, Error> {
        Ok(Self { engine: Engine::open(model, placement)? })
    }

    /// Whether the model was trained on English alone.
    pub fn is_english_only(&self) -> bool {
        !self.engine.model().vocabulary.is_multilingual()
    }

    /// What is to be done with a recording: `language` is a code or `auto`. An error if the model cannot.
    pub fn options(&self, language: &str, task: Task) -> Result<Options, Error> {
        let options = Options { language: Language::parse(language)?, task };
        self.engine.check(&options)?;
        Ok(options)
    }

    /// Begins a recording.
    pub fn begin(&self, options: Options) -> Transcription<'_> {
        Transcription { engine: &self.engine, options, stream: Stream::new(Limits::default()) }
    }
}

/// A recording on its way through the engine.
pub struct Transcription<'a> {
    engine: &'a Engine,
    options: Options,
    stream: Stream,
}

impl Transcription<'_> {
    /// Takes the next samples and gives the cues that they complete.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Cue>, Error> {
        self.stream.push(samples);
        self.windows()
    }

    /// Gives the remaining cues.
    pub fn finish(mut self) -> Result<Vec<Cue>, Error> {
        self.stream.end();
        self.windows()
    }

    fn windows(&mut self) -> Result<Vec<Cue>, Error> {
        let mut cues = Vec::new();
        while let Some(window) = self.stream.window() {
            let transcript = self.engine.submit(window, self.options.clone(), Urgency::Background).wait()?;
            transcript.settle(&mut self.options);
            cues.extend(self.stream.accept(transcript));
        }
        Ok(cues)
    }
}
