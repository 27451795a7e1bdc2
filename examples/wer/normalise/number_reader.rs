//! Reads words from left to right and writes the numbers among them in digits.

use super::number_words::{NumberWord, NumberWords};

/// A text on its way; what is read of a number so far waits in `value`.
pub struct NumberReader<'a> {
    vocabulary: &'a NumberWords,
    words: &'a [&'a str],
    written: Vec<String>,
    prefix: Option<char>,
    value: Option<Value>,
}

impl<'a> NumberReader<'a> {
    pub fn new(vocabulary: &'a NumberWords, words: &'a [&'a str]) -> Self {
        Self { vocabulary, words, written: Vec::with_capacity(words.len()), prefix: None, value: None }
    }

    /// The words with numbers in digits.
    pub fn read(mut self) -> Vec<String> {
        let mut index = 0;
        while index < self.words.len() {
            index += self.read_word(index);
        }
        self.write_value();
        self.written
    }

    /// Returns how many words were read: a word may take the next one with it.
    fn read_word(&mut self, index: usize) -> usize {
        let word = self.words[index];
        let (prefix, figure) = split_prefix(word);
        if is_figure(figure) {
            self.read_figure(word, prefix, figure);
            return 1;
        }
        let Some(meaning) = self.vocabulary.get(word) else {
            self.write_value();
            self.write(word);
            return 1;
        };
        let previous = index.checked_sub(1).and_then(|previous| self.vocabulary.get(self.words[previous]));
        match meaning {
            NumberWord::Zero => self.value = Some(Value::Digits(self.digits_so_far() + "0")),
            NumberWord::One(ones) => self.value = Some(with_ones(self.value.take(), ones, previous)),
            NumberWord::OneSuffixed(ones, suffix) => {
                let value = with_ones(self.value.take(), ones, previous);
                self.write(&(value.digits() + suffix));
            }
            NumberWord::Ten(tens) => self.value = Some(with_tens(self.value.take(), tens)),
            NumberWord::TenSuffixed(tens, suffix) => {
                let value = with_tens(self.value.take(), tens);
                self.write(&(value.digits() + suffix));
            }
            NumberWord::Multiplier(multiplier) => {
                let value = self.multiply(multiplier);
                self.value = Some(value);
            }
            NumberWord::MultiplierSuffixed(multiplier, suffix) => {
                let value = self.multiply(multiplier);
                self.write(&(value.digits() + suffix));
            }
            NumberWord::Sign(sign) => self.read_sign(index, sign),
            NumberWord::Currency(symbol) => match self.value {
                Some(_) => {
                    self.prefix = Some(symbol);
                    self.write_value();
                }
                None => self.write(word),
            },
            NumberWord::Per => return self.read_per(index),
            NumberWord::Percent => match self.value.take() {
                Some(value) => self.write(&(value.digits() + "%")),
                None => self.write(word),
            },
            NumberWord::And => {
                let within_number = self.number_follows(index) && matches!(previous, Some(NumberWord::Multiplier(_)));
                if !within_number {
                    self.write_value();
                    self.write(word);
                }
            }
            NumberWord::Repeat(times) => return self.read_repeat(index, times),
            NumberWord::Point => self.read_point(index),
        }
        1
    }

    fn read_figure(&mut self, word: &str, prefix: Option<char>, figure: &str) {
        match &mut self.value {
            // Decimals, or the next part of an address.
            Some(Value::Digits(digits)) if digits.ends_with('.') => return digits.push_str(word),
            _ => self.write_value(),
        }
        self.prefix = prefix.or(self.prefix);
        self.value = Some(Value::of_figure(figure));
    }

    fn read_sign(&mut self, index: usize, sign: char) {
        self.write_value();
        if self.number_follows(index) {
            self.prefix = Some(sign);
        } else {
            self.write(self.words[index]);
        }
    }

    fn read_per(&mut self, index: usize) -> usize {
        let is_percent = self.next(index) == Some("cent");
        match self.value.take() {
            Some(value) if is_percent => {
                self.write(&(value.digits() + "%"));
                return 2;
            }
            value => {
                self.value = value;
                self.write_value();
                self.write(self.words[index]);
            }
        }
        1
    }

    fn read_repeat(&mut self, index: usize, times: usize) -> usize {
        let digit = match self.next_meaning(index) {
            Some(NumberWord::Zero) => 0,
            Some(NumberWord::One(ones)) => ones,
            _ => {
                self.write_value();
                self.write(self.words[index]);
                return 1;
            }
        };
        self.value = Some(Value::Digits(self.digits_so_far() + &digit.to_string().repeat(times)));
        2
    }

    /// Before a number word that is no decimal, Whisper drops the point without a trace; so does this.
    fn read_point(&mut self, index: usize) {
        if !self.number_follows(index) {
            self.write_value();
            self.write(self.words[index]);
        } else if self.next(index).is_some_and(is_figure)
            || self.next_meaning(index).is_some_and(NumberWord::is_decimal)
        {
            self.value = Some(Value::Digits(self.digits_so_far() + "."));
        }
    }

    /// The pending value times `multiplier`; one that cannot be multiplied is written out on its own.
    fn multiply(&mut self, multiplier: u128) -> Value {
        let Some(value) = self.value.take() else { return Value::Integer(multiplier) };
        match value.times(multiplier) {
            Some(product) => Value::Integer(product),
            None => {
                self.value = Some(value);
                self.write_value();
                Value::Integer(multiplier)
            }
        }
    }

    fn next(&self, index: usize) -> Option<&'a str> {
        self.words.get(index + 1).copied()
    }

    fn next_meaning(&self, index: usize) -> Option<NumberWord> {
        self.next(index).and_then(|next| self.vocabulary.get(next))
    }

    fn number_follows(&self, index: usize) -> bool {
        self.next(index).is_some_and(is_figure) || self.next_meaning(index).is_some()
    }

    /// What digits are to be added to; a zero in figures counts for nothing.
    fn digits_so_far(&mut self) -> String {
        match self.value.take() {
            None | Some(Value::Integer(0)) => String::new(),
            Some(value) => value.digits(),
        }
    }

    fn write_value(&mut self) {
        if let Some(value) = self.value.take() {
            self.write(&value.digits());
        }
    }

    fn write(&mut self, word: &str) {
        self.written.push(self.prefix.take().into_iter().chain(word.chars()).collect());
    }
}

/// Larger numbers are not added to; small ones can be added to this one without an overflow.
const LARGEST: u128 = 10_u128.pow(37);

/// A number that may go on.
enum Value {
    /// A sum, to which smaller numbers can be added.
    Integer(u128),
    /// Digits in a row, with decimals perhaps; further digits are appended.
    Digits(String),
}

impl Value {
    fn of_figure(figure: &str) -> Self {
        let (whole, decimals) = figure.split_once('.').unwrap_or((figure, ""));
        if decimals.bytes().any(|digit| digit != b'0') {
            return Self::Digits(figure.into());
        }
        match whole.parse() {
            Ok(integer) if integer <= LARGEST => Self::Integer(integer),
            _ => Self::Digits(whole.trim_start_matches('0').into()),
        }
    }

    fn digits(&self) -> String {
        match self {
            Self::Integer(integer) => integer.to_string(),
            Self::Digits(digits) => digits.clone(),
        }
    }

    /// `None` if the product is no integer, or larger than anyone says.
    fn times(&self, multiplier: u128) -> Option<u128> {
        let product = match self {
            Self::Integer(integer) => {
                let (thousands, rest) = (integer / 1000 * 1000, integer % 1000);
                thousands.checked_add(rest.checked_mul(multiplier)?)?
            }
            Self::Digits(digits) => {
                let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
                let all = [whole, decimals].concat();
                if !is_digits(&all) {
                    return None;
                }
                let divisor = 10_u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
                let product = all.parse::<u128>().ok()?.checked_mul(multiplier)?;
                product.is_multiple_of(divisor).then_some(product / divisor)?
            }
        };
        (product <= LARGEST).then_some(product)
    }
}

fn with_ones(value: Option<Value>, ones: u128, previous: Option<NumberWord>) -> Value {
    let round_to = if ones < 10 { 10 } else { 100 };
    match value {
        None => Value::Integer(ones),
        Some(Value::Integer(sum)) if sum % round_to == 0 && !matches!(previous, Some(NumberWord::One(_))) => {
            Value::Integer(sum + ones)
        }
        Some(Value::Digits(digits)) if ones < 10 && matches!(previous, Some(NumberWord::Ten(_))) => {
            Value::Digits(format!("{}{ones}", digits.strip_suffix('0').unwrap_or(&digits)))
        }
        Some(value) => Value::Digits(format!("{}{ones}", value.digits())),
    }
}

fn with_tens(value: Option<Value>, tens: u128) -> Value {
    match value {
        None => Value::Integer(tens),
        Some(Value::Integer(sum)) if sum % 100 == 0 => Value::Integer(sum + tens),
        Some(value) => Value::Digits(format!("{}{tens}", value.digits())),
    }
}

fn split_prefix(word: &str) -> (Option<char>, &str) {
    match word.chars().next() {
        Some(prefix @ ('-' | '+' | '£' | '€' | '$' | '¢')) => (Some(prefix), &word[prefix.len_utf8()..]),
        _ => (None, word),
    }
}

/// `12` or `12.5`
fn is_figure(word: &str) -> bool {
    let (whole, decimals) = word.split_once('.').unwrap_or((word, "0"));
    is_digits(whole) && is_digits(decimals)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
