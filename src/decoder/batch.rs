//! Greedy decoding of some windows at a time: each step writes a token in every window, and reads the weights once for all.

use std::sync::Arc;

use super::probability::{likeliest, log_sum_exp};
use super::{Alignment, DecoderSession, Decoding, Language, Options, Task, align};
use super::{language, repetition, rules::Rules};
use crate::Error;
use crate::model::{Model, Token};

/// Windows on their way from states to tokens, each in a lane of its own.
pub struct Batch {
    model: Arc<Model>,
    session: DecoderSession,
    rules: Rules,
    lanes: Vec<Option<Lane>>,
    /// Logits that the rules change; one row at a time.
    logits: Vec<f32>,
}

/// A window that is being decoded.
struct Lane {
    options: Options,
    /// What the next step takes.
    next: Vec<Token>,
    stage: Stage,
    tokens: Vec<Token>,
    sum: f32,
    steps: usize,
    no_speech_probability: f32,
    language: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Takes `<|startoftranscript|>`, which says how likely it is that nothing is spoken, and in what language.
    Begin,
    Write,
}

impl Batch {
    /// Lanes as the session has them, all free.
    pub fn new(model: Arc<Model>, session: DecoderSession) -> Self {
        let rules = Rules::new(&model.config, &model.vocabulary.special);
        let lanes = (0..session.lanes()).map(|_| None).collect();
        Self { model, session, rules, lanes, logits: Vec::new() }
    }

    /// Begins a window in a free lane. `states` are (at most audio positions, width).
    ///
    /// Errors: options that the model cannot do, a device fault.
    pub fn begin(&mut self, lane: usize, states: &[f32], options: &Options) -> Result<(), Error> {
        let special = &self.model.vocabulary.special;
        options.check(&self.model.vocabulary)?;
        self.session.listen(lane, states)?;
        self.lanes[lane] = Some(Lane {
            options: options.clone(),
            next: vec![special.start_of_transcript],
            stage: Stage::Begin,
            tokens: Vec::new(),
            sum: 0.0,
            steps: 0,
            no_speech_probability: 0.0,
            language: "en".into(),
        });
        Ok(())
    }

    /// Gives a window up.
    pub fn leave(&mut self, lane: usize) {
        self.lanes[lane] = None;
    }

    /// Lets a free lane listen to `states` (at most audio positions, width), for [`Batch::align`] alone.
    ///
    /// Errors: a device fault.
    pub fn listen(&mut self, lane: usize, states: &[f32]) -> Result<(), Error> {
        Ok(self.session.listen(lane, states)?)
    }

    /// When the tokens of a `text` were spoken that was written in this lane, where nothing was begun since. Of what the lane
    /// listened to, the first `heard` positions hold sound.
    ///
    /// Errors: a device fault, or a device that cannot.
    pub fn align(
        &mut self,
        lane: usize,
        text: &[Token],
        (language, task): (&str, Task),
        heard: usize,
    ) -> Result<Alignment, Error> {
        let prompt = self.model.vocabulary.special.prompt(language, task == Task::Translate);
        Ok(align(&mut self.session, &self.model.vocabulary, lane, (&prompt, text), heard)?)
    }

    /// Whether the device can do that.
    pub fn can_align(&self) -> bool {
        self.session.can_follow()
    }

    /// Takes a step in all lanes that are in use and gives the windows that it ended, with their lanes, which are free then.
    ///
    /// Errors: a device fault, which ends all windows.
    pub fn step(&mut self) -> Result<Vec<(usize, Decoding)>, Error> {
        if self.lanes.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        let steps = self.lanes.iter().enumerate();
        let steps = steps.filter_map(|(index, lane)| Some((index, lane.as_ref()?.next.as_slice())));
        let rows = self.session.step(steps)?.chunks_exact(self.model.config.vocabulary_size);
        let used = self.lanes.iter_mut().enumerate().filter_map(|(index, lane)| Some((index, lane.as_mut()?)));
        let mut ended = Vec::new();
        for ((index, lane), row) in used.zip(rows) {
            if lane.stage == Stage::Begin && lane.start(&self.model, row) {
                continue;
            }
            self.logits.clear();
            self.logits.extend_from_slice(row);
            self.rules.apply(&lane.tokens, &mut self.logits);
            if !lane.write(&self.model, &self.logits) {
                ended.push(index);
            }
        }
        Ok(ended.into_iter().filter_map(|index| Some((index, self.lanes[index].take()?.decoding()))).collect())
    }
}

impl Lane {
    /// Takes the logits after the first token; true if a prompt is to be taken before anything is written.
    fn start(&mut self, model: &Model, logits: &[f32]) -> bool {
        let special = &model.vocabulary.special;
        self.stage = Stage::Write;
        self.no_speech_probability = (logits[special.no_speech as usize] - log_sum_exp(logits)).exp();
        let spoken = match &self.options.language {
            Language::Code(wanted) => special.languages.iter().find(|(code, _)| code == wanted),
            Language::Auto => language::detect(special, logits),
        };
        let Some((code, token)) = spoken else {
            return false;
        };
        self.language.clone_from(code);
        let task = match self.options.task {
            Task::Transcribe => special.transcribe,
            Task::Translate => special.translate,
        };
        self.next.clear();
        self.next.extend([*token, task]);
        true
    }

    /// Writes the likeliest token; false if the text ends, or falls into a loop, of which one round stays.
    fn write(&mut self, model: &Model, logits: &[f32]) -> bool {
        let special = &model.vocabulary.special;
        let (token, log_sum) = likeliest(logits);
        self.sum += logits[token as usize] - log_sum;
        self.steps += 1;
        if token == special.end_of_text {
            return false;
        }
        self.tokens.push(token);
        if let Some(length) = repetition::cut(&self.tokens, special.timestamp_begin) {
            self.tokens.truncate(length);
            return false;
        }
        self.next.clear();
        self.next.push(token);
        self.tokens.len() < model.config.text_positions / 2
    }

    fn decoding(self) -> Decoding {
        Decoding {
            tokens: self.tokens,
            average_log_probability: self.sum / self.steps as f32,
            no_speech_probability: self.no_speech_probability,
            language: self.language,
        }
    }
}
