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
}
