//! The rules as sentences.

use super::super::design::{Direction, Place};

/// A rule that a design or a sequence breaks: where, what was expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The sentences name the fields.
pub enum Violation {
    #[error("a tile stands inside the array: {place} is outside {columns} columns and {rows} rows")]
    Place { place: Place, columns: usize, rows: usize },
    #[error("a tile is described once: {place} is there twice")]
    PlaceTwice { place: Place },
    #[error("names are unique in a tile: {place} has {name} twice")]
    NameTwice { place: Place, name: String },
    #[error("buffers lie inside the memory: {buffer} of {place} ends at byte {end} of {bytes}")]
    BufferEnd { place: Place, buffer: String, end: usize, bytes: usize },
    #[error("buffers do not overlap: {first} and {second} of {place} share bytes")]
    BufferOverlap { place: Place, first: String, second: String },
    #[error(
        "buffers do not overlap the stack: {buffer} of {place} begins at byte {address}, the stack ends at {stack_bytes}"
    )]
    BufferStack { place: Place, buffer: String, address: usize, stack_bytes: usize },
    #[error(
        "buffers are made of whole words: {buffer} of {place} has {bytes} bytes at {address}, expected multiples of 4"
    )]
    BufferWords { place: Place, buffer: String, address: usize, bytes: usize },
    #[error("kernels want multiples of 64 bytes: {kernel} of {place} is given {buffer} at byte {address}")]
    OperandAlignment { place: Place, kernel: &'static str, buffer: String, address: usize },
    #[error("only cores run programs: {place} is none")]
    CoreKind { place: Place },
    #[error("a tile has so many locks: {place} has {count}, expected at most {limit}")]
    LockCount { place: Place, count: usize, limit: usize },
    #[error("a lock starts within 0 and 63: {lock} of {place} starts with {initial}")]
    LockInitial { place: Place, lock: String, initial: i8 },
    #[error("a lock is one of the tile's: {user} of {place} uses lock {lock} of {count}")]
    LockMissing { place: Place, user: String, lock: usize, count: usize },
    #[error("amounts are within 0 and 63: {user} of {place} uses {amount}")]
    LockAmount { place: Place, user: String, amount: i8 },
    #[error("a lock has one acquirer, or results depend on timing: {lock} of {place} has {}", .users.join(" and "))]
    LockAcquirers { place: Place, lock: String, users: Vec<String> },
    #[error("a lock has one releaser, or results depend on timing: {lock} of {place} has {}", .users.join(" and "))]
    LockReleasers { place: Place, lock: String, users: Vec<String> },
    #[error("a tile has so many descriptors: number {number} of {place} is not below {limit}")]
    DescriptorNumber { place: Place, number: usize, limit: usize },
    #[error("a descriptor's number is given once: {place} has number {number} twice")]
    DescriptorTwice { place: Place, number: usize },
    #[error("a descriptor moves a buffer of the tile: {number} of {place} names buffer {buffer} of {count}")]
    DescriptorBuffer { place: Place, number: usize, buffer: usize, count: usize },
    #[error("a descriptor moves 1 to {limit} words: {user} moves {words}")]
    Length { user: String, words: usize, limit: u64 },
    #[error("a descriptor has at most {limit} dimensions: {user} has {count}")]
    Dimensions { user: String, count: usize, limit: usize },
    #[error("a wrap is 1 to {limit}: dimension {dimension} of {user} has {wrap}")]
    Wrap { user: String, dimension: usize, wrap: u32, limit: u32 },
    #[error("a step is 1 to {limit} words: dimension {dimension} of {user} has {step_words}")]
    Step { user: String, dimension: usize, step_words: u32, limit: u32 },
    #[error("the product of the wraps is the length: {user} moves {words} words in a pattern of {product}")]
    Product { user: String, words: usize, product: usize },
    #[error("offsets are whole words: {user} starts at byte {offset_bytes}")]
    Offset { user: String, offset_bytes: u64 },
    #[error("a pattern stays in its buffer: {user} ends at byte {end} of {bytes} of {buffer}")]
    Range { user: String, buffer: String, end: u64, bytes: u64 },
    #[error("what follows a descriptor is there: {number} of {place} is followed by {next}, which is not")]
    Next { place: Place, number: usize, next: usize },
    #[error("a channel begins with a descriptor of its tile: {direction:?} {channel} of {place} names {first:?}")]
    First { place: Place, direction: Direction, channel: usize, first: Option<usize> },
    #[error(
        "even channels of a memory tile use descriptors 0 to 23, odd ones 24 to 47: {direction:?} {channel} of {place} uses {number}"
    )]
    DescriptorHalf { place: Place, direction: Direction, channel: usize, number: usize },
    #[error("a tile has so many channels a direction: {direction:?} {channel} of {place} is not below {limit}")]
    ChannelNumber { place: Place, direction: Direction, channel: usize, limit: usize },
    #[error("a channel is described once: {direction:?} {channel} of {place} is there twice")]
    ChannelTwice { place: Place, direction: Direction, channel: usize },
    #[error("a stream ends at channels: {direction:?} {channel} of {place} is none")]
    FlowEnd { place: Place, direction: Direction, channel: usize },
    #[error("a channel belongs to one stream: {direction:?} {channel} of {place} belongs to {count}")]
    ChannelFlows { place: Place, direction: Direction, channel: usize, count: usize },
    #[error("a stream leads somewhere: that of Out {channel} of {place} has no destination")]
    FlowEmpty { place: Place, channel: usize },
    #[error("a ring has buffers of its tile: {ring} of {place} names {buffer:?}")]
    RingBuffer { place: Place, ring: &'static str, buffer: Option<usize> },
    #[error("a step names one of the core's rings: {place} names {ring} of {count}")]
    RingMissing { place: Place, ring: usize, count: usize },
    #[error("a kernel takes its number of buffers: {kernel} of {place} takes {expected}, not {received}")]
    OperandCount { place: Place, kernel: &'static str, expected: usize, received: usize },
    #[error("an operand fits its buffer: {kernel} of {place} needs {end} bytes of {buffer}, which has {bytes}")]
    OperandEnd { place: Place, kernel: &'static str, buffer: String, end: usize, bytes: usize },
    #[error("an operand is a buffer of the tile: {kernel} of {place} names {buffer}")]
    OperandBuffer { place: Place, kernel: &'static str, buffer: usize },
    #[error("a kernel's operands do not overlap: {kernel} of {place} has {first} and {second} share bytes")]
    OperandOverlap { place: Place, kernel: &'static str, first: &'static str, second: &'static str },
    #[error(
        "operands of a product lie in different banks of 16 KB: {kernel} of {place} has {first} and {second} in one"
    )]
    OperandBank { place: Place, kernel: &'static str, first: &'static str, second: &'static str },
    #[error("a kernel takes its number of scalars: {kernel} of {place} takes {expected}, not {received}")]
    ScalarCount { place: Place, kernel: &'static str, expected: usize, received: usize },
    #[error("a constant is in its scalar's range: {kernel} of {place} is given {value} as scalar {scalar}")]
    ScalarRange { place: Place, kernel: &'static str, scalar: usize, value: i32 },
    #[error("parameters lie in the parameters' buffer: {place} reads word {word} of {words}")]
    Parameter { place: Place, word: usize, words: usize },
    #[error("a count is that of a loop around it: {place} reads loop {depth} of {loops}")]
    Loop { place: Place, depth: usize, loops: usize },
    #[error("a command is for a shim of the design: command {index} is for column {column}")]
    CommandColumn { index: usize, column: usize },
    #[error(
        "a command is for a channel of the design: command {index} is for {direction:?} {channel} of column {column}"
    )]
    CommandChannel { index: usize, column: usize, direction: Direction, channel: usize },
    #[error("a shim has 16 descriptors: command {index} names {number}")]
    CommandDescriptor { index: usize, number: usize },
    #[error("a task starts with a descriptor that was written: command {index} names {number} of column {column}")]
    NotWritten { index: usize, column: usize, number: usize },
    #[error("a task's chain of descriptors ends: that of command {index} comes back to {number}")]
    ChainLoop { index: usize, number: usize },
    #[error("a buffer is one of the run's: command {index} names {buffer} of {count}")]
    DdrBuffer { index: usize, buffer: usize, count: usize },
    #[error("an iteration has 1 to 64 runs: command {index} has {wrap}")]
    IterationWrap { index: usize, wrap: u32 },
    #[error("an iteration's step is at most {limit} words: command {index} has {step_words}")]
    IterationStep { index: usize, step_words: u32, limit: u32 },
    #[error("a task repeats 1 to 256 times: command {index} wants {repeat}")]
    Repeat { index: usize, repeat: u32 },
    #[error(
        "a descriptor is written when no task may still use it: command {index} writes {number} of column {column}, which the \
         task of command {task} uses; wait for its token before"
    )]
    Rewritten { index: usize, column: usize, number: usize, task: usize },
    #[error(
        "a channel's queue holds 4 tasks: command {index} starts one more on {direction:?} {channel} of column {column}; wait for \
         a token before"
    )]
    QueueFull { index: usize, column: usize, direction: Direction, channel: usize },
    #[error("a token is waited for once for each task that sends one: command {index} waits for one more")]
    Token { index: usize },
    #[error("the array has {limit} hardware contexts: {count} are wanted")]
    Contexts { count: usize, limit: usize },
    #[error("a core's program has at most {limit} bytes: that of {place} has {bytes}")]
    ProgramBytes { place: Place, bytes: usize, limit: usize },
    #[error("a kernel's stack frame has at most {limit} bytes: that of {function} in {place} has {bytes}")]
    FrameBytes { place: Place, function: String, bytes: usize, limit: usize },
    #[error("the stack holds the deepest calls: that of {place} has {stack_bytes} bytes, the frames need {bytes}")]
    StackBytes { place: Place, bytes: usize, stack_bytes: usize },
}
