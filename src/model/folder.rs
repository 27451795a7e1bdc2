//! stub
use super::ModelError;
/// f
pub fn find(_n: &str) -> Result<std::path::PathBuf, ModelError> { todo!() }
/// f
pub fn folder() -> std::path::PathBuf { todo!() }
