//! Why the decoder refuses its options.

/// Errors of the decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {}
