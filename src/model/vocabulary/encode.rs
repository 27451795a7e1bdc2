//! Text to tokens: GPT-2's cutting into pieces, then byte pair merges, lowest rank first.

use super::{Token, Vocabulary, letters::is_letter};

impl Vocabulary {
    /// The tokens of a text, as tiktoken encodes it; special tokens are not looked for.
    ///
    /// Bytes that have no token are left out; every Whisper vocabulary has one for each of the 256.
    pub fn encode(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_length(rest));
            self.encode_piece(piece.as_bytes(), &mut tokens);
            rest = after;
        }
        tokens
    }

    /// A merge's rank is the id of the token that it makes (`_byte_pair_merge` in openai/tiktoken `src/lib.rs`).
    fn encode_piece(&self, piece: &[u8], tokens: &mut Vec<Token>) {
        if let Some(token) = self.token(piece) {
            tokens.push(token);
            return;
        }
        let mut starts: Vec<usize> = (0..=piece.len()).collect();
        let rank = |starts: &[usize], index: usize| {
            let (from, to) = (*starts.get(index)?, *starts.get(index + 2)?);
            self.token(&piece[from..to])
        };
        let mut ranks: Vec<Option<Token>> = (0..piece.len()).map(|index| rank(&starts, index)).collect();
        let lowest = |ranks: &[Option<Token>]| {
            (0..ranks.len()).filter(|index| ranks[*index].is_some()).min_by_key(|i| ranks[*i])
        };
        while let Some(index) = lowest(&ranks) {
            starts.remove(index + 1);
            ranks.remove(index + 1);
            ranks[index] = rank(&starts, index);
            if let Some(before) = index.checked_sub(1) {
                ranks[before] = rank(&starts, before);
            }
        }
        tokens.extend(starts.windows(2).filter_map(|pair| self.token(&piece[pair[0]..pair[1]])));
    }
}

/// Bytes of the first match of GPT-2's pattern
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
fn piece_length(text: &str) -> usize {
    let endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    if let Some(ending) = endings.into_iter().find(|ending| text.starts_with(ending)) {
        return ending.len();
    }
    let spaced = text.strip_prefix(' ').unwrap_or(text);
    if let Some(class) = spaced.chars().next().map(class).filter(|class| *class != Class::Space) {
        let run = spaced.find(|character| self::class(character) != class).unwrap_or(spaced.len());
        return text.len() - spaced.len() + run;
    }
    let run = text.find(|character| class(character) != Class::Space).unwrap_or(text.len());
    let last = text[..run].chars().next_back().map_or(0, char::len_utf8);
    if run < text.len() && run > last { run - last } else { run }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

fn class(character: char) -> Class {
    match character {
        _ if character.is_whitespace() => Class::Space,
        _ if is_letter(character) => Class::Letter,
        _ if character.is_numeric() => Class::Number,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vocabulary::tests::small;

    fn pieces(mut text: &str) -> Vec<&str> {
        let mut pieces = Vec::new();
        while !text.is_empty() {
            let (piece, rest) = text.split_at(piece_length(text));
            pieces.push(piece);
            text = rest;
        }
        pieces
    }

    #[test]
    fn text_is_cut_as_gpt_2_cuts_it() {
        let expected = ["Hello", ",", " it", "'s", " 10", " o", "'", "clock", "!"];
        assert_eq!(pieces("Hello, it's 10 o'clock!"), expected);
        assert_eq!(pieces("a  b\n\nc "), ["a", " ", " b", "\n", "\n", "c", " "]);
        assert_eq!(pieces("  \n"), ["  \n"]);
        assert_eq!(pieces("日本 2½"), ["日本", " 2½"]);
    }

    #[test]
    fn the_lowest_merge_comes_first() {
        let vocabulary = small();
        let token = |text: &str| vocabulary.token(text.as_bytes()).unwrap();
        assert_eq!(vocabulary.encode(" the"), [token(" the")]);
        assert_eq!(vocabulary.encode(" there"), [token(" the"), token("re")]);
        assert_eq!(vocabulary.encode("her"), [token("he"), token("r")]);
        assert_eq!(vocabulary.encode("-x--"), [token("-"), token("x"), token("--")]);
        assert!(vocabulary.encode("").is_empty());
    }

    #[test]
    fn decoding_gives_the_text_back() {
        let vocabulary = small();
        for text in ["Where's the\tthermos?  —  日本語\n", "\u{0}é½"] {
            assert_eq!(vocabulary.decode(&vocabulary.encode(text)), text);
        }
    }
}
