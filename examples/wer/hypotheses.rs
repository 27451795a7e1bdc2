//! What a recogniser made of each clip, as lines of `id<TAB>text`.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Reads a file of hypotheses by clip.
pub fn read(path: &Path) -> Result<HashMap<String, String>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut hypotheses = HashMap::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let Some((id, hypothesis)) = line.split_once('\t') else {
            return Err(format!("{}: line {number}: expected an id, a tab and a text", path.display()));
        };
        if hypotheses.insert(id.to_owned(), hypothesis.to_owned()).is_some() {
            return Err(format!("{}: line {number}: the id {id} is there twice", path.display()));
        }
    }
    Ok(hypotheses)
}

/// A file that grows by a line as each clip is done, so that an interrupted run leaves what it has.
pub struct Recorder {
    path: PathBuf,
    file: File,
}

impl Recorder {
    /// Creates or empties the file.
    pub fn create(path: &Path) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self { path: path.into(), file })
    }

    /// Adds a clip.
    pub fn record(&mut self, id: &str, hypothesis: &str) -> Result<(), String> {
        let hypothesis = hypothesis.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(self.file, "{id}\t{hypothesis}")
            .map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hypotheses.tsv");
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.record("a", "two\nlines\tand a tab").unwrap();
        recorder.record("silent", "").unwrap();
        let hypotheses = read(&path).unwrap();
        assert_eq!(hypotheses["a"], "two lines and a tab");
        assert_eq!(hypotheses["silent"], "");

        fs::write(&path, "a\tone\nno tab\n").unwrap();
        assert!(read(&path).unwrap_err().ends_with("line 2: expected an id, a tab and a text"));
        fs::write(&path, "a\tone\na\ttwo\n").unwrap();
        assert!(read(&path).unwrap_err().ends_with("line 2: the id a is there twice"));
    }
}
