//! Word error rate over a manifest of recordings.
//!
//!     cargo run --release --example wer -- --manifest speech/manifest.tsv --model tiny.en
//!
//! Read `run` below first; `normalise/` says what counts as the same word, `edits.rs` what counts as an error.

mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod edits;
mod hypotheses;
mod manifest;
mod normalise;
mod recognise;
mod report;
mod score;
mod selection;
mod table;
mod word_times;

use std::{error::Error, fs, process::ExitCode};

use arguments::{Arguments, USAGE};
use common::program;
use normalise::{Normaliser, Spellings};
use report::Report;
use selection::Selection;

fn main() -> ExitCode {
    program::main("wer", USAGE, Arguments::parse(lexopt::Parser::from_env()), run)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut selection = Selection::of(manifest::read(&arguments.manifest)?, arguments)?;
    let normaliser = Normaliser::new(spellings()?);
    if arguments.word_times {
        return word_times::measure(&selection, arguments, &normaliser);
    }
    let (hypotheses, speed) = match &arguments.score {
        Some(file) => (hypotheses::read(file)?, None),
        None => {
            let (hypotheses, speed) = recognise::all(&mut selection, arguments)?;
            (hypotheses, Some(speed))
        }
    };
    selection.keep("without a hypothesis", |clip| hypotheses.contains_key(&clip.id));
    let scores: Vec<_> =
        selection.clips.iter().map(|clip| score::Score::of(clip, &hypotheses[&clip.id], &normaliser)).collect();
    if scores.is_empty() {
        return Err("no clip is left to score".into());
    }
    let report = Report::new(&scores, speed);
    print!("{report}");
    for (count, reason) in &selection.left_out {
        eprintln!("Not scored: {count} clips {reason}.");
    }
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn spellings() -> Result<Spellings, String> {
    let path = Spellings::path();
    if let Some(spellings) = path.as_deref().map(Spellings::read).transpose()?.flatten() {
        return Ok(spellings);
    }
    eprintln!(
        "British and American spellings count as different words, because the table of spellings is not installed; \
         scripts/get-normaliser gets it. English error rates are somewhat too high without it."
    );
    Ok(Spellings::default())
}
