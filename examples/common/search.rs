//! The part of a command line that says how texts are searched for.
#![allow(dead_code, reason = "some examples have no use for it")]

use gstwhispernpu::decoder::Options;

const NAMES: [&str; 8] =
    ["beam-size", "best-of", "patience", "length-penalty", "temperatures", "suppress-tokens", "vocabulary", "prompt"];
const SWITCHES: [&str; 2] = ["fallback", "condition-on-previous"];

/// Whether `--name` is one of these and takes a value.
pub fn takes_value(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether `--name` is one of these and takes none.
pub fn is_switch(name: &str) -> bool {
    SWITCHES.contains(&name)
}

/// Sets what `--name value` says.
pub fn set(options: &mut Options, name: &str, value: &str) -> Result<(), String> {
    let wrong = |reason: String| format!("--{name} {value}: {reason}");
    let count = || value.parse::<usize>().map_err(|error| wrong(error.to_string()));
    let number = |text: &str| text.trim().parse::<f32>().map_err(|error| wrong(error.to_string()));
    match name {
        "beam-size" => options.beam_size = count()?,
        "best-of" => options.best_of = count()?,
        "patience" => options.patience = number(value)?,
        "length-penalty" => options.length_penalty = Some(number(value)?).filter(|penalty| *penalty >= 0.0),
        "temperatures" => options.temperatures = value.split(',').map(number).collect::<Result<_, _>>()?,
        "suppress-tokens" => {
            options.suppressed = Options::parse_suppressed(value).map_err(|error| wrong(error.to_string()))?
        }
        "vocabulary" => options.vocabulary = value.split(',').map(|word| word.trim().into()).collect(),
        _ => options.prompt = value.into(),
    }
    Ok(())
}

/// Sets what `--name` says.
pub fn switch(options: &mut Options, name: &str) {
    match name {
        "fallback" => options.temperatures = Options::ladder(),
        _ => options.conditions_on_previous = true,
    }
}
