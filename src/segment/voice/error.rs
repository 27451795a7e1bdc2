//! Why the voice activity network cannot be found or read.

use std::path::PathBuf;

/// Errors of finding, opening and checking the network's file; each says what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoiceError {
    /// None of the model folders has it.
    #[error(
        "voice activity needs {}, which is not in {}. Install it with `scripts/get-model silero-vad`",
        file.display(),
        any_of(searched)
    )]
    NotInstalled {
        /// Its path within a model folder.
        file: PathBuf,
        /// The model folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// The operating system does not let us read it.
    #[error("cannot read {}: {message}; `scripts/get-model silero-vad` installs it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The kind of failure.
        kind: std::io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
    /// The file is something else, or not whole.
    #[error("{} should be {expected}, but it is {received}; install it with `scripts/get-model silero-vad`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What would do.
        expected: String,
        /// What it looks like.
        received: String,
    },
    /// A tensor of the network is not there.
    #[error(
        "{} has no tensor {name}: it is not Silero's network for 16 kHz; install that with `scripts/get-model silero-vad`",
        path.display()
    )]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
    },
    /// A tensor's dimensions or number type are not those of the network.
    #[error(
        "{}: tensor {name} should be {expected}, but it is {received}: it is not Silero's network for 16 kHz; \
         install that with `scripts/get-model silero-vad`",
        path.display()
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Number type and dimensions of the network.
        expected: String,
        /// Number type and dimensions that came.
        received: String,
    },
    /// A weight is infinite or not a number.
    #[error(
        "{}: element {index} of tensor {name} should be a finite number, but it is not; install the file again with \
         `scripts/get-model silero-vad`",
        path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Index of the first such element, row-major.
        index: usize,
    },
    /// The first layer is not the transform that is computed in its place.
    #[error(
        "{}: element {index} of tensor {name} should be {expected}, as in a Fourier transform under a Hann window, but it is \
         {received}; install the file again with `scripts/get-model silero-vad`",
        path.display()
    )]
    NotFourier {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Index of the first such element, row-major.
        index: usize,
        /// The transform's number.
        expected: String,
        /// The number that came.
        received: String,
    },
}

fn any_of(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    if names.is_empty() {
        "any model folder (neither HOME nor WHISPERNPU_MODEL_PATH is set)".to_owned()
    } else {
        names.join(" or ")
    }
}
