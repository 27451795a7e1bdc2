//! The narrow seam: a program of tensor operations goes in, a device prepares it once and runs it many times.
//!
//! Nothing here knows Whisper. Read `program.rs` first (what can be asked of a device), then `cpu/`.

pub mod cpu;
mod error;
mod names;
mod program;
mod tensor;

use std::sync::Arc;

pub use error::DeviceError;
pub use names::Names;
pub use program::{Activation, Extent, Mask, Operation, Procedure, Program, Rows, Value};
pub use tensor::{DataType, TensorView, Tensors};

/// Something that runs programs.
pub trait Device: Send + Sync {
    /// Name as users see it: `cpu`.
    fn name(&self) -> &'static str;

    /// Packs the weights that `program` names and plans its buffers.
    ///
    /// Errors: a tensor that is missing, misshapen or not finite.
    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError>;
}

/// A program with its weights, shared read-only by any number of sessions.
pub trait Prepared: Send + Sync {
    /// Allocates the buffers of one user of the program.
    fn session(&self) -> Box<dyn Session>;
}

/// The buffers of one user of a prepared program. Running allocates nothing.
pub trait Session: Send {
    /// Writes the leading rows of an f32 value. Panics if `rows` is longer than the value.
    fn write(&mut self, value: Value, rows: &[f32]);

    /// Writes token ids, to be embedded by the next run. Panics if `tokens` is longer than the value.
    fn write_tokens(&mut self, value: Value, tokens: &[u32]);

    /// Runs one of the program's procedures.
    ///
    /// Errors: the extent does not fit the program's buffers, or the device failed.
    fn run(&mut self, procedure: Procedure, extent: Extent) -> Result<(), DeviceError>;

    /// The value's whole buffer, row-major; only the rows that the last run wrote have a meaning.
    fn read(&self, value: Value) -> &[f32];
}
