//! English: contractions spelled out, numbers in digits, one spelling, no accents.

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::{
    basic::{Asides, Class},
    contractions,
    numbers::Numbers,
    spellings::Spellings,
};

/// Symbols that mean something beside a number.
const NUMERIC_SYMBOLS: &str = ".%$¢€£";

/// `EnglishTextNormalizer` of openai/whisper.
pub struct English {
    asides: Asides,
    fillers: Regex,
    loose_apostrophe: Regex,
    contractions: Vec<(Regex, String)>,
    thousands: Regex,
    full_stop: Regex,
    numbers: Numbers,
    spellings: Spellings,
    prefix_without_number: Regex,
    percent_without_number: Regex,
    spaces: Regex,
}

impl English {
    pub fn new(spellings: Spellings) -> Self {
        Self {
            asides: Asides::new(),
            fillers: pattern(r"\b(?:hmm|mm|mhm|mmm|uh|um)\b"),
            loose_apostrophe: pattern(r"\s+'"),
            contractions: contractions::patterns(),
            thousands: pattern(r"(\d),(\d)"),
            full_stop: pattern(r"\.([^0-9]|$)"),
            numbers: Numbers::new(),
            spellings,
            prefix_without_number: pattern(r"[.$¢€£]([^0-9])"),
            percent_without_number: pattern(r"([^0-9])%"),
            spaces: pattern(r"\s+"),
        }
    }

    pub fn normalise(&self, text: &str) -> String {
        let text = self.asides.remove(&text.to_lowercase());
        let text = self.fillers.replace_all(&text, "");
        let mut text = self.loose_apostrophe.replace_all(&text, "'").into_owned();
        for (contraction, expansion) in &self.contractions {
            text = contraction.replace_all(&text, expansion).into_owned();
        }
        let text = self.thousands.replace_all(&text, "${1}${2}");
        let text = self.full_stop.replace_all(&text, " ${1}");
        let text = self.spellings.unify(&self.numbers.normalise(&remove_symbols_and_diacritics(&text)));
        let text = self.prefix_without_number.replace_all(&text, " ${1}");
        let text = self.percent_without_number.replace_all(&text, "${1} ");
        self.spaces.replace_all(&text, " ").into_owned()
    }
}

/// Compiles a pattern of this program's own.
pub fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are constants that the tests compile")
}

fn remove_symbols_and_diacritics(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkd() {
        match (base_letters(c), Class::of(c)) {
            (Some(letters), _) => plain.push_str(letters),
            (None, Class::Diacritic) => {}
            (None, Class::Symbol) if !NUMERIC_SYMBOLS.contains(c) => plain.push(' '),
            (None, Class::Symbol | Class::Other) => plain.push(c),
        }
    }
    plain
}

/// Letters that compatibility decomposition leaves whole; the text is in lower case by now.
fn base_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'œ' => "oe",
        'ø' => "o",
        'æ' => "ae",
        'ß' => "ss",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str)]) {
        let spellings = [("colour", "color"), ("mould", "mold")].map(|(from, to)| (from.into(), to.into()));
        let english = English::new(Spellings::from_iter(spellings));
        for (text, expected) in cases {
            assert_eq!(english.normalise(text).trim(), *expected, "{text}");
        }
    }

    #[test]
    fn contractions_and_titles_are_spelled_out() {
        check(&[
            ("He won't, I can't and they don't.", "he will not i can not and they do not"),
            ("Let's go, y'all; I'ma stay", "let us go you all i am going to stay"),
            ("She's been told; he'd gone; it's got to be.", "she has been told he had gone it has got to be"),
            ("I'd've said we're what you'll see", "i would have said we are what you will see"),
            ("gonna wanna gotta", "going to want to got to"),
            ("Mr. and Mrs. Smith, Dr. No, St. John", "mister and missus smith doctor no saint john"),
            ("John 's hat isn 't here", "john is hat is not here"),
        ]);
    }

    #[test]
    fn remarks_fillers_and_punctuation_vanish() {
        check(&[
            ("[laughter] Um, well (coughs) hmm - yes!", "well yes"),
            ("<unk> uh-huh mmm", "huh"),
            ("summer ummm", "summer ummm"),
            ("Café naïve Œuvre Þór straße", "cafe naive oeuvre thor strasse"),
            ("well-known, \"quoted\" – dash... end.", "well known quoted dash end"),
        ]);
    }

    #[test]
    fn spellings_are_unified() {
        check(&[("The Colour of mould; colours", "the color of mold colours")]);
    }

    #[test]
    fn symbols_stay_only_with_their_numbers() {
        check(&[
            ("$1,000.50 and 30% of £20", "$1000.50 and 30% of £20"),
            ("percent % of $ things", "percent of things"),
            ("At 3.30 p.m. on the 4th.", "at 3.30 p m on the 4th"),
        ]);
    }
}
