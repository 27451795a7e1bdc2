//! The only file here that calls the engine: 16 kHz samples go in, cues come out.

use std::collections::VecDeque;
use std::sync::Arc;

pub use gstwhispernpu::stream::Cue;
use gstwhispernpu::{
    Error,
    commit::Policy,
    decoder::{Language, Options},
    scheduler::{Engine, Placement, Ticket, Urgency},
    segment::Limits,
    segment::voice::{self, Voice},
    stream::Stream,
};

/// A model that is ready to transcribe.
pub struct Recogniser {
    engine: Arc<Engine>,
    voice: Option<Arc<Voice>>,
}

impl Recogniser {
    /// Loads a model by path or name.
    pub fn open(model: &str, placement: Placement) -> Result<Self, Error> {
        Ok(Self { voice: Self::voice()?, ..Self::deaf_to_voice(model, placement)? })
    }

    /// Loads a model that is given silence as well as speech.
    pub fn deaf_to_voice(model: &str, placement: Placement) -> Result<Self, Error> {
        Ok(Self { engine: Engine::open(model, placement)?, voice: None })
    }

    fn voice() -> Result<Option<Arc<Voice>>, Error> {
        match voice::find() {
            Ok(path) => Ok(Some(Voice::open(&path)?)),
            Err(error) => {
                eprintln!("Silence is not skipped: {error}");
                Ok(None)
            }
        }
    }

    /// Where the packed weights of each stage are from.
    #[allow(dead_code, reason = "some examples have no use for it")]
    pub fn weights(&self) -> impl Iterator<Item = (&str, String)> {
        self.engine.origins().iter().map(|(stage, origin)| (*stage, origin.to_string()))
    }

    /// Whether the model was trained on English alone.
    pub fn is_english_only(&self) -> bool {
        !self.engine.model().vocabulary.is_multilingual()
    }

    /// What is to be done with a recording: `language` is a code or `auto`. An error if the model cannot.
    pub fn options(&self, language: &str, options: &Options) -> Result<Options, Error> {
        let options = Options { language: Language::parse(language)?, ..options.clone() };
        self.engine.check(&options)?;
        Ok(options)
    }

    /// Begins a recording of which windows are so long and text is final when the policy says.
    pub fn begin(&self, options: Options, limits: Limits, policy: Policy) -> Transcription<'_> {
        // What was said before is in a window that grows.
        let conditions_on_previous = options.conditions_on_previous && !limits.is_growing;
        let options = Options { words: options.words || limits.is_growing, conditions_on_previous, ..options };
        let stream = Stream::new(limits, policy, self.voice.as_ref(), self.engine.spectrogram());
        Transcription { engine: &self.engine, options, stream, tickets: VecDeque::new(), delays: Vec::new() }
    }
}

/// A recording on its way through the engine.
pub struct Transcription<'a> {
    engine: &'a Engine,
    options: Options,
    stream: Stream,
    /// Of the windows that are being transcribed, in order.
    tickets: VecDeque<Ticket>,
    /// Of each word that is final, how much was heard behind it before it was, in samples.
    pub delays: Vec<u64>,
}

impl Transcription<'_> {
    /// Takes the next samples and gives the cues that are complete.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Cue>, Error> {
        self.stream.push(samples)?;
        self.windows(Stream::is_waiting)
    }

    /// Gives the remaining cues.
    pub fn finish(&mut self) -> Result<Vec<Cue>, Error> {
        self.stream.end()?;
        self.windows(|_| true)
    }

    /// Hands windows to the engine and takes the transcripts that are there, or waits for them if `is_full` says so.
    fn windows(&mut self, is_full: impl Fn(&Stream) -> bool) -> Result<Vec<Cue>, Error> {
        let mut cues = Vec::new();
        loop {
            while let Some(window) = self.stream.window() {
                let is_first = self.stream.awaited() == Some(window.start_samples);
                let ticket = self.engine.submit(window, self.options.clone(), Urgency::Background);
                if is_first {
                    self.tickets.push_front(ticket)
                } else {
                    self.tickets.push_back(ticket)
                }
                // Until the language is known, one window decides for all.
                if self.options.is_sequential() {
                    break;
                }
            }
            let Some(ticket) = self.tickets.front() else { return Ok(cues) };
            if !ticket.is_ready() && !is_full(&self.stream) && !self.options.is_sequential() {
                return Ok(cues);
            }
            let Some(ticket) = self.tickets.pop_front() else { return Ok(cues) };
            let transcript = ticket.wait()?;
            transcript.settle(&mut self.options);
            let text = self.stream.accept(transcript);
            let words = text.finals.iter().flat_map(|cue| &cue.words);
            self.delays.extend(words.map(|word| text.heard_samples.saturating_sub(word.end_samples)));
            cues.extend(text.finals);
        }
    }
}
