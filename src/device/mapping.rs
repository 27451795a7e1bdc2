//! Files mapped into memory: the only unsafe code of the weights.
#![allow(unsafe_code)]

use std::fs::{File, Metadata};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A file's bytes, in memory as they are touched; all processes that map the file share them.
#[derive(Debug)]
pub struct Mapping {
    bytes: memmap2::Mmap,
    metadata: Metadata,
}

/// What tells a file's content from that of every other one, without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Absolute, without links.
    pub path: PathBuf,
    /// Bytes.
    pub length: u64,
    /// Device and inode.
    pub inode: (u64, u64),
    /// When the content last changed: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything of the file last changed, which no program can set back.
    pub changed: (i64, i64),
}

impl Mapping {
    /// Maps a whole file.
    ///
    /// The file must not be shortened or rewritten in place while it is mapped; to replace it, write beside it and rename.
    pub fn new(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        // SAFETY: the mapping is read-only. It stays sound while nobody shortens or rewrites the file in place;
        // `scripts/get-model` and the cache of packed weights, like other installers, write beside it and rename.
        Ok(Self { bytes: unsafe { memmap2::Mmap::map(file) }?, metadata })
    }

    /// What identifies the bytes, if the file, which is at `path`, still has a name and the system tells.
    pub fn identity(&self, path: &Path) -> Option<Identity> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let of = &self.metadata;
            let modified = (of.mtime(), of.mtime_nsec());
            let changed = (of.ctime(), of.ctime_nsec());
            let path = path.canonicalize().ok()?;
            Some(Identity { path, length: of.len(), inode: (of.dev(), of.ino()), modified, changed })
        }
        #[cfg(not(unix))]
        {
            let _ = (path, &self.metadata);
            None
        }
    }

    /// Gives the memory of the pages back; whoever reads them again gets them from the file.
    pub fn release(&self) {
        #[cfg(unix)]
        // SAFETY: the mapping is read-only and of a file, so a page that is dropped is read anew with the same content. That
        // the system may refuse is no loss.
        let _ = unsafe { self.bytes.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
