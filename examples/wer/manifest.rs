//! A table of recordings and what is said in them.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

const REQUIRED: [&str; 5] = ["id", "file", "language", "reference", "kind"];

/// A row of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    pub id: String,
    /// Recording, with the manifest's folder in front.
    pub file: PathBuf,
    /// Primary language code; `en` where the manifest has none, as nothing is spoken there.
    pub language: String,
    /// What is said; empty if nothing is.
    pub reference: String,
    pub source: String,
    pub kind: String,
}

/// Reads a tab-separated table without quoting whose first line names the columns, in any order; more may be there.
pub fn read(path: &Path) -> Result<Vec<Clip>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, folder).map_err(|problem| format!("{}: {problem}", path.display()))
}

fn parse(text: &str, folder: &Path) -> Result<Vec<Clip>, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').map(str::trim).collect();
    let columns: HashMap<&str, usize> = header.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    if let Some(missing) = REQUIRED.iter().find(|name| !columns.contains_key(*name)) {
        return Err(format!("expected a column {missing}, but the first line names {}", header.join(", ")));
    }
    let mut clips: Vec<Clip> = Vec::new();
    for (number, line) in (2..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let cell = |name: &str| columns.get(name).and_then(|column| cells.get(*column)).copied().unwrap_or_default();
        if cell("id").is_empty() || cell("file").is_empty() || cell("kind").is_empty() {
            return Err(format!("line {number}: expected an id, a file and a kind, but one of them is empty"));
        }
        clips.push(Clip {
            id: cell("id").into(),
            file: folder.join(cell("file")),
            language: primary_language(cell("language")),
            reference: cell("reference").into(),
            source: cell("source").into(),
            kind: cell("kind").into(),
        });
    }
    let mut lines_by_id = HashMap::new();
    match clips.iter().find(|clip| lines_by_id.insert(clip.id.as_str(), ()).is_some()) {
        Some(twice) => Err(format!("the id {} is there twice", twice.id)),
        None => Ok(clips),
    }
}

/// `pt` for `pt-BR`.
pub fn primary_language(code: &str) -> String {
    match code.split(['-', '_']).next().unwrap_or_default() {
        "" => "en".into(),
        primary => primary.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let text = "\u{feff}kind\tid\tlanguage\tfile\treference\tmore\r\n\
                    utterance\ta1\tpt-BR\taudio/a1.flac\tolá \"mundo\"\tx\r\n\
                    \n\
                    noise\tn1\t\tn1.wav\t\n";
        let clips = parse(text, Path::new("/speech")).unwrap();
        assert_eq!(clips.len(), 2);
        assert_eq!(clips[0].file, Path::new("/speech/audio/a1.flac"));
        assert_eq!((clips[0].language.as_str(), clips[0].reference.as_str()), ("pt", "olá \"mundo\""));
        assert_eq!((clips[1].language.as_str(), clips[1].reference.as_str()), ("en", ""));
        assert_eq!(clips[1].source, "");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let parse = |text: &str| parse(text, Path::new("")).unwrap_err();
        assert_eq!(parse("id\tfile\n"), "expected a column language, but the first line names id, file");
        let header = "id\tfile\tlanguage\treference\tkind\n";
        assert!(
            parse(&format!("{header}a\ta.wav\ten\thello\n")).starts_with("line 2: expected an id, a file and a kind")
        );
        assert_eq!(parse(&format!("{header}a\ta\t\t\tx\na\tb\t\t\tx\n")), "the id a is there twice");
    }
}
