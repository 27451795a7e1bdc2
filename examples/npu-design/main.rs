//! What the NPU is configured to, as text for the AIE compiler, or a run as words for the command processor.
//!
//!     cargo run --example npu-design -- --device npu1 --mlir > design.mlir

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use gstwhispernpu::device::npu::{
    design::{Command, Sequence},
    instructions, mlir, overlay,
    target::Target,
};
use lexopt::prelude::*;

const USAGE: &str = "\
Prints what the NPU is configured to.

Usage: npu-design --device npu1|npu2 (--mlir | --instructions)

Options:
  --device NAME    npu1 (Phoenix, Hawk Point) or npu2 (Strix, Strix Halo, Krackan)
  --mlir           the configuration as text for the AIE compiler
  --instructions   as words, 32 bits each with the lowest byte first: a run that waits for nothing and moves nothing,
                   with which a loader can be tried
  --help           print this
";

enum Form {
    Mlir,
    Instructions,
}

fn main() -> ExitCode {
    let result = match parse(lexopt::Parser::from_env()) {
        Ok(Some((target, form))) => print(target, form),
        Ok(None) => io::stdout().write_all(USAGE.as_bytes()).map_err(Into::into),
        Err(error) => {
            eprintln!("npu-design: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("npu-design: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<(Target, Form)>, lexopt::Error> {
    let (mut target, mut form) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("device") => {
                let name = parser.value()?.string()?;
                let known = [Target::NPU1, Target::NPU2].into_iter().find(|target| target.device() == name);
                target = Some(known.ok_or_else(|| format!("--device is npu1 or npu2, not {name}"))?);
            }
            Long("mlir") => form = Some(Form::Mlir),
            Long("instructions") => form = Some(Form::Instructions),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    match (target, form) {
        (Some(target), Some(form)) => Ok(Some((target, form))),
        (None, _) => Err("--device is missing".into()),
        (_, None) => Err("--mlir or --instructions is missing".into()),
    }
}

fn print(target: Target, form: Form) -> Result<(), Box<dyn Error>> {
    let bytes = match form {
        Form::Mlir => mlir::print(&overlay(target), None)?.into_bytes(),
        Form::Instructions => {
            let nothing = Sequence { commands: Vec::<Command>::new() };
            instructions::encode(&nothing, target)?.into_iter().flat_map(u32::to_le_bytes).collect()
        }
    };
    io::stdout().write_all(&bytes)?;
    Ok(())
}
