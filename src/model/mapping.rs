//! The model's files in memory.

use std::{
    fs::File,
    ops::Deref,
    path::{Path, PathBuf},
};

use super::ModelError;
use crate::device::{Identity, Mapping};

/// A regular, non-empty file whose bytes are in memory as they are touched.
#[derive(Debug)]
pub(super) struct MappedFile {
    path: PathBuf,
    bytes: Mapping,
}

impl MappedFile {
    /// Maps the whole file. Devices, pipes and sockets are refused unopened, because reading one may never end.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let metadata = std::fs::metadata(path).map_err(|error| io(path, &error))?;
        let format = |received: &str| ModelError::Format {
            path: path.to_owned(),
            expected: "a file with content".to_owned(),
            received: received.to_owned(),
        };
        if metadata.is_dir() {
            return Err(format("a folder"));
        }
        if !metadata.is_file() {
            return Err(format("a device, pipe or socket"));
        }
        if metadata.len() == 0 {
            return Err(format("empty"));
        }
        let file = File::open(path).map_err(|error| io(path, &error))?;
        let bytes = Mapping::new(&file).map_err(|error| io(path, &error))?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// Gives the memory of the pages back; whoever reads them again gets them from the file.
    pub fn release(&self) {
        self.bytes.release();
    }

    /// What identifies the bytes.
    pub fn identity(&self) -> Option<Identity> {
        self.bytes.identity(&self.path)
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The operating system's refusal as a model error.
pub(super) fn io(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::Io { path: path.to_owned(), kind: error.kind(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_mapped_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, b"").unwrap();
        assert!(matches!(MappedFile::open(&empty), Err(ModelError::Format { path, .. }) if path == empty));
        assert!(matches!(MappedFile::open(folder.path()), Err(ModelError::Format { .. })));
        let missing = folder.path().join("missing");
        assert!(matches!(MappedFile::open(&missing), Err(ModelError::Io { kind: std::io::ErrorKind::NotFound, .. })));
    }
}
