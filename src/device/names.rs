//! Operations whose weights stand under one prefix.

use super::{Activation, Operation, Value};

/// The prefix: `encoder.blocks.0` makes `encoder.blocks.0.attention.query.weight` of `attention.query`.
pub struct Names(pub String);

impl Names {
    /// Layer normalisation.
    pub fn norm(&self, name: &str, input: Value, output: Value) -> Operation {
        Operation::LayerNorm { input, weight: self.weight(name), bias: self.bias(name), output }
    }

    /// Linear layer with bias.
    pub fn linear(&self, name: &str, input: Value, output: Value) -> Operation {
        self.product(name, true, Activation::None, false, input, output)
    }

    /// Linear layer without bias, as Whisper's attention keys are.
    pub fn linear_without_bias(&self, name: &str, input: Value, output: Value) -> Operation {
        self.product(name, false, Activation::None, false, input, output)
    }

    /// Linear layer with bias, then GELU.
    pub fn gelu(&self, name: &str, input: Value, output: Value) -> Operation {
        self.product(name, true, Activation::Gelu, false, input, output)
    }

    /// Linear layer with bias, added to `output`.
    pub fn residual(&self, name: &str, input: Value, output: Value) -> Operation {
        self.product(name, true, Activation::None, true, input, output)
    }

    fn product(
        &self,
        name: &str,
        biased: bool,
        activation: Activation,
        residual: bool,
        input: Value,
        output: Value,
    ) -> Operation {
        let bias = biased.then(|| self.bias(name));
        Operation::Linear { input, weight: self.weight(name), bias, activation, residual, output }
    }

    fn weight(&self, name: &str) -> String {
        format!("{}.{name}.weight", self.0)
    }

    fn bias(&self, name: &str) -> String {
        format!("{}.{name}.bias", self.0)
    }
}
