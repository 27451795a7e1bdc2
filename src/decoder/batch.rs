//! Decoding of some windows at a time: each step writes a token in every lane, and reads the weights once for all.

use std::sync::Arc;

use super::window::Window;
use super::{Alignment, DecodeError, DecoderSession, Decoding, Growing, Options, Task, align};
use crate::Error;
use crate::model::{Model, Token};

/// Windows on their way from states to tokens, each in one or several lanes.
pub struct Batch {
    model: Arc<Model>,
    session: DecoderSession,
    /// By the lane that listens.
    windows: Vec<Option<Window>>,
    /// Logits that the rules change; one row at a time.
    logits: Vec<f32>,
}

impl Batch {
    /// Lanes as the session has them, all free.
    pub fn new(model: Arc<Model>, session: DecoderSession) -> Self {
        let windows = (0..session.lanes()).map(|_| None).collect();
        Self { model, session, windows, logits: Vec::new() }
    }

    /// The lanes that no window has.
    pub fn free_lanes(&self) -> Vec<usize> {
        let is_taken = |lane: &usize| self.windows.iter().flatten().any(|window| window.lanes.contains(lane));
        (0..self.windows.len()).filter(|lane| !is_taken(lane)).collect()
    }

    /// Begins a window in a free lane, and as many others as its options ask for. `states` are (at most audio positions, width).
    /// What is drawn at random follows from `seed`, and not from what else is decoded.
    ///
    /// Errors: options that the model cannot do, fewer free lanes than they ask for, a device fault.
    pub fn begin(&mut self, lane: usize, states: &[f32], options: &Options, seed: u64) -> Result<(), Error> {
        options.check(&self.model.vocabulary)?;
        let wanted = options.lanes();
        let others = self.free_lanes().into_iter().filter(|free| *free != lane);
        let lanes: Vec<usize> = std::iter::once(lane).chain(others).take(wanted).collect();
        if lanes.len() < wanted {
            return Err(DecodeError::Lanes { wanted, free: lanes.len() }.into());
        }
        self.session.listen(lane, states)?;
        self.windows[lane] = Some(Window::new(&self.model, options, seed, lanes));
        Ok(())
    }

    /// Lets a window that grows and was begun in a lane go on from what its last transcript took, where both begin with what is given,
    /// and keeps what this one takes for the next.
    pub fn grow(&mut self, lane: usize, growing: Growing) {
        let goes_on = self.windows[lane].as_ref().is_some_and(Window::is_given_text);
        self.session.grow(lane, growing, goes_on);
    }

    /// Gives a window up, by the lane that it was begun in.
    pub fn leave(&mut self, lane: usize) {
        self.windows[lane] = None;
    }

    /// Gives free lanes, but for `kept` of them, to windows that can use more than they have.
    pub fn spread(&mut self, kept: usize) {
        while let Some(&lane) = self.free_lanes().get(kept)
            && let Some(window) = self.windows.iter_mut().flatten().find(|window| window.wants_lanes())
        {
            window.spread(lane);
            window.branches.drain(..).for_each(|branch| self.session.branch(branch));
        }
    }

    /// Lets a free lane listen to `states` (at most audio positions, width), for [`Batch::align`] alone.
    ///
    /// Errors: a device fault.
    pub fn listen(&mut self, lane: usize, states: &[f32]) -> Result<(), Error> {
        Ok(self.session.listen(lane, states)?)
    }

    /// When the tokens of a `text` were spoken that was written in this lane, where nothing was begun since. Of what the lane
    /// listened to, the first `heard` positions hold sound. The first `given` tokens of the text have the probability 1.
    ///
    /// Errors: a device fault, or a device that cannot.
    pub fn align(
        &mut self,
        lane: usize,
        (text, given): (&[Token], usize),
        (language, task): (&str, Task),
        heard: usize,
    ) -> Result<Alignment, Error> {
        let prompt = self.model.vocabulary.special.prompt(language, task == Task::Translate);
        Ok(align(&mut self.session, &self.model.vocabulary, lane, (&prompt, text), given, heard)?)
    }

    /// Whether the device can do that.
    pub fn can_align(&self) -> bool {
        self.session.can_follow()
    }

    /// Takes a step in all lanes that are in use and gives the windows that it ended, with the lanes that they were begun in, which
    /// are free then.
    ///
    /// Errors: a device fault, which ends all windows.
    pub fn step(&mut self) -> Result<Vec<(usize, Decoding)>, Error> {
        let next: Vec<_> = self.windows.iter().flatten().map(Window::next).collect();
        if next.is_empty() {
            return Ok(Vec::new());
        }
        let counts: Vec<usize> = next.iter().map(Vec::len).collect();
        let rows = self.session.step(next.into_iter().flatten())?;
        let mut rows = rows.chunks_exact(self.model.config.vocabulary_size);
        let windows = self.windows.iter_mut().enumerate();
        let windows = windows.filter_map(|(lane, window)| Some((lane, window.as_mut()?)));
        let mut ended = Vec::new();
        for ((lane, window), count) in windows.zip(counts) {
            let decoding = window.take(&self.model, rows.by_ref().take(count), &mut self.logits);
            ended.extend(decoding.map(|decoding| (lane, decoding)));
        }
        for window in self.windows.iter_mut().flatten() {
            window.branches.drain(..).for_each(|branch| self.session.branch(branch));
        }
        for (lane, _) in &ended {
            self.session.keep(*lane);
            self.windows[*lane] = None;
        }
        Ok(ended)
    }
}
