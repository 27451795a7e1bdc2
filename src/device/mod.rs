//! The narrow seam: a program of tensor operations goes in, a device prepares it once and runs it many times.
//!
//! Nothing here knows Whisper. Read `program.rs` first, then `cpu/`.

mod error;
mod tensor;

pub use error::DeviceError;
pub use tensor::{DataType, TensorView, Tensors};
