//! Tokens → words (`split_tokens_on_unicode` and `split_tokens_on_spaces` in openai/whisper `tokenizer.py`).

use std::ops::Range;

use super::scripts::{continues, has_spaces, is_spaced};
use crate::model::{Token, Vocabulary};

/// What stands for itself where words have spaces: ASCII's punctuation, in its order.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Some tokens and what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// With the space before it, where there is one.
    pub text: String,
    /// Which of the tokens.
    pub tokens: Range<usize>,
}

/// The words of `tokens`, one behind the other, in a text of this language, by its code. Where words have spaces between them
/// a word begins with a space, and punctuation is a word; elsewhere each token is, or as many as make whole characters, or a whole word
/// or number of a script that has spaces.
pub fn split(tokens: &[Token], vocabulary: &Vocabulary, language: &str) -> Vec<Piece> {
    let characters = characters(tokens, vocabulary);
    if !has_spaces(language) {
        return spaced_runs(characters);
    }
    let mut words: Vec<Piece> = Vec::new();
    for piece in characters {
        let is_apart = piece.text.starts_with(' ') || PUNCTUATION.contains(piece.text.trim());
        match words.last_mut() {
            Some(word) if !is_apart => word.extend(piece),
            _ => words.push(piece),
        }
    }
    words
}

/// Joins letters and digits of scripts that have spaces, and apostrophes between them.
fn spaced_runs(pieces: Vec<Piece>) -> Vec<Piece> {
    const APOSTROPHES: [char; 2] = ['\'', '’'];
    let begins_spaced = |text: &str| text.starts_with(is_spaced);
    let mut runs: Vec<Piece> = Vec::new();
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let next = pieces.peek().map_or("", |next| next.text.as_str());
        let goes_on = |run: &Piece| {
            let is_open = run.text.trim_end_matches(APOSTROPHES).ends_with(is_spaced);
            let goes_on_behind = |rest: &str| begins_spaced(if rest.is_empty() { next } else { rest });
            let is_inner =
                || run.text.ends_with(is_spaced) && piece.text.strip_prefix(APOSTROPHES).is_some_and(goes_on_behind);
            is_open && begins_spaced(&piece.text) || is_inner()
        };
        match runs.last_mut() {
            Some(run) if goes_on(run) => run.extend(piece),
            _ => runs.push(piece),
        }
    }
    runs
}

/// As few tokens at a time as make whole characters.
fn characters(tokens: &[Token], vocabulary: &Vocabulary) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |bytes: &[u8], tokens: Range<usize>| {
        let piece = Piece { text: String::from_utf8_lossy(bytes).into_owned(), tokens };
        match (pieces.last_mut(), piece.text.chars().next()) {
            (Some(last), Some(first)) if continues(&last.text, first) => last.extend(piece),
            (Some(last), None) => last.extend(piece),
            _ => pieces.push(piece),
        }
    };
    // The bytes of a character that has begun, and the token it began with.
    let (mut begun, mut first) = (Vec::new(), 0);
    for (index, token) in tokens.iter().enumerate() {
        let whole = begun.len();
        begun.extend_from_slice(vocabulary.bytes(*token));
        if whole > 0 && ending(&begun) == Ending::Wrong {
            // What was begun goes on otherwise than any character.
            push(&begun[..whole], first..index);
            begun.drain(..whole);
            first = index;
        }
        if ending(&begun) != Ending::Open {
            push(&begun, first..index + 1);
            begun.clear();
            first = index + 1;
        }
    }
    if !begun.is_empty() {
        push(&begun, first..tokens.len());
    }
    pieces
}

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Characters.
    Whole,
    /// Characters and the beginning of one.
    Open,
    /// No characters, whatever follows.
    Wrong,
}

fn ending(bytes: &[u8]) -> Ending {
    match std::str::from_utf8(bytes).map_err(|error| error.error_len()) {
        Ok(_) => Ending::Whole,
        Err(None) => Ending::Open,
        Err(Some(_)) => Ending::Wrong,
    }
}

impl Piece {
    fn extend(&mut self, next: Self) {
        self.text.push_str(&next.text);
        self.tokens.end = next.tokens.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::small_vocabulary;

    /// The words of a text, of which each of `parts` is a token if the vocabulary has it, and else a token a byte.
    fn words(parts: &[&str], language: &str) -> Vec<String> {
        let vocabulary = small_vocabulary();
        let bytes =
            |part: &str| -> Vec<Token> { part.bytes().map(|byte| vocabulary.token(&[byte]).unwrap()).collect() };
        let token = |part: &&str| vocabulary.token(part.as_bytes()).map_or_else(|| bytes(part), |token| vec![token]);
        let tokens: Vec<Token> = parts.iter().flat_map(token).collect();
        let pieces = split(&tokens, &vocabulary, language);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), parts.concat());
        let mut next = 0;
        for piece in &pieces {
            assert_eq!(
                (piece.tokens.start, vocabulary.decode(&tokens[piece.tokens.clone()])),
                (next, piece.text.clone())
            );
            next = piece.tokens.end;
        }
        assert_eq!(next, tokens.len());
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn english_is_split_at_spaces_and_punctuation() {
        assert_eq!(words(&[" the", "re", ",", " he", "'", "s"], "en"), [" there", ",", " he", "'s"]);
        assert_eq!(words(&["no", " -", "the", " t", "é"], "en"), ["no", " -the", " té"]);
        assert_eq!(words(&[" the", " 👍🏽", " t"], "en"), [" the", " 👍🏽", " t"]);
    }

    #[test]
    fn chinese_and_japanese_are_split_into_characters_or_tokens() {
        assert_eq!(words(&["日", "本", "。"], "zh"), ["日", "本", "。"]);
        assert_eq!(words(&["日", "本", "か\u{3099}"], "ja"), ["日", "本", "か\u{3099}"]);
        assert_eq!(words(&["日", " the"], "yue"), ["日", " the"]);
        assert_eq!(words(&["日", "本"], "ko"), ["日本"], "Korean has spaces");
    }

    #[test]
    fn words_and_numbers_of_scripts_with_spaces_are_whole_anywhere() {
        assert_eq!(words(&["日", "OU1", "本", " the", "re", "日"], "zh"), ["日", "OU1", "本", " there", "日"]);
        assert_eq!(words(&["2024", "日", "Ｇ７", "Ω", "да"], "ja"), ["2024", "日", "Ｇ７Ωда"]);
        assert_eq!(words(&["日", "beauty", "'s", "日", "l’été"], "yue"), ["日", "beauty's", "日", "l’été"]);
        assert_eq!(words(&["'no", "'", "日", "'", "o"], "zh"), ["'", "no", "'", "日", "'", "o"]);
        assert_eq!(words(&["ดี", " ", "OK", "ดี", " ", "10", "%"], "th"), ["ดี", " ", "OK", "ดี", " ", "10", "%"]);
        assert_eq!(words(&["๒๕๖๗", "ปี"], "th"), ["๒๕๖๗", "ปี"]);
    }

    #[test]
    fn vowels_stay_with_their_consonants() {
        assert_eq!(words(&["ประเทศไทย"], "th"), ["ป", "ระ", "เท", "ศ", "ไท", "ย"]);
        assert_eq!(words(&["น้ำมากๆ"], "th"), ["น้ำ", "มา", "กๆ"]);
        assert_eq!(words(&["ພາສາລາວ", "ເປັນ"], "lo"), ["ພາ", "ສາ", "ລາ", "ວ", "ເປັ", "ນ"]);
        assert_eq!(words(&["ဗုဒ္ဓ"], "my"), ["ဗု", "ဒ္ဓ"]);
    }

    #[test]
    fn marks_of_thai_lao_and_burmese_stay_with_their_letters() {
        assert_eq!(words(&["ดีที่"], "th"), ["ดี", "ที่"]);
        assert_eq!(words(&["ຂ້ອຍ"], "lo"), ["ຂ້", "ອ", "ຍ"]);
        assert_eq!(words(&["မြန်မာ"], "my"), ["မြ", "န်", "မာ"]);
    }

    #[test]
    fn emoji_of_many_tokens_are_whole() {
        for emoji in ["🎉", "👩\u{200D}👩\u{200D}👧", "🏴\u{E0067}\u{E007F}", "🇯🇵", "1\u{FE0F}\u{20E3}", "👋🏿"]
        {
            assert_eq!(words(&["日", emoji, "本"], "ja"), ["日", emoji, "本"]);
            assert_eq!(words(&[" the", " ", emoji], "en"), [" the".to_owned(), format!(" {emoji}")]);
        }
        assert_eq!(words(&["🇯🇵🇩🇪"], "ja"), ["🇯🇵", "🇩🇪"]);
    }

    #[test]
    fn bytes_that_are_no_characters_are_words_or_parts_of_one() {
        let vocabulary = small_vocabulary();
        let token = |bytes: &[u8]| vocabulary.token(bytes).unwrap();
        let split = |tokens: &[Token], language| -> Vec<(String, Range<usize>)> {
            split(tokens, &vocabulary, language).into_iter().map(|piece| (piece.text, piece.tokens)).collect()
        };
        let cut = [token("日".as_bytes()), token(&[0xE6]), token(&[0x97])];
        assert_eq!(split(&cut, "ja"), [("日".into(), 0..1), ("\u{FFFD}".into(), 1..3)]);
        let broken = [token(&[0xE6]), token(&[0x97]), token(b" the"), token(&[0xFF]), token("日".as_bytes())];
        let broken_split =
            [("\u{FFFD}".into(), 0..2), (" the".into(), 2..3), ("\u{FFFD}".into(), 3..4), ("日".into(), 4..5)];
        assert_eq!(split(&broken, "zh"), broken_split);
        assert_eq!(split(&broken, "en").len(), 2);
        assert_eq!(split(&[], "en"), []);
    }
}
