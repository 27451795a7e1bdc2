//! Text to what is compared: words, or characters where a language writes no spaces, without case, punctuation and the
//! differences that a listener would not hear.
//!
//! English is written as Whisper's authors did for their own error rates (`EnglishTextNormalizer` of openai/whisper),
//! every other language as their `BasicTextNormalizer` does.

mod basic;
mod contractions;
mod english;
mod number_reader;
mod number_words;
mod numbers;
mod spellings;

use basic::Basic;
use english::English;
pub use spellings::Spellings;

/// Languages that are scored by character: their words are not set apart by spaces.
const BY_CHARACTER: [&str; 7] = ["ja", "ko", "lo", "my", "th", "yue", "zh"];

/// What one error is an error of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Word error rate.
    Word,
    /// Character error rate.
    Character,
}

impl Unit {
    /// The unit for a language code.
    pub fn of(language: &str) -> Self {
        if BY_CHARACTER.contains(&language) { Self::Character } else { Self::Word }
    }
}

/// Both normalisers, with their patterns compiled.
pub struct Normaliser {
    basic: Basic,
    english: English,
}

impl Normaliser {
    /// `spellings` may be empty: then British and American spellings stay apart.
    pub fn new(spellings: Spellings) -> Self {
        Self { basic: Basic::new(), english: English::new(spellings) }
    }

    /// The text in the form in which it is compared.
    pub fn normalise(&self, language: &str, text: &str) -> String {
        match language {
            "en" => self.english.normalise(text),
            _ => self.basic.normalise(text),
        }
    }

    /// The words or characters that are compared.
    pub fn units(&self, language: &str, text: &str) -> Vec<String> {
        let text = self.normalise(language, text);
        match Unit::of(language) {
            Unit::Word => text.split_whitespace().map(String::from).collect(),
            Unit::Character => text.chars().filter(|c| !c.is_whitespace()).map(String::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_without_spaces_are_compared_by_character() {
        let normaliser = Normaliser::new(Spellings::default());
        assert_eq!(normaliser.units("ja", "今日は、 晴れ。"), ["今", "日", "は", "晴", "れ"]);
        assert_eq!(normaliser.units("de", "Größe: 5 Äpfel!"), ["größe", "5", "äpfel"]);
        assert_eq!(normaliser.units("en", "Twenty-one, uh, cafés"), ["21", "cafes"]);
        assert_eq!((Unit::of("ko"), Unit::of("fr")), (Unit::Character, Unit::Word));
    }
}
