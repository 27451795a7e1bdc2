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
    /// What alignment needs, if it was asked for.
    pub following: Option<Following>,
}

/// The part of the program that takes a whole text and says where each token looks.
pub struct Following {
    /// Takes the tokens of one lane from its beginning.
    pub follow: Procedure,
    /// Of each layer that has alignment heads, how many: (rows, heads · audio positions).
    pub probabilities: Vec<(Value, usize)>,
    /// (rows, width): what the logits of each row are made of.
    pub states: Value,
    /// Input of `judge`.
    pub judged: Value,
    /// (rows, vocabulary): what follows each judged state.
    pub logits: Value,
    /// Makes logits of states.
    pub judge: Procedure,
}

/// Most sequences whose steps are taken together.
pub const MOST_LANES: usize = 8;

/// Most states that are judged at a time: all of a text at once would need tens of megabytes of logits.
pub const MOST_JUDGED: usize = 32;

/// Writes the decoder of a model of these sizes, whose special tokens begin with `end_of_text`; with what alignment needs if it
/// `is_followed`.
pub fn decoder(config: &Config, end_of_text: Token, is_followed: bool) -> DecoderProgram {
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
    let (mut follow, mut probabilities) = (step.clone(), Vec::new());
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
        let until_query = [
            names.norm("attention.norm", x, normed),
            names.linear("attention.query", normed, query),
            names.linear_without_bias("attention.key", normed, key),
            names.linear("attention.value", normed, value),
            Operation::Attention { query, key, value, heads, mask: Mask::Causal, output: attended },
            names.residual("attention.out", attended, x),
            names.norm("cross.norm", x, normed),
            names.linear("cross.query", normed, query),
        ];
        let from_recall = [
            Operation::Recall { query, memory, output: attended },
            names.residual("cross.out", attended, x),
            names.norm("mlp.norm", x, normed),
            names.gelu("mlp.up", normed, hidden),
            names.residual("mlp.down", hidden, x),
        ];
        step.extend(until_query.iter().chain(&from_recall).cloned());
        if is_followed {
            follow.extend(until_query);
            let wanted = config.alignment_heads.iter().filter(|(of, _)| *of == layer).map(|(_, head)| *head);
            let wanted: Vec<usize> = wanted.collect();
            if !wanted.is_empty() {
                let columns = wanted.len() * config.audio_positions;
                let output = program.value("probabilities", Rows::Step(config.text_positions), columns);
                probabilities.push((output, wanted.len()));
                follow.push(Operation::Probabilities { query, memory, heads: wanted, output });
            }
            follow.extend(from_recall);
        }
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
    let following = is_followed.then(|| {
        let states = program.value("followed states", Rows::Step(config.text_positions), width);
        let judged = program.value("judged states", Rows::Step(MOST_JUDGED), width);
        let logits = program.value("judged logits", Rows::Step(MOST_JUDGED), config.vocabulary_size);
        follow.push(Names("decoder".into()).norm("norm", x, states));
        // Any token may have been written, not the likeliest alone, so none may be rounded.
        let judge =
            vec![Operation::Logits { input: judged, weight: "decoder.tokens".into(), exact_from: 0, output: logits }];
        let (follow, judge) = (program.procedure(follow), program.procedure(judge));
        Following { follow, probabilities, states, judged, logits, judge }
    });
    DecoderProgram { program, states, tokens, logits, listen, step, following }
}
