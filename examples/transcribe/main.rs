//! Recordings to text, SubRip, WebVTT or JSON, without GStreamer.
//!
//!     cargo run --release --example transcribe -- --format srt --output talk.srt talk.wav
//!
//! Read `transcribe` below first; `arguments.rs` has the options and `output/` the formats.

mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod output;

use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use arguments::{Arguments, USAGE};
use common::{
    audio::{Recording, SAMPLE_RATE},
    program,
    progress::{Progress, clock},
    recognise::Recogniser,
};
use gstwhispernpu::{commit::Policy, decoder::Options, segment::Limits};
use output::Writer;

/// Shorter recordings are done before a progress line could be read.
const LONG_SECONDS: f64 = 60.0;

fn main() -> ExitCode {
    program::main("transcribe", USAGE, Arguments::parse(lexopt::Parser::from_env()), run)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let recogniser = Recogniser::open(&arguments.model, arguments.placement)?;
    let language = arguments.language.as_deref().unwrap_or(if recogniser.is_english_only() { "en" } else { "auto" });
    let options = recogniser.options(language, &arguments.options)?;
    let target: Box<dyn Write> = match &arguments.output {
        None => Box::new(io::stdout().lock()),
        Some(path) => {
            let file = File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
    };
    let mut writer = Writer::new(arguments.format, target, arguments.files.len() > 1);
    for file in &arguments.files {
        transcribe(&recogniser, &options, file, &mut writer)?;
    }
    Ok(())
}

fn transcribe(
    recogniser: &Recogniser,
    options: &Options,
    file: &Path,
    writer: &mut Writer<impl Write>,
) -> Result<(), Box<dyn Error>> {
    let mut recording = Recording::open(file)?;
    let total_seconds = recording.seconds();
    let mut progress = Progress::new(total_seconds.is_none_or(|seconds| seconds >= LONG_SECONDS));
    let started = Instant::now();
    let mut transcription = recogniser.begin(options.clone(), Limits::default(), Policy::default());
    let mut samples_heard = 0;

    writer.begin(file)?;
    while let Some(samples) = recording.next_block()? {
        samples_heard += samples.len() as u64;
        let cues = transcription.push(&samples)?;
        if !cues.is_empty() {
            progress.clear();
            writer.cues(&cues)?;
        }
        let heard_seconds = samples_heard as f64 / f64::from(SAMPLE_RATE);
        progress.show(|| describe(file, heard_seconds, total_seconds, started.elapsed().as_secs_f64()));
    }
    let cues = transcription.finish()?;
    progress.clear();
    writer.cues(&cues)?;
    writer.end(samples_heard)?;
    if samples_heard == 0 {
        eprintln!("{}: the file holds no samples", file.display());
    }
    Ok(())
}

fn describe(file: &Path, heard_seconds: f64, total_seconds: Option<f64>, wall_seconds: f64) -> String {
    let total = match total_seconds {
        Some(total) if total > 0.0 => format!(" of {} ({:.0} %)", clock(total), 100.0 * heard_seconds / total),
        _ => String::new(),
    };
    let rate = heard_seconds / wall_seconds.max(1e-3);
    format!("{}: {}{total}, {rate:.1} times real time", file.display(), clock(heard_seconds))
}
