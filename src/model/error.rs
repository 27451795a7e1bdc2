//! Why a model cannot be found or read.

use std::path::PathBuf;

/// Errors of finding, opening and checking a model; each names the file, what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No such path, and no model of that name in the model folders.
    #[error(
        "there is no model {name:?}: it is no existing path, and none of that name is in {}; models there: {}. \
         Install one with `scripts/get-model NAME`, or give the path of a model",
        paths(searched),
        or_none(installed)
    )]
    NotFound {
        /// The path or name that was asked for.
        name: String,
        /// Folders that were searched.
        searched: Vec<PathBuf>,
        /// Names of the models that are there.
        installed: Vec<String>,
    },
    /// The operating system does not let us read it.
    #[error("cannot read {}: {message}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The kind of failure.
        kind: std::io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
    /// The file or folder is no model of a known format.
    #[error("{} should be {expected}, but it is {received}", path.display())]
    Format {
        /// The file or folder.
        path: PathBuf,
        /// The formats that would do.
        expected: String,
        /// What it looks like.
        received: String,
    },
    /// The file ends too early: the copy or download is not complete.
    #[error(
        "{} is truncated: {what} needs {needed} bytes from byte {offset} on, but the file has {length} bytes; \
         get the model again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What was being read.
        what: String,
        /// Where it begins, in bytes.
        offset: usize,
        /// How many bytes it takes.
        needed: u64,
        /// Length of the file in bytes.
        length: usize,
    },
    /// A value in the file makes no sense.
    #[error("{}: {what} should be {expected}, but it is {received}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which value.
        what: String,
        /// What would do.
        expected: String,
        /// What came.
        received: String,
    },
    /// The file is no JSON or lacks a field.
    #[error("{} should be JSON as the model's converter writes it: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        message: String,
    },
    /// A tensor that every Whisper model of these sizes has is not there.
    #[error("{} has no tensor {name}, which a Whisper model of its sizes needs", path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
    },
    /// A tensor's dimensions are not those that the model's sizes ask for.
    #[error("{}: tensor {name} should have the shape {expected:?}, but it has {received:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Dimensions that fit the model's sizes.
        expected: Vec<usize>,
        /// Dimensions that came.
        received: Vec<usize>,
    },
    /// A weight is infinite or not a number.
    #[error(
        "{}: element {index} of tensor {name} should be a finite number, but it is not; get the model again",
        path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Canonical name.
        name: String,
        /// Index of the first such element, row-major; in a quantised tensor, of the block that it is in.
        index: usize,
    },
}

fn paths(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if names.is_empty() {
        "any model folder (neither HOME nor WHISPERNPU_MODEL_PATH is set)".to_owned()
    } else {
        names.join(", ")
    }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
