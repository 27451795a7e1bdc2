//! What the user wants of the text.

use super::DecodeError;
use crate::model::Vocabulary;

/// How to decode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Language of the speech.
    pub language: Language,
    /// What to write.
    pub task: Task,
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
    /// Reads `auto`, a code, or a code with a region: `en-US` is `en`.
    pub fn parse(text: &str) -> Self {
        let code = text.split(['-', '_']).next().unwrap_or_default().trim().to_lowercase();
        if code == "auto" { Self::Auto } else { Self::Code(code) }
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
        for text in ["en", "en-US", "EN_gb", " en "] {
            assert_eq!(Language::parse(text), Language::Code("en".into()));
        }
        assert_eq!(Language::parse("auto"), Language::Auto);
    }
}
