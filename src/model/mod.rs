//! What is loaded once and shared read-only: a model's path goes in; sizes, weights and vocabulary come out.
//!
//! Read `Model::open` first, then `config.rs`, `weights.rs` (the canonical tensor names) and `vocabulary.rs`.

mod config;
mod error;
mod folder;
mod format;
mod mapping;
mod vocabulary;
mod weights;

use std::path::{Path, PathBuf};

pub use config::Config;
pub use error::ModelError;
pub use folder::{cache_folder, find, folder, folders};
pub use vocabulary::{SpecialTokens, TIMESTAMPS, Token, Vocabulary, language_code};
pub use weights::Weights;

#[cfg(test)]
pub(crate) use vocabulary::tests::small as small_vocabulary;

/// A Whisper model: sizes, vocabulary and mapped weights, whatever file format they came from.
#[derive(Debug)]
pub struct Model {
    /// The file or folder that it was read from.
    pub path: PathBuf,
    /// Sizes and per-model token lists.
    pub config: Config,
    /// Token ids and their bytes.
    pub vocabulary: Vocabulary,
    /// Tensors by canonical name.
    pub weights: Weights,
}

impl Model {
    /// Opens a CTranslate2 folder, a Hugging Face folder or a ggml file, told apart by content.
    ///
    /// Everything is checked here, so that using the model cannot fail for its content: sizes, the shape of every tensor,
    /// the vocabulary, and, reading each byte once, that every weight is finite.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let model = Self::map(path)?;
        model.weights.check_finite()?;
        Ok(model)
    }

    /// The same without reading the weights, for devices that look themselves at what they read.
    pub fn map(path: &Path) -> Result<Self, ModelError> {
        format::open(path)
    }
}
