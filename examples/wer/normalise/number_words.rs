//! The words that numbers are made of.

use std::collections::HashMap;

const ONES: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Powers of a thousand from the second on are 10^6, 10^9 and so forth.
const THOUSANDS: [&str; 11] = [
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
];

/// What a word is within a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberWord {
    /// `zero`, `oh`, `o`
    Zero,
    /// `one` to `nineteen`
    One(u128),
    /// `threes`, `third`: the value and what is written after it.
    OneSuffixed(u128, &'static str),
    /// `twenty` to `ninety`
    Ten(u128),
    /// `twenties`, `twentieth`
    TenSuffixed(u128, &'static str),
    /// `hundred` to `decillion`
    Multiplier(u128),
    /// `hundreds`, `hundredth`
    MultiplierSuffixed(u128, &'static str),
    /// `minus`, `plus`: a sign before a number.
    Sign(char),
    /// `dollars`, `cents`: a symbol that is said after the number and written before it.
    Currency(char),
    /// `per`, of `per cent`
    Per,
    /// `percent`
    Percent,
    /// `and`
    And,
    /// `double` is 2, `triple` is 3.
    Repeat(usize),
    /// `point`
    Point,
}

impl NumberWord {
    /// Whether it can be a digit after a decimal point.
    pub fn is_decimal(self) -> bool {
        matches!(self, Self::Zero | Self::One(_) | Self::Ten(_))
    }
}

/// All number words.
pub struct NumberWords(HashMap<String, NumberWord>);

impl NumberWords {
    pub fn new() -> Self {
        let mut words = HashMap::new();
        add_ones(&mut words);
        add_tens(&mut words);
        add_multipliers(&mut words);
        add_particles(&mut words);
        Self(words)
    }

    /// What `word` is; `None` if it has nothing to do with numbers.
    pub fn get(&self, word: &str) -> Option<NumberWord> {
        self.0.get(word).copied()
    }
}

fn add_ones(words: &mut HashMap<String, NumberWord>) {
    for zero in ["zero", "oh", "o"] {
        words.insert(zero.into(), NumberWord::Zero);
    }
    for (value, one) in (1..).zip(ONES) {
        words.insert(one.into(), NumberWord::One(value));
        let plural = if one == "six" { "sixes".into() } else { format!("{one}s") };
        words.insert(plural, NumberWord::OneSuffixed(value, "s"));
        if let Some((ordinal, suffix)) = ordinal(value, one) {
            words.insert(ordinal, NumberWord::OneSuffixed(value, suffix));
        }
    }
    words.insert("zeroth".into(), NumberWord::OneSuffixed(0, "th"));
}

/// Whisper forms the ordinals by rule, so `ninth` is not one of them; scores are only comparable if it is not here.
fn ordinal(value: u128, one: &str) -> Option<(String, &'static str)> {
    Some(match value {
        1 => ("first".into(), "st"),
        2 => ("second".into(), "nd"),
        3 => ("third".into(), "rd"),
        5 => ("fifth".into(), "th"),
        12 => ("twelfth".into(), "th"),
        _ if one.ends_with('t') => (format!("{one}h"), "th"),
        _ => (format!("{one}th"), "th"),
    })
}

fn add_tens(words: &mut HashMap<String, NumberWord>) {
    for (value, ten) in (2..).map(|tens| tens * 10).zip(TENS) {
        let stem = ten.trim_end_matches('y');
        words.insert(ten.into(), NumberWord::Ten(value));
        words.insert(format!("{stem}ies"), NumberWord::TenSuffixed(value, "s"));
        words.insert(format!("{stem}ieth"), NumberWord::TenSuffixed(value, "th"));
    }
}

fn add_multipliers(words: &mut HashMap<String, NumberWord>) {
    let thousands = (1..).map(|power| 1_000_u128.pow(power)).zip(THOUSANDS);
    for (value, name) in [(100, "hundred")].into_iter().chain(thousands) {
        words.insert(name.into(), NumberWord::Multiplier(value));
        words.insert(format!("{name}s"), NumberWord::MultiplierSuffixed(value, "s"));
        words.insert(format!("{name}th"), NumberWord::MultiplierSuffixed(value, "th"));
    }
}

fn add_particles(words: &mut HashMap<String, NumberWord>) {
    use NumberWord::{And, Currency, Per, Percent, Point, Repeat, Sign};
    let particles = [
        ("minus", Sign('-')),
        ("negative", Sign('-')),
        ("plus", Sign('+')),
        ("positive", Sign('+')),
        ("pound", Currency('£')),
        ("pounds", Currency('£')),
        ("euro", Currency('€')),
        ("euros", Currency('€')),
        ("dollar", Currency('$')),
        ("dollars", Currency('$')),
        ("cent", Currency('¢')),
        ("cents", Currency('¢')),
        ("per", Per),
        ("percent", Percent),
        ("and", And),
        ("double", Repeat(2)),
        ("triple", Repeat(3)),
        ("point", Point),
    ];
    words.extend(particles.map(|(word, meaning)| (word.into(), meaning)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formed_words_have_their_values() {
        let words = NumberWords::new();
        assert_eq!(words.get("sixes"), Some(NumberWord::OneSuffixed(6, "s")));
        assert_eq!(words.get("eighth"), Some(NumberWord::OneSuffixed(8, "th")));
        assert_eq!(words.get("ninth"), None);
        assert_eq!(words.get("ninetieth"), Some(NumberWord::TenSuffixed(90, "th")));
        assert_eq!(words.get("decillion"), Some(NumberWord::Multiplier(10_u128.pow(33))));
        assert_eq!(words.get("millionths"), None);
    }
}
