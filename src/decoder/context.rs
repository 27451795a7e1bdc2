//! What the decoder takes to have been said before a window.

use super::Options;
use crate::model::{Model, Token, Vocabulary};

/// `<|startofprev|>`, then the vocabulary, the prompt and the text before the window, at most half of the model's positions; nothing
/// if there is none of them.
///
/// The order is that of `get_prompt` in SYSTRAN/faster-whisper `transcribe.py`, where what is rejected of too much text is its
/// beginning, as in `_get_initial_tokens` of openai/whisper `decoding.py`. Prompt and vocabulary stand before every window
/// (`carry_initial_prompt` of openai/whisper `transcribe.py`).
pub fn context(model: &Model, options: &Options) -> Vec<Token> {
    let most = (model.config.text_positions / 2 - 1).saturating_sub(options.prefix.len());
    let vocabulary = words(&options.vocabulary, most, &model.vocabulary);
    let prompt = prompt(&options.prompt, most - vocabulary.len(), &model.vocabulary);
    let previous = last(&options.previous, most - vocabulary.len() - prompt.len());
    let context = [&vocabulary, &prompt, previous].concat();
    if context.is_empty() { context } else { [&[model.vocabulary.special.start_of_previous], &context[..]].concat() }
}

/// As many of the words as there is room for, divided by commas.
fn words(words: &[String], most: usize, vocabulary: &Vocabulary) -> Vec<Token> {
    let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
    let (mut text, mut tokens) = (String::new(), Vec::new());
    for word in words {
        text.push_str(if text.is_empty() { " " } else { ", " });
        text.push_str(word);
        // What is too long for any tokens is not worth the time to encode it, which a live stream has not.
        if text.len() > vocabulary.most_bytes(most) {
            break;
        }
        let longer = vocabulary.encode(&text);
        if longer.len() > most {
            break;
        }
        tokens = longer;
    }
    tokens
}

/// The last tokens of the prompt.
fn prompt(text: &str, most: usize, vocabulary: &Vocabulary) -> Vec<Token> {
    match text.trim() {
        "" => Vec::new(),
        text => vocabulary.encode_end(&format!(" {text}"), most),
    }
}

fn last(tokens: &[Token], most: usize) -> &[Token] {
    &tokens[tokens.len().saturating_sub(most)..]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn model() -> Model {
        Model::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/toy"))).unwrap()
    }

    #[test]
    fn vocabulary_goes_before_prompt_and_both_before_what_was_said() {
        let model = model();
        let (begin, text) = (model.vocabulary.special.start_of_previous, |text: &str| model.vocabulary.encode(text));
        assert!(context(&model, &Options::default()).is_empty());
        let blank = Options { vocabulary: vec![" ".into()], prompt: " ".into(), ..Options::default() };
        assert!(context(&model, &blank).is_empty());

        let options = Options {
            vocabulary: vec!["so".into(), " fa ".into()],
            prompt: " do re ".into(),
            previous: text(" mi"),
            ..Options::default()
        };
        assert_eq!(context(&model, &options), [vec![begin], text(" so, fa"), text(" do re"), text(" mi")].concat());
        let previous = Options { previous: text(" mi"), ..Options::default() };
        assert_eq!(context(&model, &previous), [vec![begin], text(" mi")].concat());
    }

    #[test]
    fn the_oldest_text_and_the_last_words_find_no_room() {
        let model = model();
        let most = model.config.text_positions / 2 - 1;
        let many = |count: usize| Options { vocabulary: vec!["do".into(); count], ..Options::default() };
        let few = context(&model, &many(3));
        let tokens = context(&model, &many(1000));
        assert!(tokens.starts_with(&few) && tokens.len() <= most + 1 && tokens.len() + few.len() > most + 1);
        assert_eq!(model.vocabulary.decode(&tokens[tokens.len() - 1..]), " do");

        let previous: Vec<Token> = (0..200).cycle().take(1000).collect();
        let options = Options { previous: previous.clone(), prompt: "do re mi".into(), ..many(2) };
        let tokens = context(&model, &options);
        let before = context(&model, &Options { previous: Vec::new(), ..options });
        assert_eq!(tokens.len(), most + 1);
        assert!(tokens.starts_with(&before));
        assert!(previous.ends_with(&tokens[before.len()..]));
    }
}
