//! The decoder's network on a device, with its key/value caches.

use std::ops::Range;
use std::sync::Arc;

use super::program::{self, DecoderProgram, Following, MOST_JUDGED};
use crate::device::{Device, DeviceError, Extent, Origin, Prepared, Session};
use crate::model::{Model, Token};

/// The decoder, prepared once.
pub struct Decoder {
    prepared: Arc<dyn Prepared>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
    audio_positions: usize,
}

/// The caches and buffers that decode some windows at a time, each in a lane of its own.
pub struct DecoderSession {
    session: Box<dyn Session>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
    audio_positions: usize,
    /// Tokens that each lane took.
    past: Vec<usize>,
    extents: Vec<Extent>,
    tokens: Vec<Token>,
}

/// Most lanes of a session.
pub use super::program::MOST_LANES;

impl Decoder {
    /// Prepares the decoder of a model.
    pub fn new(device: &dyn Device, model: &Model) -> Result<Self, DeviceError> {
        let config = &model.config;
        // Special tokens come behind text. The rules compare all timestamps together with the best text, and the probability of
        // no speech and of each language is looked at even where it is small, so they are not to be rounded.
        let program = program::decoder(config, model.vocabulary.special.end_of_text, device.gives_probabilities());
        let prepared = device.prepare(&program.program, &model.weights)?;
        let (width, vocabulary_size, audio_positions) = (config.width, config.vocabulary_size, config.audio_positions);
        Ok(Self { prepared, program: Arc::new(program), width, vocabulary_size, audio_positions })
    }

    /// Where the packed weights are from.
    pub fn origin(&self) -> &Origin {
        self.prepared.origin()
    }

    /// Allocates the buffers of one user, who decodes at most `lanes` windows at a time. Panics above [`MOST_LANES`].
    pub fn session(&self, lanes: usize) -> DecoderSession {
        assert!(lanes <= MOST_LANES);
        DecoderSession {
            session: self.prepared.session(lanes),
            program: self.program.clone(),
            width: self.width,
            vocabulary_size: self.vocabulary_size,
            audio_positions: self.audio_positions,
            past: vec![0; lanes],
            extents: Vec::with_capacity(lanes),
            tokens: Vec::new(),
        }
    }
}

impl DecoderSession {
    /// Lanes, numbered from 0.
    pub fn lanes(&self) -> usize {
        self.past.len()
    }

    /// Starts a window in a lane: computes what the cross-attention needs of `states` (at most audio positions, width) and
    /// forgets the lane's tokens.
    pub fn listen(&mut self, lane: usize, states: &[f32]) -> Result<(), DeviceError> {
        self.session.write(self.program.states, states);
        let rows = states.len() / self.width;
        self.session.run(self.program.listen, &[Extent { lane, rows, past: 0 }])?;
        self.past[lane] = 0;
        Ok(())
    }

    /// Takes more tokens in some lanes and gives the logits (lanes in the same order, vocabulary) of the tokens that follow.
    pub fn step<'a>(&mut self, steps: impl Iterator<Item = (usize, &'a [Token])>) -> Result<&[f32], DeviceError> {
        self.extents.clear();
        self.tokens.clear();
        for (lane, tokens) in steps {
            self.extents.push(Extent { lane, rows: tokens.len(), past: self.past[lane] });
            self.tokens.extend_from_slice(tokens);
        }
        self.session.write_tokens(self.program.tokens, &self.tokens);
        self.session.run(self.program.step, &self.extents)?;
        for extent in &self.extents {
            self.past[extent.lane] += extent.rows;
        }
        Ok(&self.session.read(self.program.logits)[..self.extents.len() * self.vocabulary_size])
    }

    /// Whether the device computes what a lane's alignment asks for.
    pub fn can_follow(&self) -> bool {
        self.program.following.is_some()
    }

    /// Takes `tokens`, all of a text, in a lane from its beginning, over what the lane listened to; what it took before is
    /// forgotten.
    ///
    /// Errors: a device fault, or a device that cannot.
    pub(super) fn follow(&mut self, lane: usize, tokens: &[Token]) -> Result<(), DeviceError> {
        let following = following(&self.program)?;
        self.session.write_tokens(self.program.tokens, tokens);
        self.session.run(following.follow, &[Extent { lane, rows: tokens.len(), past: 0 }])?;
        self.past[lane] = tokens.len();
        Ok(())
    }

    /// For each alignment head, where the rows that were followed last looked: row → probabilities of all audio positions.
    pub(super) fn heads<'a>(&'a self) -> impl Iterator<Item = impl Fn(usize) -> &'a [f32]> {
        let layers = self.program.following.iter().flat_map(|following| &following.probabilities);
        layers.flat_map(|&(value, heads)| {
            let (probabilities, positions) = (self.session.read(value), self.audio_positions);
            (0..heads)
                .map(move |head| move |row: usize| &probabilities[(row * heads + head) * positions..][..positions])
        })
    }

    /// Gives `judge` the logits (vocabulary) after each of `rows` of those that were followed last, in order.
    pub(super) fn judge(
        &mut self,
        rows: Range<usize>,
        mut judge: impl FnMut(usize, &[f32]),
    ) -> Result<(), DeviceError> {
        let following = following(&self.program)?;
        let states = self.session.read(following.states)[rows.start * self.width..rows.end * self.width].to_vec();
        let mut row = rows.start;
        for states in states.chunks(MOST_JUDGED * self.width) {
            self.session.write(following.judged, states);
            let count = states.len() / self.width;
            self.session.run(following.judge, &[Extent { lane: 0, rows: count, past: 0 }])?;
            let logits = self.session.read(following.logits).chunks_exact(self.vocabulary_size);
            for logits in logits.take(count) {
                judge(row, logits);
                row += 1;
            }
        }
        Ok(())
    }
}

fn following(program: &DecoderProgram) -> Result<&Following, DeviceError> {
    let (device, operation) = ("the decoder's device", "probabilities of attention");
    program.following.as_ref().ok_or(DeviceError::Unsupported { device, operation })
}
