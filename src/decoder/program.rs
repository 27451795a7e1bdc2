//! The decoder as a program (`TextDecoder` in openai/whisper `model.py`).

use crate::device::{Mask, Names, Operation, Procedure, Program, Rows, Value};
use crate::model::{Config, Token};

/// The decoder's program and what its user touches.
pub struct DecoderProgram {
    pub program: Program,
    /// (audio positions, width): input of `listen`.
    pub states: Value,
    /// Input of `step`.
    pub tokens: Value,
    /// (extents, vocabulary): what follows the last token of each.
    pub logits: Value,
    /// Computes the keys and values of the cross-attention, once for a lane's window.
    pub listen: Procedure,
    /// Takes more tokens.
    pub step: Procedure,
}

/// Most sequences whose steps are taken together.
pub const MOST_LANES: usize = 8;

/// Writes the decoder of a model of these sizes, whose special tokens begin with `end_of_text`.
pub fn decoder(config: &Config, end_of_text: Token) -> DecoderProgram {
    let width = config.width;
    let mut program = Program::default();
    let states = program.value("states", Rows::Step(config.audio_positions), width);
    let audio_key = program.value("audio keys", Rows::Step(config.audio_positions), width);
    let audio_value = program.value("audio values", Rows::Step(config.audio_positions), width);
    // A first step has a prompt, which several lanes may take at once.
    let text_rows = MOST_LANES * config.text_positions;
    let tokens = program.value("tokens", Rows::Step(text_rows), 1);
    let mut text = |name, columns| program.value(name, Rows::Step(text_rows), columns);
    let x = text("x", width);
    let normed = text("normed", width);
    let query = text("query", width);
    let attended = text("attended", width);
    let hidden = text("hidden", 4 * width);
    let last = program.value("last", Rows::Each(MOST_LANES), width);
    let final_state = program.value("final state", Rows::Each(MOST_LANES), width);
    let logits = program.value("logits", Rows::Each(MOST_LANES), config.vocabulary_size);

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
        let heads = config.decoder_heads;
        let memory = program.memory(config.audio_positions, width, heads);
        listen.extend([
            names.linear_without_bias("cross.key", states, audio_key),
            names.linear("cross.value", states, audio_value),
            Operation::Remember { key: audio_key, value: audio_value, memory },
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
            Operation::Recall { query, memory, output: attended },
            names.residual("cross.out", attended, x),
            names.norm("mlp.norm", x, normed),
            names.gelu("mlp.up", normed, hidden),
            names.residual("mlp.down", hidden, x),
        ]);
    }
    step.extend([
        Operation::LastRow { input: x, output: last },
        Names("decoder".into()).norm("norm", last, final_state),
        Operation::Logits {
            input: final_state,
            weight: "decoder.tokens".into(),
            exact_from: end_of_text as usize,
            output: logits,
        },
    ]);
    let (listen, step) = (program.procedure(listen), program.procedure(step));
    DecoderProgram { program, states, tokens, logits, listen, step }
}
