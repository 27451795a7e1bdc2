//! Text to tokens: GPT-2's cutting into pieces, then byte pair merges, lowest rank first.

use super::{Token, Vocabulary, letters::is_letter, merge::merge};

impl Vocabulary {
    /// The tokens of a text, as tiktoken encodes it; special tokens are not looked for.
    ///
    /// Bytes that have no token are left out; every Whisper vocabulary has one for each of the 256.
    pub fn encode(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        pieces(text).for_each(|piece| self.encode_piece(piece.as_bytes(), &mut tokens));
        tokens
    }

    /// The last `most` tokens of a text, or all if it has fewer. What comes before their pieces is not encoded.
    pub fn encode_end(&self, text: &str, most: usize) -> Vec<Token> {
        let pieces: Vec<&str> = pieces(text).collect();
        let (mut parts, mut count) = (Vec::new(), 0);
        for piece in pieces.into_iter().rev() {
            if count >= most {
                break;
            }
            let mut part = Vec::new();
            self.encode_piece(piece.as_bytes(), &mut part);
            count += part.len();
            parts.push(part);
        }
        parts.into_iter().rev().flatten().skip(count.saturating_sub(most)).collect()
    }

    fn encode_piece(&self, piece: &[u8], tokens: &mut Vec<Token>) {
        if let Some(token) = self.token(piece) {
            tokens.push(token);
            return;
        }
        // A merge's rank is the id of the token that it makes.
        let parts = merge(piece.len(), |part| self.token(&piece[part]));
        tokens.extend(parts.into_iter().filter_map(|part| self.token(&piece[part])));
    }
}

/// A text cut as GPT-2 cuts it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, behind) = rest.split_at(piece_length(rest));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
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

    fn cut(text: &str) -> Vec<&str> {
        pieces(text).collect()
    }

    #[test]
    fn text_is_cut_as_gpt_2_cuts_it() {
        let expected = ["Hello", ",", " it", "'s", " 10", " o", "'", "clock", "!"];
        assert_eq!(cut("Hello, it's 10 o'clock!"), expected);
        assert_eq!(cut("a  b\n\nc "), ["a", " ", " b", "\n", "\n", "c", " "]);
        assert_eq!(cut("  \n"), ["  \n"]);
        assert_eq!(cut("日本 2½"), ["日本", " 2½"]);
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

    #[test]
    fn the_end_of_a_text_has_its_last_tokens() {
        let vocabulary = small();
        for text in ["", " ", "Where's the\tthermos?  —  日本語\n", "herherher", &" there".repeat(50)] {
            let tokens = vocabulary.encode(text);
            for most in [0, 1, 2, 7, 1000] {
                let expected = &tokens[tokens.len().saturating_sub(most)..];
                assert_eq!(vocabulary.encode_end(text, most), expected, "{text:?}, {most}");
            }
        }
    }

    /// Who looks through all of a piece for each merge is at it for minutes.
    #[test]
    fn long_text_without_spaces_is_encoded_at_once() {
        let vocabulary = small();
        for text in ["he".repeat(300_000), "日本語".repeat(60_000)] {
            assert_eq!(vocabulary.decode(&vocabulary.encode(&text)), text);
        }
    }
}
