//! Tokens with a meaning of their own.

use std::{collections::HashMap, path::Path};

use super::{Token, language};
use crate::model::{ModelError, format::invalid};

/// Number of timestamp tokens: 0 to 30 s in steps of 20 ms, both ends included.
pub const TIMESTAMPS: usize = 1501;

/// Vocabulary size of OpenAI's English-only models, whose language tokens have no meaning.
pub(super) const ENGLISH_ONLY_SIZE: usize = 51_864;

/// The ids with a meaning of their own, taken from the model's vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecialTokens {
    /// `<|endoftext|>`
    pub end_of_text: Token,
    /// `<|startoftranscript|>`
    pub start_of_transcript: Token,
    /// `<|translate|>`
    pub translate: Token,
    /// `<|transcribe|>`
    pub transcribe: Token,
    /// `<|startoflm|>`, which some vocabularies lack.
    pub start_of_lm: Option<Token>,
    /// `<|startofprev|>`
    pub start_of_previous: Token,
    /// `<|nospeech|>` (`<|nocaptions|>` in older vocabularies)
    pub no_speech: Token,
    /// `<|notimestamps|>`
    pub no_timestamps: Token,
    /// `<|0.00|>`; the following ids step by 20 ms.
    pub timestamp_begin: Token,
    /// Language code (`en`) and token of each language; empty for an English-only model.
    pub languages: Vec<(String, Token)>,
}

impl SpecialTokens {
    /// What a text without timestamps follows: `<|startoftranscript|>`, of a model that knows several languages the language by
    /// its code and the task, and `<|notimestamps|>` (`sot_sequence_including_notimestamps` in openai/whisper `tokenizer.py`).
    pub fn prompt(&self, language: &str, is_translated: bool) -> Vec<Token> {
        let task = if is_translated { self.translate } else { self.transcribe };
        let language = self.languages.iter().find(|(code, _)| code == language);
        let spoken = language.map(|(_, token)| [*token, task]).into_iter().flatten();
        [self.start_of_transcript].into_iter().chain(spoken).chain([self.no_timestamps]).collect()
    }

    /// Looks the ids up by name; times follow `<|notimestamps|>` where the vocabulary does not list them.
    pub(super) fn from_names(
        path: &Path,
        names: &HashMap<&str, Token>,
        size: usize,
        is_english_only: bool,
    ) -> Result<Self, ModelError> {
        let require = |wanted: &[&str]| {
            let found = wanted.iter().find_map(|name| names.get(name).copied());
            found.ok_or_else(|| invalid(path, "vocabulary", format_args!("with {}", wanted[0]), "without it"))
        };
        let no_timestamps = require(&["<|notimestamps|>"])?;
        let mut languages: Vec<(String, Token)> = names
            .iter()
            .filter_map(|(name, token)| Some((code(name)?.to_owned(), *token)))
            .filter(|_| !is_english_only && size != ENGLISH_ONLY_SIZE)
            .collect();
        languages.sort_by_key(|(_, token)| *token);
        let special = Self {
            end_of_text: require(&["<|endoftext|>"])?,
            start_of_transcript: require(&["<|startoftranscript|>"])?,
            translate: require(&["<|translate|>"])?,
            transcribe: require(&["<|transcribe|>"])?,
            start_of_lm: names.get("<|startoflm|>").copied(),
            start_of_previous: require(&["<|startofprev|>"])?,
            no_speech: require(&["<|nospeech|>", "<|nocaptions|>"])?,
            no_timestamps,
            timestamp_begin: names.get("<|0.00|>").copied().unwrap_or(no_timestamps + 1),
            languages,
        };
        let needed = special.timestamp_begin as usize + TIMESTAMPS;
        if needed > size {
            let expected = format_args!("at least {needed}, for {TIMESTAMPS} timestamps");
            return Err(invalid(path, "vocabulary size", expected, size));
        }
        Ok(special)
    }

    /// Derives the ids from the vocabulary size as whisper.cpp does, because its files do not list special tokens:
    /// end of text, start of transcript, the languages, translate, transcribe, start of LM, start of previous, no
    /// speech, no timestamps, and the times at the end.
    pub(in crate::model) fn from_size(path: &Path, size: usize) -> Result<Self, ModelError> {
        let (end_of_text, languages, is_english_only) = match size {
            ENGLISH_ONLY_SIZE => (50_256, 99, true),
            51_865 => (50_257, 99, false),
            51_866 => (50_257, 100, false),
            _ => {
                let expected = "51864 (English-only), 51865 or 51866 (multilingual)";
                return Err(invalid(path, "vocabulary size", expected, size));
            }
        };
        let start_of_transcript = end_of_text + 1;
        let first_task = start_of_transcript + 1 + languages;
        let codes = language::codes().take(if is_english_only { 0 } else { languages as usize });
        Ok(Self {
            end_of_text,
            start_of_transcript,
            translate: first_task,
            transcribe: first_task + 1,
            start_of_lm: Some(first_task + 2),
            start_of_previous: first_task + 3,
            no_speech: first_task + 4,
            no_timestamps: first_task + 5,
            timestamp_begin: first_task + 6,
            languages: codes.map(str::to_owned).zip(start_of_transcript + 1..).collect(),
        })
    }
}

/// Whether a token of that name is special: `<|…|>`.
pub(super) fn is_special(name: &str) -> bool {
    name.strip_prefix("<|").and_then(|rest| rest.strip_suffix("|>")).is_some_and(|inner| !inner.is_empty())
}

/// The language code in `<|en|>`; no other special token has two or three letters.
fn code(name: &str) -> Option<&str> {
    let inner = name.strip_prefix("<|")?.strip_suffix("|>")?;
    (matches!(inner.len(), 2 | 3) && inner.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vocabulary::tests::special_names;

    fn lookup(names: &[String], is_english_only: bool) -> Result<SpecialTokens, ModelError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ids = names.iter().copied().zip(1000..).collect();
        SpecialTokens::from_names(Path::new("vocabulary.txt"), &ids, 1000 + names.len(), is_english_only)
    }

    #[test]
    fn ids_come_from_the_names() {
        let special = lookup(&special_names(), false).unwrap();
        assert_eq!((special.end_of_text, special.no_timestamps, special.timestamp_begin), (1000, 1010, 1011));
        assert_eq!(special.languages, [("en".into(), 1002), ("de".into(), 1003), ("yue".into(), 1004)]);
        assert!(lookup(&special_names(), true).unwrap().languages.is_empty());
    }

    #[test]
    fn a_missing_or_cut_off_name_is_an_error_that_says_which() {
        let mut names = special_names();
        names[9] = "<|nocaptions|>".to_owned();
        assert_eq!(lookup(&names, false).unwrap().no_speech, 1009);
        names[9] = "<|x|>".to_owned();
        assert!(lookup(&names, false).unwrap_err().to_string().contains("<|nospeech|>"));
        assert!(lookup(&special_names()[..200], false).unwrap_err().to_string().contains("timestamps"));
    }

    #[test]
    fn ids_by_size_are_those_of_the_published_vocabularies() {
        let by_size = |size| SpecialTokens::from_size(Path::new("ggml-x.bin"), size).unwrap();
        let tiny_en = by_size(51_864);
        assert_eq!((tiny_en.end_of_text, tiny_en.transcribe, tiny_en.timestamp_begin), (50_256, 50_358, 50_363));
        assert!(tiny_en.languages.is_empty());
        let base = by_size(51_865);
        assert_eq!((base.translate, base.no_speech, base.timestamp_begin), (50_358, 50_362, 50_364));
        assert_eq!(base.languages.last().unwrap(), &("su".to_owned(), 50_357));
        let large_v3 = by_size(51_866);
        assert_eq!((large_v3.no_timestamps, large_v3.timestamp_begin), (50_364, 50_365));
        assert_eq!(large_v3.languages.last().unwrap(), &("yue".to_owned(), 50_358));
        assert!(SpecialTokens::from_size(Path::new("x"), 50_000).is_err());
    }
}
