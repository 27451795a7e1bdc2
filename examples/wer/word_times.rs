//! How far the times of words are from the truth: the first word of each piece of a recording that was put together of several,
//! whose places are known.
//!
//! Beside such a recording lies `ID.segments.tsv`, with the columns start and end, in seconds, speaker and reference. A piece may
//! begin with silence, so that its first word is also held against where speech begins in it: where the voice activity detector
//! first hears some, which takes part in timing words too, and where the level first stays near that of the piece, which does not.

use std::{error::Error, fmt, fs, path::Path, sync::Arc};

use gstwhispernpu::{
    segment::voice::{self, CHUNK_SAMPLES, Voice},
    stream::CueWord,
};

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

/// The probability above which the detector's own authors call a chunk speech.
const SPEECH_PROBABILITY: f32 = 0.5;

/// How far below the loud tenth of a piece speech may be: the margin by which ITU-T P.56 tells speech from silence.
const MARGIN: f32 = 0.1603; // −15.9 dB
/// Samples of one level, and levels that are to stay near the piece's: 50 ms.
const LEVEL_SAMPLES: usize = 160;
const LEVELS: usize = 5;

/// What was spoken without a pause.
struct Piece {
    start_seconds: f64,
    end_seconds: f64,
    reference: String,
}

/// By how many milliseconds first words begin late, in order of time; early ones are below 0.
#[derive(Default)]
struct Errors {
    pieces: usize,
    /// Than the piece.
    of_pieces: Vec<f64>,
    /// Than the detector's speech in the piece.
    of_voice: Vec<f64>,
    /// Than sound of the piece's level.
    of_level: Vec<f64>,
}

/// Measures all clips of which the pieces are known, and prints a row for each.
pub fn measure(selection: &Selection, arguments: &Arguments, normaliser: &Normaliser) -> Result<(), Box<dyn Error>> {
    let recogniser = Recogniser::open(&arguments.model, arguments.placement)?;
    let voice = Voice::open(&voice::find()?)?;
    let mut all = Errors::default();
    let mut table = Table::new(
        2,
        [
            "clip",
            "against",
            "pieces",
            "measured",
            "median ms",
            "90 % ms",
            "worst ms",
            "within 120 ms",
            "signed median ms",
        ],
    );
    for clip in &selection.clips {
        let path = clip.file.with_extension("segments.tsv");
        if !path.exists() {
            continue;
        }
        let errors = of_clip(clip, &pieces(&path)?, (&recogniser, &voice), normaliser, arguments)?;
        errors.rows(&clip.id).into_iter().for_each(|row| table.row(row));
        all.pieces += errors.pieces;
        all.of_pieces.extend(errors.of_pieces);
        all.of_voice.extend(errors.of_voice);
        all.of_level.extend(errors.of_level);
    }
    if all.pieces == 0 {
        return Err("no clip has its pieces beside it, as ID.segments.tsv".into());
    }
    all.rows("all").into_iter().for_each(|row| table.row(row));
    print!("{table}");
    Ok(())
}

fn of_clip(
    clip: &Clip,
    pieces: &[Piece],
    (recogniser, voice): (&Recogniser, &Arc<Voice>),
    normaliser: &Normaliser,
    arguments: &Arguments,
) -> Result<Errors, Box<dyn Error>> {
    let samples = samples(clip)?;
    let words = words(clip, &samples, recogniser, arguments)?;
    let (mut listener, mut probabilities) = (voice.listener(), Vec::new());
    listener.push(&samples, &mut probabilities);
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
    let mut errors = Errors { pieces: pieces.len(), ..Errors::default() };
    for (piece, first) in pieces.iter().zip(firsts) {
        let Some(word) = matches.get(first).copied().flatten().map(|place| said[place]) else {
            continue;
        };
        let start_seconds = word.start_samples as f64 / f64::from(SAMPLE_RATE);
        let late = |seconds: f64| 1e3 * (start_seconds - seconds);
        errors.of_pieces.push(late(piece.start_seconds));
        errors.of_voice.extend(piece.voice_seconds(&probabilities).map(late));
        errors.of_level.extend(piece.level_seconds(&samples).map(late));
    }
    Ok(errors)
}

impl Piece {
    /// Where the first chunk of speech begins, if there is one.
    fn voice_seconds(&self, probabilities: &[f32]) -> Option<f64> {
        let chunks_per_second = f64::from(SAMPLE_RATE) / CHUNK_SAMPLES as f64;
        let place = |seconds: f64| ((seconds * chunks_per_second) as usize).min(probabilities.len());
        let first = place(self.start_seconds);
        let chunks = &probabilities[first..place(self.end_seconds)];
        let speech = chunks.iter().position(|probability| *probability >= SPEECH_PROBABILITY)?;
        Some(((first + speech) as f64 / chunks_per_second).max(self.start_seconds))
    }

    /// Where the level first stays near that of the piece.
    fn level_seconds(&self, samples: &[f32]) -> Option<f64> {
        let place = |seconds: f64| ((seconds * f64::from(SAMPLE_RATE)) as usize).min(samples.len());
        let level = |samples: &[f32]| (samples.iter().map(|x| x * x).sum::<f32>() / LEVEL_SAMPLES as f32).sqrt();
        let piece = &samples[place(self.start_seconds)..place(self.end_seconds)];
        let levels: Vec<f32> = piece.chunks_exact(LEVEL_SAMPLES).map(level).collect();
        let mut sorted = levels.clone();
        sorted.sort_by(f32::total_cmp);
        let least = MARGIN * sorted.get(sorted.len() * 9 / 10)?;
        let first = levels.windows(LEVELS).position(|levels| levels.iter().all(|level| *level >= least))?;
        Some(self.start_seconds + (first * LEVEL_SAMPLES) as f64 / f64::from(SAMPLE_RATE))
    }
}

fn samples(clip: &Clip) -> Result<Vec<f32>, Box<dyn Error>> {
    let (mut recording, mut samples) = (Recording::open(&clip.file)?, Vec::new());
    while let Some(block) = recording.next_block()? {
        samples.extend(block);
    }
    Ok(samples)
}

fn words(
    clip: &Clip,
    samples: &[f32],
    recogniser: &Recogniser,
    arguments: &Arguments,
) -> Result<Vec<CueWord>, Box<dyn Error>> {
    let mut options = recogniser.options(&clip.language, &arguments.options)?;
    options.words = true;
    let mut transcription = recogniser.begin(options, arguments.limits, arguments.policy);
    let mut cues = transcription.push(samples)?;
    cues.extend(transcription.finish()?);
    Ok(cues.into_iter().flat_map(|cue| cue.words).collect())
}

fn pieces(path: &Path) -> Result<Vec<Piece>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let piece = |(number, line): (usize, &str)| {
        let cells: Vec<&str> = line.split('\t').collect();
        let seconds = |column: usize| cells.get(column).and_then(|cell| cell.parse().ok());
        match (seconds(0), seconds(1), cells.get(3)) {
            (Some(start_seconds), Some(end_seconds), Some(reference)) => {
                Ok(Piece { start_seconds, end_seconds, reference: (*reference).into() })
            }
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
    fn rows(&self, clip: &str) -> [Vec<String>; 3] {
        [("pieces", &self.of_pieces), ("voice", &self.of_voice), ("level", &self.of_level)].map(|(against, errors)| {
            [vec![clip.to_owned(), against.to_owned(), self.pieces.to_string()], row(errors)].concat()
        })
    }
}

/// What is said of some errors.
fn row(milliseconds: &[f64]) -> Vec<String> {
    let mut sizes: Vec<f64> = milliseconds.iter().map(|error| error.abs()).collect();
    let mut signed = milliseconds.to_vec();
    sizes.sort_by(f64::total_cmp);
    signed.sort_by(f64::total_cmp);
    let within = sizes.iter().filter(|size| **size <= 120.0).count();
    vec![
        sizes.len().to_string(),
        Milliseconds(quantile(&sizes, 0.5)).to_string(),
        Milliseconds(quantile(&sizes, 0.9)).to_string(),
        Milliseconds(sizes.last().copied()).to_string(),
        format!("{within} of {}", sizes.len()),
        Milliseconds(quantile(&signed, 0.5)).to_string(),
    ]
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
    fn speech_begins_with_its_first_chunk_in_the_piece() {
        let piece = Piece { start_seconds: 0.1, end_seconds: 0.3, reference: String::new() };
        assert_eq!(piece.voice_seconds(&[0.9, 0.9, 0.9, 0.1, 0.1, 0.6, 0.9, 0.9]), Some(5.0 * 0.032));
        assert_eq!(piece.voice_seconds(&[0.9; 12]), Some(0.1));
        assert_eq!(piece.voice_seconds(&[0.1; 12]), None);
    }

    #[test]
    fn speech_begins_where_the_level_stays() {
        let piece = Piece { start_seconds: 0.1, end_seconds: 1.1, reference: String::new() };
        let level = |frame: usize| match frame {
            0..10 | 20..22 | 40.. => 0.5,
            _ => 0.01,
        };
        let samples: Vec<f32> = (0..110 * LEVEL_SAMPLES).map(|sample| level(sample / LEVEL_SAMPLES)).collect();
        assert_eq!(piece.level_seconds(&samples), Some(0.1 + 0.3), "a click is no speech, nor is what came before");
        assert_eq!(piece.level_seconds(&samples[..1_600]), None);
    }

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
