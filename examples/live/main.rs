//! Plays recordings to the element as a live source does, and measures when its text leaves and what that costs.
//!
//!     cargo run --release --example live -- --manifest clips.tsv --model base --policy align-att

#[allow(dead_code, reason = "the other examples use the rest of it")]
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "`wer` uses the rest of it")]
#[path = "../wer/manifest.rs"]
mod manifest;

mod arguments;
mod broadcast;
mod journal;
mod machine;
mod programme;
mod summary;

use std::{error::Error, fs, process::ExitCode};

use arguments::{Arguments, USAGE};
use broadcast::Broadcast;
use programme::Programme;

fn main() -> ExitCode {
    common::program::main("live", USAGE, Arguments::parse(lexopt::Parser::from_env()), run)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let clips = arguments.clips()?;
    let mut programme = Programme::new(&clips, arguments.plan)?;
    let used_before = machine::cpu_seconds();
    let (journal, seconds) = Broadcast::new(arguments)?.play(&mut programme)?;
    let cores = (machine::cpu_seconds() - used_before) / seconds;
    let summary = summary::of(&journal, &programme, arguments.plan);
    println!("{}", summary.json(arguments, seconds, cores));
    if let Some(path) = &arguments.hypotheses {
        fs::write(path, summary.hypotheses())?;
    }
    Ok(())
}
