//! Words to commands.

use super::super::design::{Command, DdrBuffer, Direction, Sequence};
use super::super::target::{Kind, Target};
use super::descriptor::{DescriptorFields, OutOfRange};
use super::encoder::{encode, header_of};
use super::error::{CommandError, InstructionError};
use super::table::{
    ADDRESS, BLOCK_WRITE, Field, MASK_WRITE, OPERATIONS, Operation, PATCH, PAYLOAD, Register, SYNC, VALUE, WRITE,
    bit_of, descriptor as bits, header, patch, queue, sync,
};

/// The commands of a stream: the ones that [`encode`] makes exactly this stream of.
///
/// Patterns come back in their shortest form: without outermost dimensions of a single step, without any for consecutive words, and
/// without an iteration that adds nothing.
///
/// Error: the first word that no commands have there.
pub fn decode(words: &[u32], target: Target) -> Result<Sequence, InstructionError> {
    if words.len() < header::WORDS {
        return Err(InstructionError::Truncated { word: words.len(), expected: "the header" });
    }
    for (word, (received, expected)) in words.iter().zip(header_of(target)).enumerate() {
        expect(word, expected, *received)?;
    }
    let bytes = header::BYTES.get(words) as usize;
    if bytes > 4 * words.len() {
        return Err(InstructionError::Truncated { word: words.len(), expected: "as many words as the header says" });
    }
    expect(header::BYTES.word, (4 * words.len()) as u32, words[header::BYTES.word])?;
    let mut decoder = Decoder { words, position: header::WORDS, target, commands: Vec::new() };
    let mut starts = Vec::new();
    while decoder.position < words.len() {
        starts.push(decoder.position);
        decoder.command()?;
    }
    let sequence = Sequence { commands: decoder.commands };
    let again = encode(&sequence, target).map_err(|CommandError { command, field, received, expected }| {
        let word = starts[command];
        InstructionError::Range { word, field, received, expected }
    })?;
    // Whatever was not looked at is compared here: unused bits, the number of operations, and where tokens are routed.
    let differing = again.iter().zip(words).position(|(expected, received)| expected != received);
    match differing {
        Some(word) => Err(InstructionError::Word { word, expected: again[word], received: words[word] }),
        None if again.len() > words.len() => {
            Err(InstructionError::Truncated { word: words.len(), expected: "an operation" })
        }
        None => expect(header::BYTES.word, (4 * again.len()) as u32, words[header::BYTES.word]).map(|()| sequence),
    }
}

fn expect(word: usize, expected: u32, received: u32) -> Result<(), InstructionError> {
    match expected == received {
        true => Ok(()),
        false => Err(InstructionError::Word { word, expected, received }),
    }
}

struct Decoder<'a> {
    words: &'a [u32],
    position: usize,
    target: Target,
    commands: Vec<Command>,
}

impl<'a> Decoder<'a> {
    /// Reads the operations of the next command.
    fn command(&mut self) -> Result<(), InstructionError> {
        let at = self.position;
        let (operation, words) = self.operation()?;
        let command = match operation {
            BLOCK_WRITE => self.configure(at, words)?,
            MASK_WRITE => {
                self.register(at, ADDRESS, "a channel's control register", words, |register| match register {
                    Register::Control(direction, channel) => Some((direction, channel)),
                    _ => None,
                })?;
                let at = self.position;
                let words = self.follows(WRITE)?;
                self.start(at, words)?
            }
            WRITE => self.start(at, words)?,
            SYNC => self.wait(at, words)?,
            other => {
                let (expected, received) = (BLOCK_WRITE.name, other.name);
                return Err(InstructionError::Order { word: at, expected, received });
            }
        };
        self.commands.push(command);
        Ok(())
    }

    fn configure(&mut self, at: usize, words: &[u32]) -> Result<Command, InstructionError> {
        let (column, number) = self.register(at, ADDRESS, "a descriptor", words, |register| match register {
            Register::Descriptor(number) => Some(number),
            _ => None,
        })?;
        let patched_at = self.position;
        let patched = self.follows(PATCH)?;
        let expected = Register::DescriptorAddress(number).address(column);
        expect(patched_at + patch::ADDRESS.word, expected, patch::ADDRESS.get(patched))?;
        let buffer = DdrBuffer(patch::ARGUMENT.get(patched) as usize);
        let descriptor = DescriptorFields::of_words(&words[PAYLOAD..])
            .descriptor(buffer, patch::OFFSET.get(patched).into())
            .map_err(|OutOfRange { field, received, expected }| InstructionError::Range {
                word: at + PAYLOAD + bits::LENGTH.word,
                field,
                received,
                expected,
            })?;
        Ok(Command::Configure { column, number, descriptor })
    }

    fn start(&self, at: usize, words: &[u32]) -> Result<Command, InstructionError> {
        let queue = |register| match register {
            Register::Queue(direction, channel) => Some((direction, channel)),
            _ => None,
        };
        let (column, (direction, channel)) = self.register(at, ADDRESS, "a channel's task queue", words, queue)?;
        let number = queue::DESCRIPTOR.get(words) as usize;
        let (repeat, token) = (queue::REPEAT.get(words) + 1, queue::TOKEN.get(words) == 1);
        debug_assert_eq!(queue::TOKEN.word, VALUE.word);
        Ok(Command::Start { column, direction, channel, number, repeat, token })
    }

    fn wait(&self, at: usize, words: &[u32]) -> Result<Command, InstructionError> {
        let number = |field: Field, count: usize| {
            let (received, expected) = (u64::from(field.get(words)), 0..=count as u64 - 1);
            match expected.contains(&received) {
                true => Ok(received as usize),
                false => Err(InstructionError::Range { word: at + field.word, field: field.name, received, expected }),
            }
        };
        let column = number(sync::COLUMN, self.target.columns)?;
        let channel = number(sync::CHANNEL, Kind::Shim.limits().channels)?;
        let direction = match number(sync::DIRECTION, 2)? as u32 == bit_of(Direction::In) {
            true => Direction::In,
            false => Direction::Out,
        };
        Ok(Command::Wait { column, direction, channel })
    }

    /// The operation that follows has to be this one.
    fn follows(&mut self, expected: Operation) -> Result<&'a [u32], InstructionError> {
        let word = self.position;
        if word == self.words.len() {
            return Err(InstructionError::Truncated { word, expected: expected.name });
        }
        match self.operation()? {
            (operation, words) if operation == expected => Ok(words),
            (operation, _) => Err(InstructionError::Order { word, expected: expected.name, received: operation.name }),
        }
    }

    /// Takes an operation and its words.
    fn operation(&mut self) -> Result<(Operation, &'a [u32]), InstructionError> {
        let word = self.position;
        let code = self.words[word];
        let Some(&operation) = OPERATIONS.iter().find(|operation| operation.code == code) else {
            return Err(InstructionError::Operation { word, received: code });
        };
        let Some(words) = self.words.get(word..word + operation.words) else {
            return Err(InstructionError::Truncated { word: self.words.len(), expected: operation.name });
        };
        expect(word + operation.size_word, (4 * operation.words) as u32, words[operation.size_word])?;
        self.position += operation.words;
        Ok((operation, words))
    }

    /// Column and register at an address, of a kind of registers.
    fn register<T>(
        &self,
        at: usize,
        field: Field,
        expected: &'static str,
        words: &[u32],
        kind: impl Fn(Register) -> Option<T>,
    ) -> Result<(usize, T), InstructionError> {
        let received = field.get(words);
        (0..self.target.columns)
            .flat_map(|column| registers().map(move |register| (column, register)))
            .find(|(column, register)| register.address(*column) == received && kind(*register).is_some())
            .and_then(|(column, register)| Some((column, kind(register)?)))
            .ok_or(InstructionError::Address { word: at + field.word, expected, received })
    }
}

/// Those of a shim tile that a run writes.
fn registers() -> impl Iterator<Item = Register> {
    let limits = Kind::Shim.limits();
    let channels = [Direction::In, Direction::Out]
        .into_iter()
        .flat_map(move |direction| (0..limits.channels).map(move |channel| (direction, channel)));
    let of_channels = channels
        .flat_map(|(direction, channel)| [Register::Control(direction, channel), Register::Queue(direction, channel)]);
    (0..limits.descriptors).map(Register::Descriptor).chain(of_channels)
}
