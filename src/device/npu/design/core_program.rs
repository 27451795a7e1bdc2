//! What a core does: loops around locks and calls of kernels.

use super::super::Kernel;

/// A core's program; it starts over when it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreProgram {
    /// Queues of objects that it takes from or fills.
    pub rings: Vec<Ring>,
    /// Position, in the tile's buffers, of the words that [`Scalar::Parameter`] reads.
    pub parameters: usize,
    /// Bytes reserved for the stack, from address 0 on.
    pub stack_bytes: usize,
    /// What it does, again and again.
    pub body: Vec<Statement>,
}

/// Buffers that are used in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Name, for messages and the compiler's text.
    pub name: &'static str,
    /// Positions in the tile's buffers.
    pub buffers: Vec<usize>,
    /// Lock of which one is acquired before a buffer is used: what is full, or for output what is empty.
    pub take: usize,
    /// Lock of which one is released after it.
    pub give: usize,
}

/// Position in [`CoreProgram::rings`].
pub type RingIndex = usize;

/// A step of a core.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Waits for the ring's next buffer.
    Take(RingIndex),
    /// Gives it on; the next one is the next in turn.
    Give(RingIndex),
    /// Runs a kernel.
    Call {
        /// Which.
        kernel: Kernel,
        /// Its buffers, in its order.
        operands: Vec<Operand>,
        /// Its numbers, in its order.
        scalars: Vec<Scalar>,
    },
    /// Runs the body so many times; a negative number is none.
    Repeat {
        /// How many times.
        times: Scalar,
        /// What.
        body: Vec<Statement>,
    },
    /// Runs the case of that number.
    Select {
        /// Which; another number than of a case is a fault.
        case: Scalar,
        /// From 0 on.
        cases: Vec<Vec<Statement>>,
    },
}

/// A buffer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Part of a buffer of the tile, of the length that the kernel needs.
    Buffer {
        /// Position in the tile's buffers.
        buffer: usize,
        /// First byte in it.
        offset_bytes: usize,
    },
    /// The buffer of a ring that is taken.
    Ring(RingIndex),
}

/// A number of a call or a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Known beforehand.
    Constant(i32),
    /// Word of the parameters at the time of use.
    Parameter(usize),
    /// Count from 0 of the enclosing loop, the innermost being 0.
    Loop(usize),
    /// The sum of a word of the parameters and the count of an enclosing loop.
    Sum {
        /// Word of the parameters.
        parameter: usize,
        /// The loop.
        depth: usize,
    },
}
