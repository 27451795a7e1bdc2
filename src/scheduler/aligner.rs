//! Times words on the processor, for a decoder whose device cannot.

use std::sync::Arc;

use crate::Error;
use crate::decoder::{Alignment, Batch, Decoder, Task};
use crate::device::Device;
use crate::model::{Model, Token};

/// A decoder of its own, which is prepared when the first words are asked for.
pub struct Aligner {
    model: Arc<Model>,
    processor: Arc<dyn Device>,
    batch: Option<Batch>,
}

impl Aligner {
    /// An aligner that has nothing yet.
    pub fn new(model: Arc<Model>, processor: Arc<dyn Device>) -> Self {
        Self { model, processor, batch: None }
    }

    /// As [`Batch::align`], over `states` (at most audio positions, width).
    ///
    /// Errors: weights that cannot be prepared, a device fault.
    pub fn align(
        &mut self,
        states: &[f32],
        text: (&[Token], usize),
        spoken: (&str, Task),
        heard: usize,
    ) -> Result<Alignment, Error> {
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => Batch::new(self.model.clone(), Decoder::new(&*self.processor, &self.model)?.session(1)),
        };
        let batch = self.batch.insert(batch);
        batch.listen(0, states)?;
        batch.align(0, text, spoken, heard)
    }
}
