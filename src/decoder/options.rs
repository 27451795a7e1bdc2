//! What the user wants of the text.

use super::DecodeError;
use crate::model::{Vocabulary, language_code};

/// How to decode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Language of the speech.
    pub language: Language,
    /// What to write.
    pub task: Task,
    /// Whether each word gets its time and probability, which takes another pass over the text.
    pub words: bool,
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
    /// Whether a model with this vocabulary can do it.
    pub fn check(&self, vocabulary: &Vocabulary) -> Result<(), DecodeError> {
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
}
