//! The JSON files beside the weights.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::invalid;
use crate::model::{ModelError, Token, mapping::MappedFile};

/// A JSON file with its path, for messages.
pub(super) struct Json {
    pub path: PathBuf,
    value: Value,
}

impl Json {
    /// Reads a file that must be there.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let file = MappedFile::open(path)?;
        parse(&file).map(|value| Self { path: path.to_owned(), value })
    }

    /// Reads a file that need not be there.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, ModelError> {
        if path.exists() { Self::read(path).map(Some) } else { Ok(None) }
    }

    /// A field; absent and null are the same.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.value.get(field).filter(|value| !value.is_null())
    }

    /// A field that must be a whole number from 0.
    pub fn size(&self, field: &str) -> Result<usize, ModelError> {
        let value = self.get(field).unwrap_or(&Value::Null);
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| self.invalid(field, "a whole number", value))
    }

    /// A field that is a list of tokens, if it is there.
    pub fn tokens(&self, field: &str) -> Result<Option<Vec<i64>>, ModelError> {
        self.typed(field, "a list of token ids")
    }

    /// A field that is a list of [layer, head], if it is there and not empty.
    pub fn heads(&self, field: &str) -> Result<Option<Vec<(usize, usize)>>, ModelError> {
        let heads: Option<Vec<(usize, usize)>> = self.typed(field, "a list of [layer, head]")?;
        Ok(heads.filter(|heads| !heads.is_empty()))
    }

    /// A value that makes no sense.
    pub fn invalid(&self, what: &str, expected: &str, received: &Value) -> ModelError {
        let mut received = received.to_string();
        if let Some((end, _)) = received.char_indices().nth(80) {
            received.truncate(end);
            received.push('…');
        }
        invalid(&self.path, what, expected, received)
    }

    fn typed<T: DeserializeOwned>(&self, field: &str, expected: &str) -> Result<Option<T>, ModelError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|_| self.invalid(field, expected, value))
    }
}

/// A file that is JSON of the type `T`.
pub(super) fn parse<T: DeserializeOwned>(file: &MappedFile) -> Result<T, ModelError> {
    let failed = |message: String| ModelError::Json { path: file.path().to_owned(), message };
    if file.len() > LARGEST_FILE {
        return Err(failed(format!("it should have at most {LARGEST_FILE} bytes, but it has {}", file.len())));
    }
    serde_json::from_slice(file).map_err(|error| failed(error.to_string()))
}

/// The suppressed tokens that a file lists, where -1 stands for the default ones; all of these if there is no list.
pub(super) fn suppressed(
    json: &Json,
    listed: Option<Vec<i64>>,
    default: impl Fn() -> Vec<Token>,
) -> Result<Vec<Token>, ModelError> {
    let Some(listed) = listed else { return Ok(default()) };
    let mut tokens = Vec::with_capacity(listed.len());
    for token in listed {
        match Token::try_from(token) {
            Ok(token) => tokens.push(token),
            Err(_) if token == -1 => tokens.extend(default()),
            Err(_) => return Err(json.invalid("suppressed token", "a token id or -1", &Value::from(token))),
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    Ok(tokens)
}

/// Names in id order from pairs of name and id; ids without a name get an empty one.
pub(super) fn names_by_id(
    path: &Path,
    ids: &HashMap<String, u64>,
    vocabulary_size: usize,
) -> Result<Vec<String>, ModelError> {
    let mut names = vec![String::new(); vocabulary_size];
    for (name, id) in ids {
        let place = usize::try_from(*id).ok().and_then(|id| names.get_mut(id));
        match place {
            Some(place) if place.is_empty() => name.clone_into(place),
            Some(place) => {
                return Err(invalid(
                    path,
                    &format!("token {id}"),
                    format_args!("{place:?} alone"),
                    format_args!("{name:?} too"),
                ));
            }
            None => {
                let expected = format_args!("below the vocabulary size {vocabulary_size} of the weights");
                return Err(invalid(path, &format!("id of the token {name:?}"), expected, id));
            }
        }
    }
    Ok(names)
}

/// A Whisper tokenizer.json has 2.5 MB.
const LARGEST_FILE: usize = 1 << 26;
