//! The encoder as a program.

use crate::device::{Activation, Mask, Names, Operation, Procedure, Program, Rows, Value};
use crate::model::Config;

/// The encoder's program and what its user touches.
pub struct EncoderProgram {
    pub program: Program,
    pub mel: Value,
    pub states: Value,
    pub run: Procedure,
}

/// Writes the encoder of a model of these sizes.
pub fn encoder(config: &Config) -> EncoderProgram {
    let (positions, width) = (config.audio_positions, config.width);
    let mut program = Program::default();
    let mel = program.value("mel", Rows::Twice(2 * positions), config.mel_bins);
    let stem = program.value("stem", Rows::Twice(2 * positions), width);
    let mut audio = |name, columns| program.value(name, Rows::Step(positions), columns);
    let x = audio("x", width);
    let normed = audio("normed", width);
    let (query, key, value) = (audio("query", width), audio("key", width), audio("value", width));
    let attended = audio("attended", width);
    let hidden = audio("hidden", 4 * width);
    let states = audio("states", width);

    let mut run = vec![
        convolution("encoder.conv1", 1, mel, stem),
        convolution("encoder.conv2", 2, stem, x),
        Operation::Add { value: x, addend: "encoder.positions".into() },
    ];
    for layer in 0..config.encoder_layers {
        let names = Names(format!("encoder.blocks.{layer}"));
        run.extend([
            names.norm("attention.norm", x, normed),
            names.linear("attention.query", normed, query),
            names.linear_without_bias("attention.key", normed, key),
            names.linear("attention.value", normed, value),
            Operation::Attention { query, key, value, heads: config.encoder_heads, mask: Mask::None, output: attended },
            names.residual("attention.out", attended, x),
            names.norm("mlp.norm", x, normed),
            names.gelu("mlp.up", normed, hidden),
            names.residual("mlp.down", hidden, x),
        ]);
    }
    run.push(Names("encoder".into()).norm("norm", x, states));
    let run = program.procedure(run);
    EncoderProgram { program, mel, states, run }
}

fn convolution(name: &str, stride: usize, input: Value, output: Value) -> Operation {
    Operation::Convolution {
        input,
        weight: format!("{name}.weight"),
        bias: format!("{name}.bias"),
        stride,
        activation: Activation::Gelu,
        output,
    }
}
