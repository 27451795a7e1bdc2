//! The decoder's network on a device, with its key/value caches.

use std::sync::Arc;

use super::program::{self, DecoderProgram};
use crate::device::{Device, DeviceError, Extent, Origin, Prepared, Session};
use crate::model::{Model, Token};

/// The decoder, prepared once.
pub struct Decoder {
    prepared: Arc<dyn Prepared>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
}

/// The caches and buffers that decode some windows at a time, each in a lane of its own.
pub struct DecoderSession {
    session: Box<dyn Session>,
    program: Arc<DecoderProgram>,
    width: usize,
    vocabulary_size: usize,
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
        let program = program::decoder(config, model.vocabulary.special.end_of_text);
        let prepared = device.prepare(&program.program, &model.weights)?;
        let (width, vocabulary_size) = (config.width, config.vocabulary_size);
        Ok(Self { prepared, program: Arc::new(program), width, vocabulary_size })
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
}
