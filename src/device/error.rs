//! Why a device cannot prepare or run a program.

/// Errors of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// A program names a tensor that the weights do not have.
    #[error("the weights have no tensor {name}")]
    MissingTensor {
        /// Canonical name.
        name: String,
    },
    /// A tensor's dimensions are not those of the program.
    #[error("tensor {name} should have the shape {expected:?}, but it has {received:?}")]
    Shape {
        /// Canonical name.
        name: String,
        /// Dimensions that the program needs.
        expected: Vec<usize>,
        /// Dimensions that came.
        received: Vec<usize>,
    },
    /// A weight is infinite or not a number.
    #[error("element {index} of tensor {name} is not a finite number")]
    NotFinite {
        /// Canonical name.
        name: String,
        /// Which element, from 0; of quantised weights, the first one of its block.
        index: usize,
    },
    /// A run is longer than the buffers that were planned.
    #[error("{name} holds at most {limit} rows, but the run needs {rows}")]
    Extent {
        /// The value's name.
        name: &'static str,
        /// Rows that were planned.
        limit: usize,
        /// Rows that the run needs.
        rows: usize,
    },
    /// The device has no Fourier transform of this length.
    #[error("the device transforms frames of {expected} samples, but the program has {received}")]
    Transform {
        /// Samples of a frame that the device takes.
        expected: usize,
        /// Samples of the program's frame.
        received: usize,
    },
    /// A token is outside the vocabulary.
    #[error("token {token} is outside the vocabulary of {vocabulary_size} tokens")]
    Token {
        /// The token.
        token: u32,
        /// Rows of the embedding.
        vocabulary_size: usize,
    },
    /// The environment names an instruction set that the processor does not have.
    #[error(
        "{variable}={name:?} is no instruction set of this processor, which has: {present}; unset it for the best one"
    )]
    Isa {
        /// The environment variable.
        variable: &'static str,
        /// What it says.
        name: String,
        /// Names of those that there are.
        present: String,
    },
    /// The device does not compute in this precision.
    #[error("{device} does not compute in {precision}; choose one of: {others}")]
    Precision {
        /// The device.
        device: &'static str,
        /// What was asked for.
        precision: &'static str,
        /// What it has.
        others: &'static str,
    },
    /// The program was built without the device.
    #[error("this build has no {device}; build it with the cargo feature {feature}")]
    NotBuilt {
        /// The device.
        device: &'static str,
        /// What it takes.
        feature: &'static str,
    },
    /// The device has no such operation.
    #[error("{device} does not compute {operation}; the processor does")]
    Unsupported {
        /// The device.
        device: &'static str,
        /// What was asked for.
        operation: &'static str,
    },
    /// A head of attention is wider than the array's.
    #[error("heads of attention have {width} columns, but those of the array have at most {limit}")]
    HeadWidth {
        /// Columns that the array has.
        limit: usize,
        /// Columns of the program.
        width: usize,
    },
    /// Rows are longer than a core can keep.
    #[error("rows of {columns} columns do not fit the {limit} bytes that a core of the array keeps them in")]
    RowWidth {
        /// Bytes of a core.
        limit: usize,
        /// Columns of the program.
        columns: usize,
    },
    /// The array stopped.
    #[error("the array stopped: {reason}")]
    Array {
        /// What happened.
        reason: String,
    },
    /// The device's worker threads cannot be started.
    #[error("the worker threads of the CPU device cannot be started: {reason}")]
    Threads {
        /// What the system said.
        reason: String,
    },
    /// A tensor's bytes are not as many as its dimensions need.
    #[error("tensor {name} of shape {shape:?} should have {expected} bytes, but it has {received}")]
    Length {
        /// Canonical name.
        name: String,
        /// Its dimensions.
        shape: Vec<usize>,
        /// Bytes that the shape needs; the largest number if none would do.
        expected: usize,
        /// Bytes that came.
        received: usize,
    },
    /// A range of rows reaches beyond the tensor.
    #[error("tensor {name} has {rows} rows, but rows {first} to {end} were asked for")]
    Rows {
        /// Canonical name.
        name: String,
        /// First row asked for.
        first: usize,
        /// The row after the last one asked for.
        end: usize,
        /// Rows that there are.
        rows: usize,
    },
}
