//! Weights as a device sees them: a name, a shape, an element type and bytes that somebody else keeps alive.

use std::borrow::Cow;

use super::DeviceError;

/// How the elements of a stored tensor are encoded, little-endian.
///
/// The quantised types are ggml's blocks of 32 values (`ggml-common.h`), stored row after row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of a single-precision number.
    Bf16,
}

/// A tensor in memory that is not ours to change: row-major, of at most a handful of dimensions.
#[derive(Clone, Debug)]
pub struct TensorView<'a> {
    /// Name in the model's canonical vocabulary, for messages.
    pub name: Cow<'a, str>,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Element type of `bytes`.
    pub data_type: DataType,
    /// The elements, with no alignment promised.
    pub bytes: &'a [u8],
}

/// Where a device finds the weights that a program names.
pub trait Tensors: Sync {
    /// The tensor called `name`, or an error that says which tensor is missing.
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError>;
}

impl TensorView<'_> {
    /// All elements as f32.
    pub fn to_f32(&self) -> Result<Vec<f32>, DeviceError> {
        Ok(match self.data_type {
            DataType::F32 => self.bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            DataType::F16 => self.bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            DataType::Bf16 => self.bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        })
    }
}
