//! Errors.
#[derive(Clone, Debug, thiserror::Error)]
/// Errors of reading a model.
pub enum ModelError {}
