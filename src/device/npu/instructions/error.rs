//! Why commands have no words, and why words are no commands.

use std::ops::RangeInclusive;

/// A command with a number that the hardware has no bits for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("command {command}: {field} is {received}, expected {} to {}", expected.start(), expected.end())]
pub struct CommandError {
    /// Position of the command in the sequence.
    pub command: usize,
    /// What is out of range.
    pub field: &'static str,
    /// Its value.
    pub received: u64,
    /// The values that there can be.
    pub expected: RangeInclusive<u64>,
}

/// A stream that [`super::encode`] does not make. Words are counted from the stream's first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstructionError {
    /// The stream ends too early.
    #[error("word {word}: expected {expected}, but the stream ends")]
    Truncated {
        /// Where it ends.
        word: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// An operation that a run has not.
    #[error("word {word}: expected the code of an operation, received {received:#x}")]
    Operation {
        /// Where.
        word: usize,
        /// What is there.
        received: u32,
    },
    /// Another operation than the one before calls for.
    #[error("word {word}: expected {expected}, received {received}")]
    Order {
        /// Where.
        word: usize,
        /// Name of the operation that should be there.
        expected: &'static str,
        /// Name of the operation that is there.
        received: &'static str,
    },
    /// No register that a run writes with this operation.
    #[error("word {word}: expected the address of {expected}, received {received:#x}")]
    Address {
        /// Where.
        word: usize,
        /// Which registers could be written.
        expected: &'static str,
        /// The address.
        received: u32,
    },
    /// A number out of range.
    #[error("word {word}: {field} is {received}, expected {} to {}", expected.start(), expected.end())]
    Range {
        /// Where.
        word: usize,
        /// What it is.
        field: &'static str,
        /// The number.
        received: u64,
        /// The numbers that there can be.
        expected: RangeInclusive<u64>,
    },
    /// A word that has to be another one.
    #[error("word {word}: expected {expected:#x}, received {received:#x}")]
    Word {
        /// Where.
        word: usize,
        /// What should be there.
        expected: u32,
        /// What is there.
        received: u32,
    },
}
