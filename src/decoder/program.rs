//! The decoder as a program (`TextDecoder` in openai/whisper `model.py`).

use crate::device::{Mask, Names, Operation, Procedure, Program, Rows, Value};
use crate::model::Config;

/// The decoder's program and what its user touches.
pub struct DecoderProgram {
    pub program: Program,
    /// (audio positions, width): input of `listen`.
    pub states: Value,
    /// Input of `step`.
    pub tokens: Value,
    /// (1, vocabulary): what follows the step's last token.
    pub logits: Value,
    /// Computes the keys and values of the cross-attention, once for a window.
    pub listen: Procedure,
    /// Takes more tokens.
    pub step: Procedure,
}

/// Writes the decoder of a model of these sizes.
pub fn decoder(config: &Config) -> DecoderProgram {
    let width = config.width;
    let mut program = Program::default();
    let states = program.value("states", Rows::Fixed(config.audio_positions), width);
    let tokens = program.value("tokens", Rows::Step(config.text_positions), 1);
    let mut text = |name, columns| program.value(name, Rows::Step(config.text_positions), columns);
    let x = text("x", width);
    let normed = text("normed", width);
    let query = text("query", width);
    let attended = text("attended", width);
    let hidden = text("hidden", 4 * width);
    let last = program.value("last", Rows::Fixed(1), width);
    let final_state = program.value("final state", Rows::Fixed(1), width);
    let logits = program.value("logits", Rows::Fixed(1), config.vocabulary_size);

    let mut listen = Vec::new();
    let mut step = vec![Operation::Embedding {
        tokens,
        weight: "decoder.tokens".into(),
        positions: "decoder.positions".into(),
        output: x,
    }];
    for layer in 0..config.decoder_layers {
        let names = Names(format!("decoder.blocks.{layer}"));
        let mut grown = |name| program.value(name, Rows::Grown(config.text_positions), width);
        let (key, value) = (grown("text keys"), grown("text values"));
        let mut heard = |name| program.value(name, Rows::Fixed(config.audio_positions), width);
        let (audio_key, audio_value) = (heard("audio keys"), heard("audio values"));
        let heads = config.decoder_heads;
        listen.extend([
            names.linear_without_bias("cross.key", states, audio_key),
            names.linear("cross.value", states, audio_value),
        ]);
        step.extend([
            names.norm("attention.norm", x, normed),
            names.linear("attention.query", normed, query),
            names.linear_without_bias("attention.key", normed, key),
            names.linear("attention.value", normed, value),
            Operation::Attention { query, key, value, heads, mask: Mask::Causal, output: attended },
            names.residual("attention.out", attended, x),
            names.norm("cross.norm", x, normed),
            names.linear("cross.query", normed, query),
            Operation::Attention {
                query,
                key: audio_key,
                value: audio_value,
                heads,
                mask: Mask::None,
                output: attended,
            },
            names.residual("cross.out", attended, x),
            names.norm("mlp.norm", x, normed),
            names.gelu("mlp.up", normed, hidden),
            names.residual("mlp.down", hidden, x),
        ]);
    }
    step.extend([
        Operation::LastRow { input: x, output: last },
        Names("decoder".into()).norm("norm", last, final_state),
        Operation::Linear {
            input: final_state,
            weight: "decoder.tokens".into(),
            bias: None,
            activation: crate::device::Activation::None,
            residual: false,
            output: logits,
        },
    ]);
    let (listen, step) = (program.procedure(listen), program.procedure(step));
    DecoderProgram { program, states, tokens, logits, listen, step }
}
