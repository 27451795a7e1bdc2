//! Times whole transcriptions, for `benches/peers/compare`: JSON lines, as `benches/peers/runners/interface.py` describes.
//!
//!     cargo run --release --example bench -- --model tiny.en --threads 2 --repeats 3 clip.wav

#[allow(dead_code, reason = "the other examples use the rest of it")]
#[path = "../common/mod.rs"]
mod common;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use common::{
    audio::{Recording, SAMPLE_RATE},
    program,
    recognise::Recogniser,
};
use gstwhispernpu::{commit::Policy, decoder::Options, scheduler::Placement, segment::Limits};
use lexopt::prelude::*;
use serde_json::json;

/// Samples that are handed in at a time, as a decoder of files would: 10 s.
const BLOCK_SAMPLES: usize = 160_000;

const USAGE: &str = "\
Times whole transcriptions and prints them as JSON lines.

Usage: bench --model MODEL [OPTIONS] CLIP...

Options:
  --model MODEL        model folder or file, or a name such as base
  --precision NUMBERS  f32, bf16 or int8 [default: the fastest that keeps f32's error rate]
  --threads COUNT      threads of the device [default: one a processor]
  --repeats COUNT      runs of each clip [default: 1]
  --help               print this
";

struct Arguments {
    model: String,
    placement: Placement,
    repeats: usize,
    clips: Vec<PathBuf>,
}

fn main() -> ExitCode {
    program::main("bench", USAGE, parse(lexopt::Parser::from_env()), run)
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let (mut model, mut placement, mut repeats, mut clips) = (None, Placement::default(), 1, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("model") => model = Some(parser.value()?.string()?),
            Long("precision") => placement.precision = Some(parser.value()?.parse()?),
            Long("threads") => placement.threads = parser.value()?.parse()?,
            Long("repeats") => repeats = parser.value()?.parse()?,
            Short('h') | Long("help") => return Ok(None),
            Value(clip) => clips.push(clip.into()),
            other => return Err(other.unexpected()),
        }
    }
    let model = model.ok_or("expected --model MODEL")?;
    if clips.is_empty() {
        return Err("expected at least one CLIP".into());
    }
    Ok(Some(Arguments { model, placement, repeats, clips }))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let clips = arguments.clips.iter().map(|clip| samples(clip)).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let recogniser = Recogniser::open(&arguments.model, arguments.placement)?;
    let load_seconds = started.elapsed().as_secs_f64();
    let versions = json!({ "whispernpu": env!("CARGO_PKG_VERSION") });
    let weights: std::collections::BTreeMap<_, _> = recogniser.weights().collect();
    println!(
        "{}",
        json!({
            "event": "load",
            "peer": "whispernpu",
            "versions": versions,
            "load_seconds": load_seconds,
            "weights": weights,
        })
    );
    transcribe(&recogniser, &clips[0])?;
    for (path, samples) in arguments.clips.iter().zip(&clips) {
        for repeat in 0..arguments.repeats {
            let (wall, cpu) = (Instant::now(), cpu_seconds()?);
            let text = transcribe(&recogniser, samples)?;
            let (wall_seconds, cpu_seconds) = (wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
            println!(
                "{}",
                json!({
                    "event": "run",
                    "clip": path,
                    "repeat": repeat,
                    "audio_seconds": samples.len() as f64 / f64::from(SAMPLE_RATE),
                    "wall_seconds": wall_seconds,
                    "cpu_seconds": cpu_seconds,
                    "peak_rss_bytes": peak_rss_bytes()?,
                    "text": text,
                })
            );
        }
    }
    println!("{}", json!({ "event": "end", "peak_rss_bytes": peak_rss_bytes()? }));
    Ok(())
}

fn samples(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut recording = Recording::open(path)?;
    let mut samples = Vec::new();
    while let Some(block) = recording.next_block()? {
        samples.extend(block);
    }
    Ok(samples)
}

fn transcribe(recogniser: &Recogniser, samples: &[f32]) -> Result<String, Box<dyn Error>> {
    let mut transcription =
        recogniser.begin(recogniser.options("en", &Options::default())?, Limits::default(), Policy::default());
    let mut cues = Vec::new();
    for block in samples.chunks(BLOCK_SAMPLES) {
        cues.extend(transcription.push(block)?);
    }
    cues.extend(transcription.finish()?);
    Ok(cues.iter().map(|cue| cue.text.as_str()).collect::<Vec<_>>().join(" "))
}

/// Processor time of all threads so far; Linux counts it in hundredths of a second (`proc(5)`).
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    const TICKS: f64 = 100.0;
    let line = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = line.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> Result<f64, Box<dyn Error>> { Ok(fields.get(index).ok_or("a short line")?.parse()?) };
    // Fields 14 and 15 of the line, of which the first two are before the bracket.
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

fn peak_rss_bytes() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.split_whitespace().nth(1).ok_or("VmHWM without a number")?.parse()?;
    Ok(kib * 1024)
}
