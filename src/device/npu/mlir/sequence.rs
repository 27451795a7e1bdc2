//! The commands of a run, an operation or two each.

use super::super::design::{Command, Dimension, Sequence, ShimDescriptor};
use super::super::instructions::{CommandError, DescriptorFields, bit_of, descriptor_address, encode};
use super::super::target::{SHIM_ROW, Target, WORD_BYTES};
use super::lines::Lines;
use super::names::{self, Element};

/// The run, whose arguments are as long as its transfers reach.
pub fn print(lines: &mut Lines, sequence: &Sequence, target: Target) -> Result<(), CommandError> {
    // What has no words has no text either.
    encode(sequence, target)?;
    let arguments: Vec<String> = reaches(sequence)
        .iter()
        .enumerate()
        .map(|(argument, bytes)| format!("%argument{argument}: {}", Element::Word.of(*bytes as usize)))
        .collect();
    lines.open(format!("aie.runtime_sequence({})", arguments.join(", ")));
    for (index, command) in sequence.commands.iter().enumerate() {
        match command {
            Command::Configure { column, number, descriptor } => {
                let fields = DescriptorFields::of_command(index, descriptor)?;
                configure(lines, *column, *number, descriptor, &fields);
            }
            &Command::Start { column, direction, channel, number, repeat, token } => {
                let queue = format!("{column}, {SHIM_ROW}, {} : {channel}", names::direction(direction));
                let repeat = repeat.saturating_sub(1);
                let task = format!("bd_id = {number} : i32, issue_token = {token}, repeat_count = {repeat} : i32");
                lines.line(format!("aiex.npu.push_queue({queue}) {{{task}}}"));
            }
            &Command::Wait { column, direction, channel } => {
                let of = attributes(&[
                    ("channel", channel as u64),
                    ("column", column as u64),
                    ("column_num", 1),
                    ("direction", bit_of(direction).into()),
                    ("row", SHIM_ROW as u64),
                    ("row_num", 1),
                ]);
                lines.line(format!("aiex.npu.sync {{{of}}}"));
            }
        }
    }
    lines.close("");
    Ok(())
}

fn configure(lines: &mut Lines, column: usize, number: usize, descriptor: &ShimDescriptor, fields: &DescriptorFields) {
    let written = [
        ("bd_id", number as u64),
        ("buffer_length", fields.length.into()),
        ("column", column as u64),
        ("d0_size", fields.d0_wrap.into()),
        ("d0_stride", fields.d0_step.into()),
        ("d1_size", fields.d1_wrap.into()),
        ("d1_stride", fields.d1_step.into()),
        ("d2_stride", fields.d2_step.into()),
        ("iteration_size", fields.iteration_wrap.into()),
        ("iteration_stride", fields.iteration_step.into()),
        ("next_bd", fields.next.unwrap_or(0).into()),
        ("row", SHIM_ROW as u64),
        ("use_next_bd", fields.next.is_some().into()),
        ("valid_bd", 1),
    ];
    // The operation has no defaults.
    let zero = [
        "buffer_offset",
        "d0_zero_after",
        "d0_zero_before",
        "d1_zero_after",
        "d1_zero_before",
        "d2_size",
        "d2_zero_after",
        "d2_zero_before",
        "enable_packet",
        "iteration_current",
        "lock_acq_enable",
        "lock_acq_id",
        "lock_acq_val",
        "lock_rel_id",
        "lock_rel_val",
        "out_of_order_id",
        "packet_id",
        "packet_type",
    ];
    let mut all: Vec<(&str, u64)> = written.into_iter().chain(zero.map(|name| (name, 0))).collect();
    all.sort_unstable();
    lines.line(format!("aiex.npu.writebd {{{}}}", attributes(&all)));
    let (address, argument, offset) =
        (descriptor_address(column, number), descriptor.buffer.0, descriptor.offset_bytes);
    let patch = format!("addr = {address} : ui32, arg_idx = {argument} : i32, arg_plus = {offset} : i32");
    lines.line(format!("aiex.npu.address_patch {{{patch}}}"));
}

fn attributes(values: &[(&str, u64)]) -> String {
    values.iter().map(|(name, value)| format!("{name} = {value} : i32")).collect::<Vec<_>>().join(", ")
}

/// Bytes of each argument up to the last that a transfer moves.
fn reaches(sequence: &Sequence) -> Vec<u64> {
    let mut reaches: Vec<u64> = Vec::new();
    for command in &sequence.commands {
        let Command::Configure { descriptor, .. } = command else { continue };
        let DdrReach { argument, bytes } = reach(descriptor);
        if reaches.len() <= argument {
            reaches.resize(argument + 1, WORD_BYTES as u64);
        }
        reaches[argument] = reaches[argument].max(bytes);
    }
    reaches
}

struct DdrReach {
    argument: usize,
    bytes: u64,
}

fn reach(descriptor: &ShimDescriptor) -> DdrReach {
    let last = |dimension: &Dimension| u64::from(dimension.wrap.saturating_sub(1)) * u64::from(dimension.step_words);
    let words = match &descriptor.dimensions[..] {
        [] => descriptor.length_words as u64,
        dimensions => dimensions.iter().map(last).sum::<u64>() + 1,
    };
    let words = words + descriptor.iteration.as_ref().map_or(0, last);
    DdrReach { argument: descriptor.buffer.0, bytes: descriptor.offset_bytes + words * WORD_BYTES as u64 }
}
