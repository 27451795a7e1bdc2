//! Commands to words.

use std::collections::HashSet;

use super::super::design::{Command, Direction, Sequence, ShimDescriptor};
use super::super::target::{Kind, MEMORY_ROW, SHIM_ROW, TASK_REPEAT, Target};
use super::descriptor::{DescriptorFields, OutOfRange, offset, within};
use super::error::CommandError;
use super::table::{
    self, ADDRESS, BLOCK_WRITE, CONTROLLER, CONTROLLER_BITS, Field, MASK, MASK_WRITE, Operation, PATCH, PAYLOAD,
    Register, SYNC, WRITE, bit_of, header, patch, queue, sync,
};

/// The stream of a run.
///
/// Error: a command with a number that the hardware has no bits for, or about a column, channel or descriptor that there is
/// not.
pub fn encode(sequence: &Sequence, target: Target) -> Result<Vec<u32>, CommandError> {
    let mut encoder = Encoder { target, words: vec![0; header::WORDS], operations: 0, routed: HashSet::new() };
    for (index, command) in sequence.commands.iter().enumerate() {
        encoder.command(command).map_err(|error| error.of_command(index))?;
    }
    Ok(encoder.finish())
}

/// The words of the header that only the array determines.
pub fn header_of(target: Target) -> [u32; 2] {
    let mut words = [0; 2];
    header::MAJOR.set(&mut words, 0);
    header::MINOR.set(&mut words, 1);
    header::GENERATION.set(&mut words, table::generation(target));
    header::ROWS.set(&mut words, target.rows() as u32);
    header::COLUMNS.set(&mut words, target.columns as u32);
    header::MEMORY_ROWS.set(&mut words, (target.rows() - MEMORY_ROW - target.core_rows) as u32);
    words
}

struct Encoder {
    target: Target,
    words: Vec<u32>,
    operations: u32,
    /// Channels whose tokens have a destination.
    routed: HashSet<(usize, Direction, usize)>,
}

impl Encoder {
    fn command(&mut self, command: &Command) -> Result<(), OutOfRange> {
        let limits = Kind::Shim.limits();
        let of_column = |column: usize| within("column", column as u64, 0..=self.target.columns as u64 - 1);
        let of_channel = |channel: usize| within("channel", channel as u64, 0..=limits.channels as u64 - 1);
        let of_number = |number: usize| within("descriptor", number as u64, 0..=limits.descriptors as u64 - 1);
        match command {
            Command::Configure { column, number, descriptor } => {
                of_column(*column)?;
                of_number(*number)?;
                self.configure(*column, *number, descriptor)?;
            }
            &Command::Start { column, direction, channel, number, repeat, token } => {
                of_column(column)?;
                of_channel(channel)?;
                let number = of_number(number)?;
                let repeat = within("repeat count", repeat.into(), 1..=TASK_REPEAT.into())?;
                if token && self.routed.insert((column, direction, channel)) {
                    self.route(column, direction, channel);
                }
                let task = [(queue::DESCRIPTOR, number), (queue::REPEAT, repeat - 1), (queue::TOKEN, token.into())];
                let address = Register::Queue(direction, channel).address(column);
                self.push(WRITE, &[&[(ADDRESS, address)], &task[..]].concat());
            }
            &Command::Wait { column, direction, channel } => {
                let token = [
                    (sync::DIRECTION, bit_of(direction)),
                    (sync::ROW, SHIM_ROW as u32),
                    (sync::COLUMN, of_column(column)?),
                    (sync::ROWS, 1),
                    (sync::COLUMNS, 1),
                    (sync::CHANNEL, of_channel(channel)?),
                ];
                self.push(SYNC, &token);
            }
        }
        Ok(())
    }

    fn configure(&mut self, column: usize, number: usize, descriptor: &ShimDescriptor) -> Result<(), OutOfRange> {
        let fields = DescriptorFields::new(descriptor)?.words(self.target);
        let argument = within("argument", descriptor.buffer.0 as u64, 0..=patch::ARGUMENT.largest().into())?;
        let patched = [
            (patch::ADDRESS, Register::DescriptorAddress(number).address(column)),
            (patch::ARGUMENT, argument),
            (patch::OFFSET, offset(descriptor)?),
        ];
        self.push(BLOCK_WRITE, &[(ADDRESS, Register::Descriptor(number).address(column))]);
        let payload = self.words.len() - BLOCK_WRITE.words + PAYLOAD;
        self.words[payload..].copy_from_slice(&fields);
        self.push(PATCH, &patched);
        Ok(())
    }

    fn route(&mut self, column: usize, direction: Direction, channel: usize) {
        let address = Register::Control(direction, channel).address(column);
        self.push(MASK_WRITE, &[(ADDRESS, address), (CONTROLLER_BITS, CONTROLLER), (MASK, CONTROLLER_BITS.mask())]);
    }

    fn push(&mut self, operation: Operation, fields: &[(Field, u32)]) {
        let mut words = operation.words();
        for (field, value) in fields {
            field.set(&mut words, *value);
        }
        self.words.extend(words);
        self.operations += 1;
    }

    fn finish(mut self) -> Vec<u32> {
        let bytes = (4 * self.words.len()) as u32;
        self.words[..2].copy_from_slice(&header_of(self.target));
        header::OPERATIONS.set(&mut self.words, self.operations);
        header::BYTES.set(&mut self.words, bytes);
        self.words
    }
}
