//! English numbers, however they are written, in digits: `twenty one dollars and five cents` is `$21.05`.

use regex::{Captures, Regex};

use super::{
    english::pattern,
    number_reader::NumberReader,
    number_words::{NumberWord, NumberWords},
};

/// `EnglishNumberNormalizer` of openai/whisper.
pub struct Numbers {
    words: NumberWords,
    and_a_half: Regex,
    letter_then_digit: Regex,
    digit_then_letter: Regex,
    loose_suffix: Regex,
    amount_and_cents: Regex,
    cents_alone: Regex,
    figure_one: Regex,
}

impl Numbers {
    pub fn new() -> Self {
        Self {
            words: NumberWords::new(),
            and_a_half: pattern(r"\band\s+a\s+half\b"),
            letter_then_digit: pattern(r"([a-z])([0-9])"),
            digit_then_letter: pattern(r"([0-9])([a-z])"),
            loose_suffix: pattern(r"([0-9])\s+(st|nd|rd|th|s)\b"),
            amount_and_cents: pattern(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b"),
            cents_alone: pattern(r"[€£$]0.([0-9]{1,2})\b"),
            figure_one: pattern(r"\b1(s?)\b"),
        }
    }

    /// Words with single spaces between.
    pub fn normalise(&self, text: &str) -> String {
        let text = self.set_numbers_apart(&self.spell_halves(text));
        let words: Vec<&str> = text.split_whitespace().collect();
        self.join_cents(&NumberReader::new(&self.words, &words).read().join(" "))
    }

    /// `two and a half` becomes `two point five`.
    fn spell_halves(&self, text: &str) -> String {
        let segments: Vec<&str> = self.and_a_half.split(text).collect();
        let mut pieces = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let Some(last) = segment.split_whitespace().last() else { continue };
            pieces.push(*segment);
            if index + 1 < segments.len() {
                let number = self.words.get(last);
                let counts = number.is_some_and(|word| word.is_decimal() || matches!(word, NumberWord::Multiplier(_)));
                pieces.push(if counts { "point five" } else { "and a half" });
            }
        }
        pieces.join(" ")
    }

    /// `b2b` becomes `b 2 b`, but `1960s` and `4th` stay.
    fn set_numbers_apart(&self, text: &str) -> String {
        let text = self.letter_then_digit.replace_all(text, "${1} ${2}");
        let text = self.digit_then_letter.replace_all(&text, "${1} ${2}");
        self.loose_suffix.replace_all(&text, "${1}${2}").into_owned()
    }

    /// `$2 and ¢7` becomes `$2.07`, `$0.07` becomes `¢7`; a lone 1 is a word.
    fn join_cents(&self, text: &str) -> String {
        let text = self.amount_and_cents.replace_all(text, |amount: &Captures| {
            let (currency, whole, cents) = (&amount[1], &amount[2], &amount[3]);
            format!("{currency}{whole}.{cents:0>2}")
        });
        let text = self.cents_alone.replace_all(&text, |amount: &Captures| {
            let cents = &amount[1];
            format!("¢{}", if cents.len() == 2 { cents.strip_prefix('0').unwrap_or(cents) } else { cents })
        });
        self.figure_one.replace_all(&text, "one${1}").into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str)]) {
        let numbers = Numbers::new();
        for (text, expected) in cases {
            assert_eq!(numbers.normalise(text), *expected, "{text}");
        }
    }

    #[test]
    fn cardinals() {
        check(&[
            ("one", "one"),
            ("twenty one", "21"),
            ("one hundred and twenty three", "123"),
            ("two hundred thousand and six", "200006"),
            ("three million four hundred thousand", "3400000"),
            ("one point five million people", "1500000 people"),
            ("1.25 thousand", "1250"),
            ("thousand", "1000"),
            ("bread and two fish", "bread and 2 fish"),
            ("four and twenty", "4 and 20"),
            ("minus five plus 3 positive thinking", "-5 +3 positive thinking"),
        ]);
    }

    #[test]
    fn digits_said_one_by_one() {
        check(&[
            ("one oh one", "101"),
            ("nineteen eighty four", "1984"),
            ("two thousand and nine", "2009"),
            ("twenty twenty one", "2021"),
            ("double o seven", "007"),
            ("triple five one two", "55512"),
            ("double trouble", "double trouble"),
            ("one nine two point one six eight", "192.168"),
            ("zero point zero five", "0.05"),
            ("point taken", "point taken"),
        ]);
    }

    #[test]
    fn ordinals_and_decades() {
        check(&[
            ("first second third", "1st 2nd 3rd"),
            ("twenty first century", "21st century"),
            ("nineteen sixties", "1960s"),
            ("the 1960s and the 4 th", "the 1960s and the 4th"),
            ("two hundredth", "200th"),
            ("hundreds of thousands", "100s of 1000s"),
            ("one hundred and first", "101st"),
            ("ones and twos", "ones and 2s"),
        ]);
    }

    #[test]
    fn money_and_percent() {
        check(&[
            ("twenty dollars", "$20"),
            ("two dollars and seven cents", "$2.07"),
            ("$5 and 25 cents", "$5.25"),
            ("seven cents", "¢7"),
            ("$0.07 £0.50", "¢7 ¢50"),
            ("$20 million", "$20000000"),
            ("three pounds fifty", "£3 50"),
            ("fifty percent ten per cent five per day", "50% 10% 5 per day"),
            ("a dollar per cent", "a dollar per cent"),
        ]);
    }

    #[test]
    fn halves() {
        check(&[
            ("two and a half", "2.5"),
            ("one and a half million", "1500000"),
            ("a mile and a half away", "a mile and a half away"),
            ("twenty and a half percent", "20.5%"),
        ]);
    }

    #[test]
    fn figures_and_letters_are_set_apart() {
        check(&[("b2b mp3 10km", "b 2 b mp 3 10 km"), ("1 1s 11", "one ones 11"), ("007 2.0 2.50", "7 2 2.50")]);
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        let digits = "9".repeat(60);
        check(&[
            (&digits, &digits),
            (&format!("{digits} decillion"), &format!("{digits} {}", 10_u128.pow(33))),
            ("", ""),
            ("point . $ -", "point . $ -"),
        ]);
    }
}
