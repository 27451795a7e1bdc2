//! How far the times of words are from the truth: the first word of each piece of a recording that was put together of several,
//! whose places are known.
//!
//! Beside such a recording lies `ID.segments.tsv`, with the columns start and end, in seconds, speaker and reference.

use std::{error::Error, fmt, fs, path::Path};

use gstwhispernpu::{decoder::Task, stream::CueWord};

use crate::{
    arguments::Arguments,
    common::{
        audio::{Recording, SAMPLE_RATE},
        recognise::Recogniser,
    },
    manifest::Clip,
    normalise::Normaliser,
    selection::Selection,
    table::Table,
};

/// What was spoken without a pause.
struct Piece {
    start_seconds: f64,
    reference: String,
}

/// By how many milliseconds first words begin late, in order of time; early ones are below 0.
struct Errors {
    clip: String,
    pieces: usize,
    milliseconds: Vec<f64>,
}

/// Measures all clips of which the pieces are known, and prints a row for each.
pub fn measure(selection: &Selection, arguments: &Arguments, normaliser: &Normaliser) -> Result<(), Box<dyn Error>> {
    let recogniser = Recogniser::open(&arguments.model, arguments.placement)?;
    let mut all = Errors { clip: "all".into(), pieces: 0, milliseconds: Vec::new() };
    let mut table = Table::new(
        1,
        ["clip", "pieces", "measured", "median ms", "90 % ms", "worst ms", "within 120 ms", "median, signed ms"],
    );
    for clip in &selection.clips {
        let path = clip.file.with_extension("segments.tsv");
        if !path.exists() {
            continue;
        }
        let errors = of_clip(clip, &pieces(&path)?, &recogniser, normaliser)?;
        table.row(errors.row());
        all.pieces += errors.pieces;
        all.milliseconds.extend(errors.milliseconds);
    }
    if all.pieces == 0 {
        return Err("no clip has its pieces beside it, as ID.segments.tsv".into());
    }
    table.row(all.row());
    print!("{table}");
    Ok(())
}

fn of_clip(
    clip: &Clip,
    pieces: &[Piece],
    recogniser: &Recogniser,
    normaliser: &Normaliser,
) -> Result<Errors, Box<dyn Error>> {
    let words = words(clip, recogniser)?;
    let units = |text: &str| normaliser.units(&clip.language, text);
    let (mut reference, mut firsts) = (Vec::new(), Vec::new());
    for piece in pieces {
        firsts.push(reference.len());
        reference.extend(piece.reference.split_whitespace().flat_map(units));
    }
    let (mut hypothesis, mut said) = (Vec::new(), Vec::new());
    for word in &words {
        let before = hypothesis.len();
        hypothesis.extend(units(&word.text));
        said.extend((before..hypothesis.len()).map(|_| word));
    }
    let matches = matches(&reference, &hypothesis);
    let error = |(piece, first): (&Piece, &usize)| {
        let word = said[(*matches.get(*first)?)?];
        Some(1e3 * (word.start_samples as f64 / f64::from(SAMPLE_RATE) - piece.start_seconds))
    };
    let milliseconds = pieces.iter().zip(&firsts).filter_map(error).collect();
    Ok(Errors { clip: clip.id.clone(), pieces: pieces.len(), milliseconds })
}

fn words(clip: &Clip, recogniser: &Recogniser) -> Result<Vec<CueWord>, Box<dyn Error>> {
    let mut recording = Recording::open(&clip.file)?;
    let mut options = recogniser.options(&clip.language, Task::Transcribe)?;
    options.words = true;
    let (mut transcription, mut cues) = (recogniser.begin(options), Vec::new());
    while let Some(block) = recording.next_block()? {
        cues.extend(transcription.push(&block)?);
    }
    cues.extend(transcription.finish()?);
    Ok(cues.into_iter().flat_map(|cue| cue.words).collect())
}

fn pieces(path: &Path) -> Result<Vec<Piece>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let piece = |(number, line): (usize, &str)| {
        let cells: Vec<&str> = line.split('\t').collect();
        match (cells.first().map(|start| start.parse()), cells.get(3)) {
            (Some(Ok(start_seconds)), Some(reference)) => Ok(Piece { start_seconds, reference: (*reference).into() }),
            _ => Err(format!("{}: line {number}: expected start, end, speaker and reference", path.display())),
        }
    };
    (2..).zip(text.lines().skip(1)).map(piece).collect()
}

/// For each word of the reference the place of the same word in the hypothesis, in an alignment of the fewest edits.
fn matches(reference: &[String], hypothesis: &[String]) -> Vec<Option<usize>> {
    let columns = hypothesis.len() + 1;
    let mut edits: Vec<usize> = (0..columns).collect();
    for (row, said) in (1..).zip(reference) {
        edits.push(row);
        for (column, heard) in (1..).zip(hypothesis) {
            let above = (row - 1) * columns + column;
            let replaced = edits[above - 1] + usize::from(said != heard);
            let least = replaced.min(edits[above] + 1).min(edits[row * columns + column - 1] + 1);
            edits.push(least);
        }
    }
    let (mut row, mut column) = (reference.len(), hypothesis.len());
    let mut matches = vec![None; reference.len()];
    while row > 0 && column > 0 {
        let here = edits[row * columns + column];
        let is_same = reference[row - 1] == hypothesis[column - 1];
        if here == edits[(row - 1) * columns + column - 1] + usize::from(!is_same) {
            (row, column) = (row - 1, column - 1);
            matches[row] = is_same.then_some(column);
        } else if here == edits[(row - 1) * columns + column] + 1 {
            row -= 1;
        } else {
            column -= 1;
        }
    }
    matches
}

impl Errors {
    fn row(&self) -> Vec<String> {
        let mut sizes: Vec<f64> = self.milliseconds.iter().map(|error| error.abs()).collect();
        let mut signed = self.milliseconds.clone();
        sizes.sort_by(f64::total_cmp);
        signed.sort_by(f64::total_cmp);
        let within = sizes.iter().filter(|size| **size <= 120.0).count();
        vec![
            self.clip.clone(),
            self.pieces.to_string(),
            sizes.len().to_string(),
            Milliseconds(quantile(&sizes, 0.5)).to_string(),
            Milliseconds(quantile(&sizes, 0.9)).to_string(),
            Milliseconds(sizes.last().copied()).to_string(),
            format!("{within} of {}", sizes.len()),
            Milliseconds(quantile(&signed, 0.5)).to_string(),
        ]
    }
}

/// The value below which this share of the `sorted` ones lies.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

struct Milliseconds(Option<f64>);

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(milliseconds) => write!(formatter, "{milliseconds:.0}"),
            None => formatter.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_again_beside_errors() {
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        let matches = |reference: &str, hypothesis: &str| matches(&words(reference), &words(hypothesis));
        assert_eq!(matches("a b c", "a b c"), [Some(0), Some(1), Some(2)]);
        assert_eq!(matches("a b c d", "x a b d"), [Some(1), Some(2), None, Some(3)]);
        assert_eq!(matches("a b", ""), [None, None]);
        assert_eq!(matches("", "a"), []);
    }

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
