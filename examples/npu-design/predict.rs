//! What a model is predicted to take on the array, by the emulator's clock and by the analytic model.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

use gstwhispernpu::decoder::{Decoder, DecoderSession};
use gstwhispernpu::device::npu::{
    NpuEmulator, Trace, Traced,
    cost::{Inputs, Work},
    design::Direction,
    emulator::{Report, Timeline},
    target::Target,
};
use gstwhispernpu::encoder::Encoder;
use gstwhispernpu::model::{self, Model};

/// Tokens of the prompt before the first of text.
const PROMPT_TOKENS: usize = 3;
/// Operations of a layer of the encoder, and those before the first.
const LAYER_OPERATIONS: usize = 9;
const STEM_OPERATIONS: usize = 2;
/// Positions of a timeline's window.
const TIMELINE_ROWS: usize = 128;

/// Times of encoder and decoder.
pub fn text(target: Target, name: &str, is_int8: bool, rows: Option<usize>) -> Result<String, Box<dyn Error>> {
    let model = Model::map(&model::find(name)?)?;
    let inputs = Inputs::of(target);
    let rows = rows.unwrap_or(model.config.audio_positions);
    let mut text = String::new();
    let numbers = if is_int8 { "int8 in linear layers, bf16 in attention" } else { "bf16" };
    let device = target.device();
    writeln!(text, "# {name} on {device}, {numbers}: predicted, not measured\n")?;
    print_inputs(&mut text, &inputs)?;

    let array = NpuEmulator::without_arithmetic(target, is_int8)?;
    let encoder = Encoder::new(&array, &model.config, &model.weights)?;
    let mut session = encoder.session();
    let mel = vec![0.0; 2 * rows * model.config.mel_bins];
    session.encode(&mel)?;
    let whole = array.report();
    array.trace(Some(Trace::new(false)));
    session.encode(&mel)?;
    let operations = array.traced();
    writeln!(text, "## Encoder, {rows} positions\n")?;
    print_run(&mut text, &inputs, &whole, &operations)?;
    print_operations(&mut text, &inputs, &operations)?;
    print_kernels(&mut text, &inputs, &whole)?;
    print_streams(&mut text, &whole)?;

    let array = NpuEmulator::without_arithmetic(target, is_int8)?;
    let decoder = Decoder::new(&array, &model)?;
    let mut session = decoder.session(1);
    array.trace(Some(Trace::new(false)));
    let part = |session: &mut DecoderSession, tokens: usize| -> Result<Vec<Traced>, Box<dyn Error>> {
        let tokens: Vec<_> = (0..tokens as u32).collect();
        match tokens.len() {
            0 => session.listen(0, &vec![0.0; rows * model.config.width])?,
            _ => drop(session.step([(0, tokens.as_slice())].into_iter())?),
        }
        Ok(array.traced())
    };
    writeln!(text, "## Decoder, one lane\n")?;
    for (name, tokens) in [("Keys and values of the cross-attention", 0), ("Prompt", PROMPT_TOKENS), ("A token", 1)] {
        let operations = part(&mut session, tokens)?;
        let mut whole = Report::default();
        operations.iter().for_each(|operation| whole.add(&operation.report));
        writeln!(text, "{name}:\n")?;
        print_run(&mut text, &inputs, &whole, &operations)?;
        if tokens == 1 {
            print_operations(&mut text, &inputs, &operations)?;
        }
    }
    Ok(text)
}

/// What column 0 does in the encoder's first layer.
pub fn timeline(target: Target, name: &str, is_int8: bool, rows: Option<usize>) -> Result<String, Box<dyn Error>> {
    let model = Model::map(&model::find(name)?)?;
    let array = NpuEmulator::without_arithmetic(target, is_int8)?;
    let encoder = Encoder::new(&array, &model.config, &model.weights)?;
    let mel = vec![0.0; 2 * rows.unwrap_or(TIMELINE_ROWS) * model.config.mel_bins];
    array.trace(Some(Trace::new(true)));
    encoder.session().encode(&mel)?;
    let mut whole = Timeline::default();
    for operation in array.traced().iter().skip(STEM_OPERATIONS).take(LAYER_OPERATIONS) {
        if let Some(timeline) = &operation.timeline {
            whole.append(timeline, &operation.name);
        }
    }
    Ok(whole.svg(0))
}

fn print_inputs(text: &mut String, inputs: &Inputs) -> std::fmt::Result {
    writeln!(text, "| input | value | unit | how | source |\n| --- | --: | --- | --- | --- |")?;
    for input in inputs.all() {
        let (name, value, unit) = (input.name, input.value, input.unit);
        writeln!(text, "| {name} | {value:e} | {unit} | {} | {} |", input.mark, input.source)?;
    }
    writeln!(text)
}

fn print_run(text: &mut String, inputs: &Inputs, whole: &Report, operations: &[Traced]) -> std::fmt::Result {
    let works: Vec<Work> = operations.iter().map(|operation| Work::of(&operation.report)).collect();
    let analytic: f64 = works.iter().map(|work| work.array_seconds(inputs)).sum();
    let launching = inputs.launching_seconds(whole.launches);
    let busy: u64 = whole.busy_cycles.values().sum();
    let multiplications: u64 = whole.kernels.values().map(|kernel| kernel.multiplications).sum();
    writeln!(text, "| | emulator's clock | analytic model |\n| --- | --: | --: |")?;
    writeln!(text, "| array, ms | {:.2} | {:.2} |", 1e3 * whole.seconds, 1e3 * analytic)?;
    writeln!(text, "| {} launches, ms | {:.2} | {:.2} |", whole.launches, 1e3 * launching, 1e3 * launching)?;
    let sums = [whole.seconds + launching, analytic + launching];
    writeln!(text, "| together, ms | {:.2} | {:.2} |\n", 1e3 * sums[0], 1e3 * sums[1])?;
    writeln!(
        text,
        "{:.2} thousand million multiplications, {:.1} MB read, {:.1} MB written, {} commands, {} kernel calls, 0 changes of the \
         configuration, cores in kernels {:.0} % of the time.\n",
        multiplications as f64 / 1e9,
        whole.ddr_read_bytes as f64 / 1e6,
        whole.ddr_write_bytes as f64 / 1e6,
        whole.commands,
        whole.calls(),
        100.0 * busy as f64 / (inputs.cores.value * whole.cycles as f64),
    )
}

/// Operations of the same name together, in the order of the first of each.
fn print_operations(text: &mut String, inputs: &Inputs, operations: &[Traced]) -> std::fmt::Result {
    writeln!(text, "| operation | times | emulator ms | analytic ms | bound by |\n| --- | --: | --: | --: | --- |")?;
    let mut names: Vec<&str> = Vec::new();
    for operation in operations {
        if !names.contains(&operation.name.as_str()) {
            names.push(&operation.name);
        }
    }
    for name in names {
        let same = || operations.iter().filter(|operation| operation.name == name);
        let emulated: f64 = same().map(|operation| operation.report.seconds).sum();
        let works: Vec<Work> = same().map(|operation| Work::of(&operation.report)).collect();
        let analytic: f64 = works.iter().map(|work| work.array_seconds(inputs)).sum();
        let bound = works.first().map(|work| format!("{:?}", work.bound(inputs)).to_lowercase()).unwrap_or_default();
        writeln!(text, "| {name} | {} | {:.3} | {:.3} | {bound} |", works.len(), 1e3 * emulated, 1e3 * analytic)?;
    }
    writeln!(text)
}

fn print_kernels(text: &mut String, inputs: &Inputs, whole: &Report) -> std::fmt::Result {
    writeln!(text, "| kernel | calls | cycles a call | ms, spread over all cores |\n| --- | --: | --: | --: |")?;
    let mut kernels: Vec<_> = whole.kernels.iter().collect();
    kernels.sort_by_key(|(_, total)| std::cmp::Reverse(total.cycles));
    for (name, total) in kernels {
        let milliseconds = 1e3 * total.cycles as f64 / (inputs.cores.value * inputs.clock.value);
        let cycles = total.cycles / total.calls.max(1);
        writeln!(text, "| `{name}` | {} | {cycles} | {milliseconds:.2} |", total.calls)?;
    }
    writeln!(text)
}

fn print_streams(text: &mut String, whole: &Report) -> std::fmt::Result {
    let mut streams: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (&(_, direction, number), total) in &whole.channels {
        let name = match (direction, number) {
            (Direction::In, _) => "results",
            (Direction::Out, 0) => "columns: headers, weights, keys, values, sums",
            (Direction::Out, _) => "rows: left operands, queries",
        };
        streams.entry(name).or_default().push(*total);
    }
    writeln!(text, "| streams | channels | MB | busiest channel moves |\n| --- | --: | --: | --: |")?;
    for (name, totals) in streams {
        let bytes: u64 = totals.iter().map(|total| total.bytes).sum();
        let busiest = totals.iter().map(|total| total.cycles).max().unwrap_or(0);
        let share = 100.0 * busiest as f64 / whole.cycles as f64;
        writeln!(text, "| {name} | {} | {:.1} | {share:.0} % of the time |", totals.len(), bytes as f64 / 1e6)?;
    }
    writeln!(text)
}
