//! Token ids and the bytes that they stand for.

mod byte_level;
mod encode;
mod language;
mod letters;
mod merge;
mod non_speech;
mod special;

use std::{collections::HashMap, path::Path};

use super::{ModelError, format::invalid};

pub use language::language_code;
pub use special::{SpecialTokens, TIMESTAMPS};

/// The id of a token.
pub type Token = u32;

/// A byte-level vocabulary.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// Ids with a meaning of their own.
    pub special: SpecialTokens,
    bytes: Vec<u8>,
    /// Where each token's bytes end in `bytes`.
    ends: Vec<usize>,
    /// The tokens with bytes, in the order of these.
    sorted: Vec<Token>,
    /// Bytes of the longest token.
    longest: usize,
}

impl Vocabulary {
    /// Number of tokens, special ones included.
    pub fn size(&self) -> usize {
        self.ends.len()
    }

    /// The bytes that a token adds to the text: none for a special token or an id beyond the vocabulary.
    pub fn bytes(&self, token: Token) -> &[u8] {
        let index = token as usize;
        let Some(end) = self.ends.get(index) else { return &[] };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..*end]
    }

    /// The most bytes that a text of `tokens` tokens has.
    pub fn most_bytes(&self, tokens: usize) -> usize {
        tokens * self.longest
    }

    /// The text of `tokens`; special ones add nothing, and bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[Token]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| self.bytes(*token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The token of exactly these bytes.
    pub fn token(&self, bytes: &[u8]) -> Option<Token> {
        let position = self.sorted.binary_search_by(|token| self.bytes(*token).cmp(bytes)).ok()?;
        Some(self.sorted[position])
    }

    /// Whether the token is a time: `<|0.00|>` to `<|30.00|>`.
    pub fn is_timestamp(&self, token: Token) -> bool {
        self.timestamp(token).is_some()
    }

    /// How many steps of 20 ms a timestamp token stands for; `None` for other tokens.
    pub fn timestamp(&self, token: Token) -> Option<usize> {
        let steps = token.checked_sub(self.special.timestamp_begin)? as usize;
        (steps < TIMESTAMPS).then_some(steps)
    }

    /// Whether the model knows more than English, and so has language and task tokens in its prompt.
    pub fn is_multilingual(&self) -> bool {
        !self.special.languages.is_empty()
    }

    /// The token of a language by Whisper's code for it (`en`, `yue`); `None` always for an English-only model.
    pub fn language_token(&self, code: &str) -> Option<Token> {
        self.special.languages.iter().find(|(name, _)| name == code).map(|(_, token)| *token)
    }

    /// The code of the language that a token stands for.
    pub fn language_of(&self, token: Token) -> Option<&str> {
        self.special.languages.iter().find(|(_, language)| *language == token).map(|(code, _)| code.as_str())
    }

    /// The tokens that openai/whisper never writes by default (`_get_suppress_tokens` in `decoding.py`): annotations
    /// and special tokens. For models whose files do not list them.
    pub(super) fn default_suppressed(&self) -> Vec<Token> {
        let mut tokens = non_speech::tokens(self);
        let special = &self.special;
        tokens.extend([special.start_of_transcript, special.translate, special.transcribe]);
        tokens.extend([special.start_of_previous, special.no_speech]);
        tokens.extend(special.start_of_lm);
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// The tokens that openai/whisper does not begin a text with: a lone space and the end.
    pub(super) fn default_suppressed_at_begin(&self) -> Vec<Token> {
        self.token(b" ").into_iter().chain([self.special.end_of_text]).collect()
    }

    /// From the tokens' names in id order, spelled in GPT-2's printable alphabet, empty where an id has none.
    ///
    /// Special tokens are found by name. `path` is the file they are from.
    pub(super) fn from_names(path: &Path, names: &[String], is_english_only: bool) -> Result<Self, ModelError> {
        let special_names: HashMap<&str, Token> = (0..)
            .zip(names)
            .filter(|(_, name)| special::is_special(name))
            .map(|(token, name)| (name.as_str(), token))
            .collect();
        let special = SpecialTokens::from_names(path, &special_names, names.len(), is_english_only)?;
        let text =
            names.iter().map(|name| if special::is_special(name) { Vec::new() } else { byte_level::bytes(name) });
        Self::build(path, special, text)
    }

    /// From the bytes of the text tokens in id order; what the others are follows from the vocabulary's size.
    pub(super) fn from_text_tokens(path: &Path, text: &[&[u8]], size: usize) -> Result<Self, ModelError> {
        let special = SpecialTokens::from_size(path, size)?;
        let text_size = special.end_of_text as usize;
        if text.len() < text_size || text.len() > size {
            let expected = format_args!("{text_size}, for a vocabulary of {size}");
            return Err(invalid(path, "number of text tokens", expected, text.len()));
        }
        let tokens = (0..size).map(|token| if token < text_size { text[token] } else { &[] });
        Self::build(path, special, tokens)
    }

    fn build(
        path: &Path,
        special: SpecialTokens,
        tokens: impl Iterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self, ModelError> {
        let (mut bytes, mut ends, mut longest) = (Vec::new(), Vec::new(), 0);
        for token in tokens {
            longest = longest.max(token.as_ref().len());
            bytes.extend_from_slice(token.as_ref());
            ends.push(bytes.len());
        }
        let mut vocabulary = Self { special, bytes, ends, sorted: Vec::new(), longest };
        let mut sorted: Vec<Token> =
            (0..vocabulary.size() as Token).filter(|token| !vocabulary.bytes(*token).is_empty()).collect();
        sorted.sort_by_key(|token| vocabulary.bytes(*token));
        if sorted.is_empty() {
            return Err(invalid(path, "vocabulary", "of tokens that stand for text", "without any"));
        }
        vocabulary.sorted = sorted;
        Ok(vocabulary)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The 256 bytes, some words, and the special tokens of a multilingual model.
    pub fn small() -> Vocabulary {
        let mut names: Vec<String> = (0..=255).map(|byte| byte_level::spell(&[byte])).collect();
        for word in [" t", "he", " the", "re", " -", " '", "--", " --", "((", "é", "日", "er"] {
            names.push(byte_level::spell(word.as_bytes()));
        }
        names.extend(special_names());
        Vocabulary::from_names(Path::new("vocabulary.txt"), &names, false).unwrap()
    }

    pub fn special_names() -> Vec<String> {
        let named = ["endoftext", "startoftranscript", "en", "de", "yue", "translate", "transcribe", "startoflm"];
        let named = named.into_iter().chain(["startofprev", "nospeech", "notimestamps"]).map(str::to_owned);
        let times = (0..TIMESTAMPS).map(|step| format!("{:.2}", step as f64 * 0.02));
        named.chain(times).map(|name| format!("<|{name}|>")).collect()
    }

    #[test]
    fn characters_split_over_tokens_come_together() {
        let vocabulary = small();
        let tokens: Vec<Token> = "日本".bytes().map(|byte| vocabulary.token(&[byte]).unwrap()).collect();
        assert_eq!(vocabulary.decode(&tokens), "日本");
        assert_eq!(vocabulary.decode(&tokens[..4]), "日\u{FFFD}");
    }

    #[test]
    fn special_and_unknown_tokens_have_no_text() {
        let vocabulary = small();
        let the = vocabulary.token(b" the").unwrap();
        let special = &vocabulary.special;
        assert_eq!(vocabulary.decode(&[special.timestamp_begin, the, special.end_of_text, 1_000_000]), " the");
        assert_eq!(vocabulary.token(b""), None);
    }

    #[test]
    fn timestamps_end_at_thirty_seconds() {
        let vocabulary = small();
        let begin = vocabulary.special.timestamp_begin;
        assert!(!vocabulary.is_timestamp(begin - 1));
        assert_eq!(vocabulary.timestamp(begin + 1500), Some(1500));
        assert!(!vocabulary.is_timestamp(begin + 1501));
    }

    #[test]
    fn languages_go_both_ways() {
        let vocabulary = small();
        let cantonese = vocabulary.language_token("yue").unwrap();
        assert_eq!(vocabulary.language_of(cantonese), Some("yue"));
        assert_eq!(vocabulary.language_token("xx"), None);
        assert_eq!(vocabulary.language_of(vocabulary.special.translate), None);
    }
}
