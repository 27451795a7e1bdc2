//! A window's way from the states that a lane hears to its text.

use super::context::context;
use super::fallback::{Attempt, least_bad};
use super::rules::Rules;
use super::search::{Beams, Branch, Hypothesis, Limits, Samples, best};
use super::{Decoding, Language, Options, Task, compression, language};
use crate::decoder::probability::log_sum_exp;
use crate::model::{Model, Token};

/// `<|notimestamps|>` and `<|endoftext|>`, around a text whose words are timed.
const TIMING_TOKENS: usize = 2;

/// A window that is being decoded.
pub struct Window {
    options: Options,
    rules: Rules,
    seed: u64,
    /// The lanes that it has, first the one that listens.
    pub lanes: Vec<usize>,
    /// What lanes have to do before the next step.
    pub branches: Vec<Branch>,
    stage: Stage,
    /// Text before the window, with the token that says so.
    context: Vec<Token>,
    /// Tokens before the text.
    prompt: Vec<Token>,
    prompt_rows: usize,
    /// Logits behind the prompt, under the rules.
    opening: Vec<f32>,
    no_speech_probability: f32,
    language: String,
    /// None unless it was detected.
    language_probability: Option<f32>,
    /// Texts that were rejected; as many temperatures were tried.
    rejected: Vec<Attempt>,
}

enum Stage {
    /// Takes `<|startoftranscript|>` alone, which says in what language something is spoken and how likely it is that nothing is: behind
    /// text the model expects speech, and that language.
    Identify,
    /// Takes what comes before the text up to `<|startoftranscript|>`, which says the same if that is all.
    Begin,
    /// Takes the rest of the prompt.
    Prompt,
    Sample(Samples),
    Follow(Beams),
    Done,
}

impl Window {
    /// A window in `lanes`, the first of which listens to it and has taken nothing.
    pub fn new(model: &Model, options: &Options, seed: u64, lanes: Vec<usize>) -> Self {
        let special = &model.vocabulary.special;
        let context = context(model, options);
        let stage = if context.is_empty() { Stage::Begin } else { Stage::Identify };
        Self {
            options: options.clone(),
            rules: Rules::new(&model.config, special, &options.suppressed),
            seed,
            lanes,
            branches: Vec::new(),
            stage,
            context,
            prompt_rows: 0,
            prompt: vec![special.start_of_transcript],
            opening: Vec::new(),
            no_speech_probability: 0.0,
            language: "en".into(),
            language_probability: None,
            rejected: Vec::new(),
        }
    }

    /// What each of its lanes takes next.
    pub fn next(&self) -> Vec<(usize, &[Token])> {
        match &self.stage {
            Stage::Sample(samples) => samples.live().map(last).collect(),
            Stage::Follow(beams) => beams.live().map(last).collect(),
            Stage::Identify | Stage::Begin | Stage::Prompt => vec![(self.lanes[0], self.prompt.as_slice())],
            Stage::Done => Vec::new(),
        }
    }

    /// Takes the `rows` of logits after what its lanes took, in the same order; gives the text if that is accepted. `logits` is scratch.
    pub fn take<'a>(
        &mut self,
        model: &Model,
        mut rows: impl Iterator<Item = &'a [f32]>,
        logits: &mut Vec<f32>,
    ) -> Option<Decoding> {
        match &mut self.stage {
            Stage::Identify => {
                let row = rows.next()?;
                self.hear(model, row);
                if self.options.language == Language::Auto
                    && let Some(((code, _), probability)) = language::detect(&model.vocabulary.special, row)
                {
                    self.options.language = Language::Code(code.clone());
                    self.language_probability = Some(probability);
                }
                self.prompt.splice(0..0, self.context.iter().copied());
                self.branches.push(Branch { from: self.lanes[0], to: self.lanes[0], rows: 0 });
                self.stage = Stage::Begin;
                return None;
            }
            Stage::Begin => {
                let row = rows.next()?;
                self.prompt_rows = self.prompt.len();
                if self.begin(model, row) {
                    self.prompt_rows += self.prompt.len();
                    self.stage = Stage::Prompt;
                    return None;
                }
                self.open(row);
                self.search(model);
            }
            Stage::Prompt => {
                self.open(rows.next()?);
                self.search(model);
            }
            Stage::Sample(samples) => {
                let texts: Vec<Vec<Token>> = samples.live().map(|(_, text)| text.tokens.clone()).collect();
                let mut ended = Vec::new();
                for (index, (text, row)) in texts.iter().zip(rows).enumerate() {
                    self.rules.apply_to(text, row, logits);
                    if samples.write(index, logits) {
                        ended.push(index);
                    }
                }
                samples.end(&ended);
            }
            Stage::Follow(beams) => {
                let candidates = beams.live().zip(rows).map(|((_, text), row)| {
                    self.rules.apply_to(&text.tokens, row, logits);
                    beams.candidates(logits)
                });
                let candidates: Vec<_> = candidates.collect();
                beams.extend(&candidates, &self.lanes, &mut self.branches);
            }
            Stage::Done => {}
        }
        self.settle(model)
    }

    /// Whether its text has a beginning that is given.
    pub fn is_given_text(&self) -> bool {
        !self.options.prefix.is_empty()
    }

    /// Whether it could use another lane.
    pub fn wants_lanes(&self) -> bool {
        matches!(&self.stage, Stage::Sample(samples) if samples.wants_lanes())
    }

    /// Takes another lane.
    pub fn spread(&mut self, lane: usize) {
        self.lanes.push(lane);
        self.begin_samples();
    }

    /// Takes the logits after `<|startoftranscript|>`; true if more of the prompt is to be taken.
    fn begin(&mut self, model: &Model, logits: &[f32]) -> bool {
        if self.context.is_empty() {
            self.hear(model, logits);
        }
        let special = &model.vocabulary.special;
        let spoken = match &self.options.language {
            Language::Code(wanted) => special.languages.iter().find(|(code, _)| code == wanted),
            Language::Auto => language::detect(special, logits).map(|(language, probability)| {
                self.language_probability = Some(probability);
                language
            }),
        };
        let Some((code, token)) = spoken else {
            self.prompt.clone_from(&self.options.prefix);
            return !self.prompt.is_empty();
        };
        self.language.clone_from(code);
        let task = match self.options.task {
            Task::Transcribe => special.transcribe,
            Task::Translate => special.translate,
        };
        self.prompt = [&[*token, task], &self.options.prefix[..]].concat();
        true
    }

    /// Takes the logits after `<|startoftranscript|>` that nothing came before.
    fn hear(&mut self, model: &Model, logits: &[f32]) {
        self.no_speech_probability = (logits[model.vocabulary.special.no_speech as usize] - log_sum_exp(logits)).exp();
    }

    fn open(&mut self, logits: &[f32]) {
        self.rules.apply_to(&self.options.prefix, logits, &mut self.opening);
    }

    /// Begins to write at the next temperature.
    fn search(&mut self, model: &Model) {
        let temperature = self.temperature();
        let before = (self.prompt_rows, &self.options.prefix[..]);
        let special = &model.vocabulary.special;
        let positions = model.config.text_positions;
        let limits = Limits {
            end_of_text: special.end_of_text,
            timestamp_begin: special.timestamp_begin,
            most_tokens: most_tokens(positions, self.prompt_rows, self.options.prefix.len()),
        };
        if temperature > 0.0 || self.options.beam_size == 1 {
            let count = self.options.best_of;
            self.stage = Stage::Sample(Samples::new(temperature, count, self.seed, before, limits));
            self.begin_samples();
        } else {
            let Options { beam_size, patience, .. } = self.options;
            let mut beams = Beams::new(beam_size, patience, self.lanes[0], before, limits);
            let candidates = beams.candidates(&self.opening);
            beams.extend(&[candidates], &self.lanes, &mut self.branches);
            self.stage = Stage::Follow(beams);
        }
    }

    fn temperature(&self) -> f32 {
        self.options.temperatures.get(self.rejected.len()).copied().unwrap_or_default()
    }

    /// Begins samples in lanes that have none, and gives up those that have nothing to do but the first.
    fn begin_samples(&mut self) {
        let Stage::Sample(samples) = &mut self.stage else { return };
        for &lane in &self.lanes {
            samples.begin(lane, self.lanes[0], &self.opening, &mut self.branches);
        }
        let home = self.lanes[0];
        self.lanes.retain(|lane| *lane == home || samples.live().any(|(live, _)| live == *lane));
    }

    /// Judges the texts of this temperature once they are written.
    fn settle(&mut self, model: &Model) -> Option<Decoding> {
        loop {
            let is_done = match &self.stage {
                Stage::Sample(samples) => samples.are_done(),
                Stage::Follow(beams) => beams.are_done(),
                _ => false,
            };
            if !is_done {
                self.begin_samples();
                if !matches!(&self.stage, Stage::Sample(samples) if samples.are_done()) {
                    return None;
                }
            }
            let texts = match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Sample(samples) => samples.texts(),
                Stage::Follow(beams) => beams.texts(),
                _ => Vec::new(),
            };
            let text = best(texts, self.options.length_penalty).unwrap_or_default();
            let attempt = self.attempt(model, text);
            if !attempt.is_rejected(&self.options) {
                return Some(attempt.decoding);
            }
            self.rejected.push(attempt);
            if self.rejected.len() >= self.options.temperatures.len() {
                let tried_temperature = self.options.temperatures.last().copied().unwrap_or_default();
                let taken = least_bad(std::mem::take(&mut self.rejected), &self.options)?;
                return Some(Decoding { tried_temperature, ..taken.decoding });
            }
            self.search(model);
        }
    }

    fn attempt(&self, model: &Model, mut text: Hypothesis) -> Attempt {
        let average_log_probability = text.mean_log_probability();
        let compression_ratio = compression::ratio(model.vocabulary.decode(&text.tokens).trim());
        text.tokens.truncate(text.looped.unwrap_or(text.tokens.len()));
        let decoding = Decoding {
            tokens: text.tokens,
            average_log_probability,
            no_speech_probability: self.no_speech_probability,
            language: self.language.clone(),
            language_probability: self.language_probability,
            compression_ratio,
            temperature: self.temperature(),
            tried_temperature: self.temperature(),
            is_silent: false,
            is_unfinished: !text.has_ended,
        };
        let mut attempt = Attempt { decoding, is_loop: text.looped.is_some() };
        attempt.decoding.is_silent = attempt.is_silent(&self.options);
        attempt
    }
}

/// Tokens of the longest text, of which so many are given: half of the model's positions are for what is written (`sample_len` in
/// openai/whisper `decoding.py`), as far as there is room behind the prompt, which ends with what is given, and for the two tokens by which
/// the prompt and the text are longer where its words are timed.
fn most_tokens(positions: usize, prompt_rows: usize, given: usize) -> usize {
    (positions / 2 + given).min(positions.saturating_sub(prompt_rows - given + TIMING_TOKENS))
}

/// What a text's lane takes: the last token.
fn last((lane, text): (usize, &Hypothesis)) -> (usize, &[Token]) {
    (lane, &text.tokens[text.tokens.len() - 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_takes_no_room_from_what_is_written() {
        assert_eq!([0, 100, 250].map(|given| most_tokens(448, 3 + given, given)), [224, 324, 443]);
        assert_eq!(most_tokens(448, 3 + 224, 0), 219, "behind a long prompt");
        assert_eq!(most_tokens(448, 448, 445), 443, "there is room to time them");
    }
}
