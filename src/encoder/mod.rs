//! Stage: encoder.
