//! British spellings and their American forms: a table that is installed apart, not part of this program.

use std::{
    collections::HashMap,
    env, fs, io,
    path::{Path, PathBuf},
};

/// From a word to the form in which it is compared.
#[derive(Debug, Default)]
pub struct Spellings(HashMap<String, String>);

impl Spellings {
    /// Where `scripts/get-normaliser` puts the table; `None` if the user has no home.
    pub fn path() -> Option<PathBuf> {
        let data = match env::var_os("XDG_DATA_HOME").filter(|folder| Path::new(folder).is_absolute()) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(env::var_os("HOME")?).join(".local/share"),
        };
        Some(data.join("whispernpu/normaliser/english.json"))
    }

    /// Reads the table: a JSON object of strings. `None` if there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let table = serde_json::from_str(&text).map_err(|error| {
            format!("{} should be an object of spellings: {error}; remove it and get it again", path.display())
        })?;
        Ok(Some(Self(table)))
    }

    /// Every word of the text in its common form, with single spaces between.
    pub fn unify(&self, text: &str) -> String {
        let words = text.split_whitespace().map(|word| self.0.get(word).map_or(word, String::as_str));
        words.collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<(String, String)> for Spellings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_be_absent_but_not_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("english.json");
        assert!(Spellings::read(&path).unwrap().is_none());
        fs::write(&path, r#"{"grey": "gray"}"#).unwrap();
        assert_eq!(Spellings::read(&path).unwrap().unwrap().unify(" a  grey sky "), "a gray sky");
        fs::write(&path, "<html>").unwrap();
        assert!(Spellings::read(&path).unwrap_err().contains("english.json should be an object of spellings"));
    }
}
