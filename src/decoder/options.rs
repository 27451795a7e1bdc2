//! What the user wants of the text.

use super::{DecodeError, MOST_LANES, rules::MODELS_OWN};
use crate::model::{Token, Vocabulary, language_code};

/// Drawn texts cost as much as searched ones.
const MOST_SAMPLES: usize = 64;
/// Longer patience is no search.
const MOST_PATIENCE: f32 = 16.0;
/// Between the likeliest text, which is short, and the likeliest for each token (`docs/decisions/search.md`).
const LENGTH_PENALTY: f32 = 0.6;

/// How to decode.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Language of the speech.
    pub language: Language,
    /// What to write.
    pub task: Task,
    /// Whether each word gets its time and probability, which takes another pass over the text.
    pub words: bool,
    /// Ascending from 0 on: a text that is rejected is written again at the next one. At 0 the likeliest text is searched for, above
    /// it texts are drawn.
    pub temperatures: Vec<f32>,
    /// Bytes of a text for each byte of its zlib stream, above which it is rejected; None for any.
    pub compression_ratio_threshold: Option<f32>,
    /// Mean log-probability of tokens, below which a text is rejected; None for any.
    pub log_probability_threshold: Option<f32>,
    /// Probability of no speech above which a text that the other threshold finds unlikely is no speech; None for never.
    pub no_speech_threshold: Option<f32>,
    /// Texts that are followed at temperature 0, each in a lane, at most [`super::MOST_LANES`]; 1 is greedy.
    pub beam_size: usize,
    /// Texts that are drawn above temperature 0, of which the likeliest is taken.
    pub best_of: usize,
    /// How many times `beam_size` texts have to end before the search does.
    pub patience: f32,
    /// Exponent of the length by which texts are ranked (Wu et al., 2016), 0 to 1; None to rank by the mean log-probability.
    pub length_penalty: Option<f32>,
    /// Tokens that are never written, without the end of the text; [`MODELS_OWN`] among them stands for the model's own list, of signs
    /// that nobody says.
    pub suppressed: Vec<i64>,
    /// Words that are likely to be said and hard to spell, such as names; those that find no room in the prompt are left out. Each
    /// window is written with the vocabulary and the prompt that it was handed in with.
    pub vocabulary: Vec<String>,
    /// Text that the decoder takes to have been said before each window: spelling, style.
    pub prompt: String,
    /// Whether a window is written with the text of those before it in mind; then they have to be transcribed one by one.
    pub conditions_on_previous: bool,
    /// The tokens of those, timestamps included.
    pub previous: Vec<Token>,
    /// Tokens that the text has to begin with, a timestamp first.
    pub prefix: Vec<Token>,
}

/// The language of the speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Language {
    /// Whichever the model hears in the window.
    Auto,
    /// A code of the model's vocabulary, such as `en`.
    Code(String),
}

/// What to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// What is said.
    #[default]
    Transcribe,
    /// What is said, in English.
    Translate,
}

/// Those of openai/whisper `transcribe.py`, but for one temperature, no conditioning on previous text, and the length penalty.
impl Default for Options {
    fn default() -> Self {
        Self {
            language: Language::default(),
            task: Task::default(),
            words: false,
            temperatures: vec![0.0],
            compression_ratio_threshold: Some(2.4),
            log_probability_threshold: Some(-1.0),
            no_speech_threshold: Some(0.6),
            beam_size: 1,
            best_of: 5,
            patience: 1.0,
            length_penalty: Some(LENGTH_PENALTY),
            suppressed: vec![MODELS_OWN],
            vocabulary: Vec::new(),
            prompt: String::new(),
            conditions_on_previous: false,
            previous: Vec::new(),
            prefix: Vec::new(),
        }
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::Code("en".into())
    }
}

impl Language {
    /// Reads `auto`, a code, a code with a region (`en-US` is `en`) or a language's English name.
    pub fn parse(text: &str) -> Result<Self, DecodeError> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let code = language_code(text).ok_or_else(|| DecodeError::NotALanguage { text: text.into() })?;
        Ok(Self::Code(code.into()))
    }
}

impl Options {
    /// Reads a list of tokens, divided by commas, as [`Options::suppressed`] has them.
    pub fn parse_suppressed(text: &str) -> Result<Vec<i64>, DecodeError> {
        let tokens = text.split(',').map(str::trim).filter(|token| !token.is_empty());
        let tokens = tokens.map(|token| token.parse().map_err(|_| DecodeError::NotAToken { text: token.into() }));
        tokens.collect()
    }

    /// Temperatures from 0 to 1 in steps of 0.2, as openai/whisper has them.
    pub fn ladder() -> Vec<f32> {
        (0..=5).map(|step| step as f32 / 5.0).collect()
    }

    /// Those for a window that will be transcribed again: the first text, whatever it is worth.
    pub fn once(mut self) -> Self {
        self.temperatures.truncate(1);
        self
    }

    /// Those for a text of which nothing is final, or for which there is no time: a greedy one.
    pub fn hasty(self) -> Self {
        Self { temperatures: vec![0.0], beam_size: 1, ..self }
    }

    /// Whether a stream's next window can be decoded only when the transcript of the last one is there.
    pub fn is_sequential(&self) -> bool {
        self.language == Language::Auto || self.conditions_on_previous
    }

    /// Lanes that a window takes from its beginning on.
    pub fn lanes(&self) -> usize {
        if self.temperatures.first() == Some(&0.0) { self.beam_size } else { 1 }
    }

    /// Whether a model with this vocabulary can do it.
    pub fn check(&self, vocabulary: &Vocabulary) -> Result<(), DecodeError> {
        self.check_search()?;
        self.check_suppressed(vocabulary)?;
        self.check_language(vocabulary)
    }

    fn check_search(&self) -> Result<(), DecodeError> {
        let refuse = |name, value: String, wanted| Err(DecodeError::OutOfRange { name, value, wanted });
        let has_order = self.temperatures.windows(2).all(|pair| pair[0] < pair[1]);
        let has_limits = self.temperatures.iter().all(|temperature| (0.0..=1.0).contains(temperature));
        if self.temperatures.is_empty() || !has_order || !has_limits {
            return refuse("temperatures", format!("{:?}", self.temperatures), "ascending, at least one, from 0 to 1");
        }
        if !(1..=MOST_LANES).contains(&self.beam_size) {
            return refuse("beam size", self.beam_size.to_string(), "1 to 8");
        }
        if !(1..=MOST_SAMPLES).contains(&self.best_of) {
            return refuse("best of", self.best_of.to_string(), "1 to 64");
        }
        if !(self.patience > 0.0 && self.patience <= MOST_PATIENCE) {
            return refuse("patience", self.patience.to_string(), "more than 0, at most 16");
        }
        if self.length_penalty.is_some_and(|penalty| !(0.0..=1.0).contains(&penalty)) {
            return refuse("length penalty", format!("{:?}", self.length_penalty), "0 to 1");
        }
        Ok(())
    }

    fn check_suppressed(&self, vocabulary: &Vocabulary) -> Result<(), DecodeError> {
        let end_of_text = i64::from(vocabulary.special.end_of_text);
        if self.suppressed.contains(&end_of_text) {
            return Err(DecodeError::EndOfText { token: end_of_text });
        }
        let known = MODELS_OWN..i64::from(vocabulary.special.timestamp_begin);
        match self.suppressed.iter().find(|token| !known.contains(*token)) {
            Some(&token) => Err(DecodeError::UnknownToken { token, most: known.end - 1 }),
            None => Ok(()),
        }
    }

    fn check_language(&self, vocabulary: &Vocabulary) -> Result<(), DecodeError> {
        let languages = &vocabulary.special.languages;
        if languages.is_empty() {
            let wanted = match (&self.language, self.task) {
                (Language::Code(code), _) if code != "en" => format!("the language {code:?}"),
                (_, Task::Translate) => "translation".into(),
                _ => return Ok(()),
            };
            return Err(DecodeError::EnglishOnly { wanted });
        }
        match &self.language {
            Language::Code(language) if !languages.iter().any(|(code, _)| code == language) => {
                let known: Vec<&str> = languages.iter().map(|(code, _)| code.as_str()).collect();
                Err(DecodeError::UnknownLanguage { language: language.clone(), known: known.join(" ") })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_case_do_not_matter() {
        for text in ["en", "en-US", "EN_gb", " en ", "English"] {
            assert_eq!(Language::parse(text), Ok(Language::Code("en".into())), "{text}");
        }
        assert_eq!(Language::parse("Auto"), Ok(Language::Auto));
        assert!(Language::parse("klingon").is_err() && Language::parse("").is_err());
    }

    #[test]
    fn lists_of_tokens_are_read() {
        let read = |text| Options::parse_suppressed(text);
        assert_eq!((read(""), read("-1"), read(" 5, -1,")), (Ok(vec![]), Ok(vec![-1]), Ok(vec![5, -1])));
        assert!(read("5 6").unwrap_err().to_string().contains("5 6"));
    }

    #[test]
    fn the_end_of_the_text_is_not_suppressed() {
        let vocabulary = crate::model::small_vocabulary();
        let end_of_text = i64::from(vocabulary.special.end_of_text);
        let check = |suppressed: Vec<i64>| Options { suppressed, ..Options::default() }.check_suppressed(&vocabulary);
        assert_eq!(check((-1..end_of_text).chain([end_of_text + 1]).collect()), Ok(()));
        let error = check((0..=end_of_text).collect()).unwrap_err();
        assert!(error.to_string().contains(&end_of_text.to_string()), "{error}");
    }

    #[test]
    fn a_search_that_makes_no_sense_is_refused() {
        let options = Options::default;
        assert_eq!(Options { temperatures: Options::ladder(), ..options() }.check_search(), Ok(()));
        assert_eq!(
            Options { beam_size: 8, patience: 2.0, length_penalty: Some(1.0), ..options() }.check_search(),
            Ok(())
        );
        for (wrong, expected) in [
            (Options { temperatures: vec![], ..options() }, "temperatures"),
            (Options { temperatures: vec![0.2, 0.0], ..options() }, "temperatures"),
            (Options { temperatures: vec![0.0, f32::NAN], ..options() }, "temperatures"),
            (Options { beam_size: 0, ..options() }, "beam size"),
            (Options { beam_size: 9, ..options() }, "beam size"),
            (Options { best_of: 0, ..options() }, "best of"),
            (Options { patience: 0.0, ..options() }, "patience"),
            (Options { length_penalty: Some(-1.0), ..options() }, "length penalty"),
        ] {
            let message = wrong.check_search().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
