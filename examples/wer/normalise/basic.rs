//! Any language: lower case, nothing in brackets, no symbols.

use regex::Regex;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use super::english::pattern;

/// `BasicTextNormalizer` of openai/whisper with its default of keeping diacritics.
pub struct Basic {
    asides: Asides,
    spaces: Regex,
}

impl Basic {
    pub fn new() -> Self {
        Self { asides: Asides::new(), spaces: pattern(r"\s+") }
    }

    /// Marks count as symbols once composed, as they do for Whisper.
    pub fn normalise(&self, text: &str) -> String {
        let text = self.asides.remove(&text.to_lowercase());
        let text: String = text.nfkc().map(|c| if Class::of(c) == Class::Other { c } else { ' ' }).collect();
        self.spaces.replace_all(&text.to_lowercase(), " ").into_owned()
    }
}

/// What stands in brackets or parentheses: sounds and remarks, not words.
pub struct Asides {
    brackets: Regex,
    parentheses: Regex,
}

impl Asides {
    pub fn new() -> Self {
        Self { brackets: pattern(r"[<\[][^>\]]*[>\]]"), parentheses: pattern(r"\([^)]+?\)") }
    }

    pub fn remove(&self, text: &str) -> String {
        self.parentheses.replace_all(&self.brackets.replace_all(text, ""), "").into_owned()
    }
}

/// What a character is to a normaliser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An accent or vowel sign that takes no room of its own (Mn).
    Diacritic,
    /// Another mark, a symbol or punctuation.
    Symbol,
    /// A letter, a digit, a space.
    Other,
}

impl Class {
    pub fn of(c: char) -> Self {
        use GeneralCategory::*;
        match get_general_category(c) {
            NonspacingMark => Self::Diacritic,
            SpacingMark | EnclosingMark | MathSymbol | CurrencySymbol | ModifierSymbol | OtherSymbol
            | ConnectorPunctuation | DashPunctuation | OpenPunctuation | ClosePunctuation | InitialPunctuation
            | FinalPunctuation | OtherPunctuation => Self::Symbol,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_become_spaces_and_accents_stay() {
        let basic = Basic::new();
        for (text, expected) in [
            ("L'été, c'est l'été.", "l été c est l été "),
            ("[Musik] Guten <i>Tag</i> (lacht)", " guten tag "),
            ("¿Qué tal? ½ € — ok", " qué tal 1 2 ok"),
            ("ガギグ・ｱｲｳ", "ガギグ アイウ"),
            ("Straße ÆSIR", "straße æsir"),
            ("e\u{301}te\u{301}", "été"),
            ("ที่นี่", "ท น "),
            ("()", " "),
        ] {
            assert_eq!(basic.normalise(text), expected, "{text}");
        }
    }
}
