//! What is loaded once and shared read-only: a model's path goes in; sizes, weights and vocabulary come out.
//!
//! Read `Model::open` first, then `config.rs`, `weights.rs` (the canonical tensor names) and `vocabulary.rs`.

mod config;
mod error;
mod folder;
mod format;
mod vocabulary;
mod weights;

use std::path::{Path, PathBuf};

pub use config::Config;
pub use error::ModelError;
pub use folder::{find, folder};
pub use vocabulary::{SpecialTokens, Token, Vocabulary};
pub use weights::Weights;

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
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        format::open(path)
    }
}
