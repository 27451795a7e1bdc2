//! Why a run was stopped.

use super::super::Kernel;

/// What the emulator found wrong. After it the array is in disorder: [`Emulator::reset`](super::Emulator::reset) it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The emulator's threads cannot be started.
    #[error("the emulator's threads cannot be started: {reason}")]
    Threads {
        /// What the system said.
        reason: String,
    },
    /// A run after a fault.
    #[error("the array stopped at a fault; reset it before the next run")]
    Stopped,
    /// Something reads what nobody wrote.
    #[error("{reader} reads byte {offset_bytes} of {memory}, which nobody wrote; write it before, or read less")]
    Unwritten {
        /// Who.
        reader: String,
        /// Which buffer.
        memory: String,
        /// Where in it.
        offset_bytes: usize,
    },
    /// A transfer goes beyond its buffer.
    #[error("{actor} goes to byte {end_bytes} of {memory}, which has {bytes}; correct its offset, steps or length")]
    Address {
        /// Who.
        actor: String,
        /// Which buffer.
        memory: String,
        /// The byte after its last one.
        end_bytes: u64,
        /// Bytes that there are.
        bytes: usize,
    },
    /// A command names what is not there.
    #[error("command {index} names {missing}, which is not there; correct the sequence")]
    Command {
        /// Position in the sequence.
        index: usize,
        /// What it names.
        missing: String,
    },
    /// A lock's register would overflow.
    #[error("{actor} releases {lock}, which would become {value}, more than 63; acquire as much as is released")]
    LockOverflow {
        /// Who.
        actor: String,
        /// Which lock.
        lock: String,
        /// What it would be.
        value: i32,
    },
    /// Two uses of a buffer that could happen at the same time or in either order.
    #[error(
        "{actor} {verb} byte {offset_bytes} of {memory} and no lock or stream orders that after {other}, which {other_verb} it; \
         put a lock between them"
    )]
    Overlap {
        /// Who came later here.
        actor: String,
        /// Reads or writes.
        verb: &'static str,
        /// Which buffer.
        memory: String,
        /// A byte where they meet, about.
        offset_bytes: usize,
        /// Who came earlier here.
        other: String,
        /// Reads or writes.
        other_verb: &'static str,
    },
    /// Nothing can move, and the sequence is not over.
    #[error("nothing can move: {}; see that each of them gets what it waits for", .waits.join("; "))]
    Deadlock {
        /// Who waits for what.
        waits: Vec<String>,
    },
    /// A wait for a token that no task will send.
    #[error(
        "command {index} waits for a token of {channel}, but all tasks that send one were waited for; ask for a token"
    )]
    Token {
        /// Position in the sequence.
        index: usize,
        /// Which channel.
        channel: String,
    },
    /// A kernel refused.
    #[error("kernel {} refused its call by {core}: {reason}", .kernel.name())]
    Refusal {
        /// Which.
        kernel: Kernel,
        /// Whose call.
        core: String,
        /// What it said.
        reason: String,
    },
    /// A core uses a ring's buffer that it does not have, or takes one twice.
    #[error("{core} {verb} ring {ring}, of which it holds {held} buffers; take once, use, give once")]
    Ring {
        /// Whose.
        core: String,
        /// What it does.
        verb: &'static str,
        /// Which.
        ring: &'static str,
        /// How many it holds.
        held: usize,
    },
    /// A parameter selects no case.
    #[error("{core} selects case {case} of {cases}; correct the parameter")]
    Case {
        /// Whose.
        core: String,
        /// Which.
        case: i32,
        /// How many there are.
        cases: usize,
    },
    /// A core's program never waits.
    #[error("{core} goes through its program without waiting for a buffer; let it take one")]
    Spin {
        /// Whose.
        core: String,
    },
    /// The design is not one that hardware could have.
    #[error("the design cannot be configured: {reason}; check it against the rules first")]
    Design {
        /// What is wrong.
        reason: String,
    },
}
