//! The decoder's network on a device, with its key/value cache.

use std::sync::Arc;

use super::program::{self, DecoderProgram};
use crate::device::{Device, DeviceError, Extent, Prepared, Session, Tensors};
use crate::model::{Config, Token};

/// The decoder, prepared once.
pub struct Decoder {
    prepared: Arc<dyn Prepared>,
    program: Arc<DecoderProgram>,
}

/// The cache and buffers that decode one window after another.
pub struct DecoderSession {
    session: Box<dyn Session>,
    program: Arc<DecoderProgram>,
    past: usize,
}

impl Decoder {
    /// Prepares the decoder of a model.
    pub fn new(device: &dyn Device, config: &Config, weights: &dyn Tensors) -> Result<Self, DeviceError> {
        let program = program::decoder(config);
        let prepared = device.prepare(&program.program, weights)?;
        Ok(Self { prepared, program: Arc::new(program) })
    }

    /// Allocates the buffers of one user.
    pub fn session(&self) -> DecoderSession {
        DecoderSession { session: self.prepared.session(), program: self.program.clone(), past: 0 }
    }
}

impl DecoderSession {
    /// Starts a window: computes what the cross-attention needs of `states` (audio positions, width), forgets all tokens.
    pub fn listen(&mut self, states: &[f32]) -> Result<(), DeviceError> {
        self.session.write(self.program.states, states);
        self.session.run(self.program.listen, Extent::default())?;
        self.past = 0;
        Ok(())
    }

    /// Takes more tokens and gives the logits (vocabulary) of the token after them.
    pub fn step(&mut self, tokens: &[Token]) -> Result<&[f32], DeviceError> {
        self.session.write_tokens(self.program.tokens, tokens);
        let extent = Extent { rows: tokens.len(), past: self.past };
        self.session.run(self.program.step, extent)?;
        self.past += tokens.len();
        Ok(self.session.read(self.program.logits))
    }
}
