//! States to tokens.
mod error;
pub use error::DecodeError;
