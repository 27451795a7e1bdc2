//! The narrow seam: a program of tensor operations goes in, a device prepares it once and runs it many times.
//!
//! Nothing here knows Whisper. Read `program.rs` first (what can be asked of a device), then `cpu/`.

pub mod cpu;
mod error;
mod mapping;
mod names;
#[cfg(feature = "npu-emulator")]
pub mod npu;
mod origin;
mod program;
mod team;
mod tensor;

use std::ops::Range;
use std::sync::Arc;

pub use error::DeviceError;
pub use mapping::{Identity, Mapping};
pub use names::Names;
pub use origin::Origin;
pub use program::{Activation, Extent, LOG_MEL_FLOOR, Mask, Memory, Operation, Procedure, Program, Rows, Value};
pub use team::processors;
pub use tensor::{DataType, TensorView, Tensors};

/// Something that runs programs.
pub trait Device: Send + Sync {
    /// Name as users see it: `cpu`.
    fn name(&self) -> &'static str;

    /// Packs the weights that `program` names and plans its buffers.
    ///
    /// Errors: a tensor that is missing, misshapen or not finite.
    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError>;

    /// Whether it computes [`Operation::Probabilities`].
    fn gives_probabilities(&self) -> bool {
        false
    }

    /// Whether [`Operation::Attention`] of many rows to all keys of [`Rows::Grown`] values takes no longer for each than to a step's own.
    fn attends_to_kept(&self) -> bool {
        false
    }

    /// What it has completed, if it is an array that is launched.
    fn completed(&self) -> Option<Completed> {
        None
    }
}

/// What an array has completed since it was configured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Completed {
    /// Launches.
    pub launches: u64,
    /// Calls of kernels on its cores.
    pub kernel_calls: u64,
    /// Time that an array in silicon is predicted to take for it, the launches included.
    pub predicted_seconds: f64,
}

/// A program with its weights, shared read-only by any number of sessions.
pub trait Prepared: Send + Sync {
    /// Where the packed weights are from.
    fn origin(&self) -> &Origin;

    /// Allocates the buffers of one user of the program, with what is kept `lanes` times.
    fn session(&self, lanes: usize) -> Box<dyn Session>;
}

/// The buffers of one user of a prepared program. Running allocates nothing.
pub trait Session: Send {
    /// Writes the leading rows of an f32 value, of lane 0 if it is kept. Panics if `rows` is longer than the value.
    fn write(&mut self, value: Value, rows: &[f32]);

    /// Writes token ids, those of all extents of the next run one behind the other. Panics if `tokens` is longer than the
    /// value.
    fn write_tokens(&mut self, value: Value, tokens: &[u32]);

    /// Runs one of the program's procedures.
    ///
    /// Errors: an extent does not fit the program's buffers, or the device failed. Panics if two extents have one lane or a
    /// lane is not below the session's number of lanes.
    fn run(&mut self, procedure: Procedure, extents: &[Extent]) -> Result<(), DeviceError>;

    /// Copies rows of every [`Rows::Grown`] value from one lane to another; memories stay where they are, and are shared by
    /// [`Extent::memory_lane`]. Panics if a lane is not below the session's number of lanes, or a value has fewer rows.
    fn copy_kept(&mut self, from: usize, to: usize, rows: Range<usize>);

    /// The value's whole buffer, row-major; only the rows that the last run wrote have a meaning, and of values that other
    /// operations read a device need not keep any.
    fn read(&self, value: Value) -> &[f32];
}
