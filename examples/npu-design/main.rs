//! What the NPU is configured to, as text for the AIE compiler or as a drawing; a run as words for the command processor; and what
//! a model is predicted to take on it.
//!
//!     cargo run --example npu-design -- --device npu1 --mlir > design.mlir
//!     cargo run --release --example npu-design -- --device npu1 --predict --model tiny.en

mod drawing;
mod predict;
mod published;

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
Prints what the NPU is configured to, or what a model is predicted to take on it.

Usage: npu-design --device npu1|npu2 (--mlir | --drawing | --instructions)
       npu-design --device npu1|npu2 (--predict | --timeline) --model MODEL [--precision bf16|int8] [--rows COUNT]
       npu-design --published

Options:
  --device NAME      npu1 (Phoenix, Hawk Point) or npu2 (Strix, Strix Halo, Krackan)
  --mlir             the configuration as text for the AIE compiler
  --drawing          the same as a drawing, SVG
  --instructions     as words, 32 bits each with the lowest byte first: a run that waits for nothing and moves nothing,
                     with which a loader can be tried
  --predict          predicted times of encoder and decoder, by operation, kernel and stream
  --timeline         what a column does in the first layer of the encoder, as predicted, SVG
  --published        what others measured beside what the analytic model says of it
  --model MODEL      model folder or file, or a name such as base
  --precision NAME   what linear layers compute in [default: bf16]
  --rows COUNT       positions of the encoder, 50 a second [default: 1500; of a timeline 128]
  --help             print this
";

enum Action {
    Mlir,
    Drawing,
    Instructions,
    Predict,
    Timeline,
    Published,
}

struct Arguments {
    target: Option<Target>,
    action: Action,
    model: Option<String>,
    is_int8: bool,
    rows: Option<usize>,
}

fn main() -> ExitCode {
    let result = match parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => print(&arguments),
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

fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let (mut target, mut action, mut model, mut is_int8, mut rows) = (None, None, None, false, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("device") => {
                let name = parser.value()?.string()?;
                let known = [Target::NPU1, Target::NPU2].into_iter().find(|target| target.device() == name);
                target = Some(known.ok_or_else(|| format!("--device is npu1 or npu2, not {name}"))?);
            }
            Long("mlir") => action = Some(Action::Mlir),
            Long("drawing") => action = Some(Action::Drawing),
            Long("instructions") => action = Some(Action::Instructions),
            Long("predict") => action = Some(Action::Predict),
            Long("timeline") => action = Some(Action::Timeline),
            Long("published") => action = Some(Action::Published),
            Long("model") => model = Some(parser.value()?.string()?),
            Long("precision") => {
                is_int8 = match parser.value()?.string()?.as_str() {
                    "bf16" => false,
                    "int8" => true,
                    other => return Err(format!("--precision is bf16 or int8, not {other}").into()),
                }
            }
            Long("rows") => rows = Some(parser.value()?.parse()?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let action = action.ok_or("--mlir, --drawing, --instructions, --predict, --timeline or --published is missing")?;
    if target.is_none() && !matches!(action, Action::Published) {
        return Err("--device is missing".into());
    }
    if model.is_none() && matches!(action, Action::Predict | Action::Timeline) {
        return Err("--model is missing".into());
    }
    Ok(Some(Arguments { target, action, model, is_int8, rows }))
}

fn print(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let target = arguments.target.unwrap_or(Target::NPU1);
    let model = arguments.model.as_deref().unwrap_or_default();
    let bytes = match arguments.action {
        Action::Mlir => mlir::print(&overlay(target), None)?.into_bytes(),
        Action::Drawing => drawing::svg(&overlay(target)).into_bytes(),
        Action::Instructions => {
            let nothing = Sequence { commands: Vec::<Command>::new() };
            instructions::encode(&nothing, target)?.into_iter().flat_map(u32::to_le_bytes).collect()
        }
        Action::Predict => predict::text(target, model, arguments.is_int8, arguments.rows)?.into_bytes(),
        Action::Timeline => predict::timeline(target, model, arguments.is_int8, arguments.rows)?.into_bytes(),
        Action::Published => published::text().into_bytes(),
    };
    io::stdout().write_all(&bytes)?;
    Ok(())
}
