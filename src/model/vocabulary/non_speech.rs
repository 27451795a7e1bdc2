//! The tokens that annotate rather than say something (`non_speech_tokens` in openai/whisper `tokenizer.py`).

use super::{Token, Vocabulary};

/// Single-token symbols, with and without a space before them, and the first tokens of dash, quote and music notes.
pub(super) fn tokens(vocabulary: &Vocabulary) -> Vec<Token> {
    let singles = SYMBOLS.chars().map(String::from).chain(SEQUENCES.iter().map(|sequence| (*sequence).to_owned()));
    let mut tokens: Vec<Token> = singles
        .flat_map(|symbol| [format!(" {symbol}"), symbol])
        .filter_map(|symbol| vocabulary.token(symbol.as_bytes()))
        .collect();
    let spaced = |note: char| [String::from(note), format!(" {note}")];
    let beginnings = NOTES.chars().flat_map(spaced).chain([" -".to_owned(), " '".to_owned()]);
    tokens.extend(beginnings.filter_map(|text| vocabulary.encode(&text).first().copied()));
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

const SYMBOLS: &str = "\"#()*+/:;<=>@[\\]^_`{|}~「」『』";

const SEQUENCES: [&str; 20] = [
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    "(\"",
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
    "♪♪",
    "♪♪♪",
];

/// U+2669 to U+266F: mostly several tokens each, whose first one stands for no letter of any script.
const NOTES: &str = "♩♪♫♬♭♮♯";

#[cfg(test)]
mod tests {
    use crate::model::vocabulary::tests::small;

    #[test]
    fn symbols_are_suppressed_and_words_are_not() {
        let vocabulary = small();
        let tokens = super::tokens(&vocabulary);
        let is_suppressed = |text: &str| tokens.contains(&vocabulary.token(text.as_bytes()).unwrap());
        assert!(["(", "((", "--", " --", " -", " '", "["].into_iter().all(is_suppressed));
        assert!(!["-", "'", ",", ".", "?", " the", "é"].into_iter().any(is_suppressed));
        assert!(tokens.contains(&vocabulary.token(&"♪".as_bytes()[..1]).unwrap()));
    }
}
