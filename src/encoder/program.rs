//! The encoder as a program.

use crate::device::{Activation, Mask, Names, Operation, Procedure, Program, Rows, Value};
use crate::model::Config;

/// The encoder's program and what its user touches.
pub struct EncoderProgram {
    pub program: Program,
    pub mel: Value,
    pub states: Value,
    /// Encodes a window as a whole.
    pub run: Procedure,
    /// What encoding the end of a window alone needs, if it was asked for.
    pub extending: Option<Extending>,
}

/// The part of the program that goes on from what a lane holds of a window.
pub struct Extending {
    /// The convolutions, of some rows of the spectrogram alone.
    pub open: Procedure,
    /// (rows, width): the result of `open`.
    pub opened: Value,
    /// (rows, width): input of `extend`.
    pub entered: Value,
    /// Gives rows their positions and takes them through all layers, in which they attend to themselves and to the rows that the lane holds.
    pub extend: Procedure,
}

/// Writes the encoder of a model of these sizes; with what encoding the end of a window takes if it `is_extended`.
pub fn encoder(config: &Config, is_extended: bool) -> EncoderProgram {
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

    let open = |to| [convolution("encoder.conv1", 1, mel, stem), convolution("encoder.conv2", 2, stem, to)];
    let mut extend = vec![Operation::Add { value: x, addend: "encoder.positions".into() }];
    let mut run = [&open(x)[..], &extend].concat();
    for layer in 0..config.encoder_layers {
        let names = Names(format!("encoder.blocks.{layer}"));
        let layer = |key, value| {
            [
                names.norm("attention.norm", x, normed),
                names.linear("attention.query", normed, query),
                names.linear_without_bias("attention.key", normed, key),
                names.linear("attention.value", normed, value),
                Operation::Attention {
                    query,
                    key,
                    value,
                    heads: config.encoder_heads,
                    mask: Mask::None,
                    output: attended,
                },
                names.residual("attention.out", attended, x),
                names.norm("mlp.norm", x, normed),
                names.gelu("mlp.up", normed, hidden),
                names.residual("mlp.down", hidden, x),
            ]
        };
        run.extend(layer(key, value));
        if is_extended {
            let mut grown = |name| program.value(name, Rows::Grown(positions), width);
            extend.extend(layer(grown("kept keys"), grown("kept values")));
        }
    }
    let last = Names("encoder".into()).norm("norm", x, states);
    run.push(last.clone());
    let run = program.procedure(run);
    let extending = is_extended.then(|| {
        let opened = program.value("opened", Rows::Step(positions), width);
        extend.push(last);
        let (open, extend) = (program.procedure(open(opened).into()), program.procedure(extend));
        Extending { open, opened, entered: x, extend }
    });
    EncoderProgram { program, mel, states, run, extending }
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
