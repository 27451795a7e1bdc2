//! A cursor over a mapped file that never reads beyond its end.

use std::{ops::Range, path::Path};

use crate::model::{ModelError, mapping::MappedFile};

/// Little-endian numbers and byte ranges, one after the other.
pub(super) struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(file: &'a MappedFile) -> Self {
        Self { path: file.path(), bytes: file, offset: 0 }
    }

    /// Bytes that are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The next `length` bytes; `what` says in an error what they are.
    pub fn take(&mut self, length: u64, what: &str) -> Result<&'a [u8], ModelError> {
        let range = self.range(length, what)?;
        Ok(&self.bytes[range])
    }

    /// The place of the next `length` bytes, which are passed over.
    pub fn range(&mut self, length: u64, what: &str) -> Result<Range<usize>, ModelError> {
        let end = usize::try_from(length).ok().and_then(|length| self.offset.checked_add(length));
        match end.filter(|end| *end <= self.bytes.len()) {
            Some(end) => {
                let range = self.offset..end;
                self.offset = end;
                Ok(range)
            }
            None => Err(ModelError::Truncated {
                path: self.path.to_owned(),
                what: what.to_owned(),
                offset: self.offset,
                needed: length,
                length: self.bytes.len(),
            }),
        }
    }

    /// The next byte.
    pub fn u8(&mut self, what: &str) -> Result<u8, ModelError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// The next two bytes as a number.
    pub fn u16(&mut self, what: &str) -> Result<u16, ModelError> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// The next four bytes as a number.
    pub fn u32(&mut self, what: &str) -> Result<u32, ModelError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// A value of the file that makes no sense.
    pub fn invalid(&self, what: &str, expected: impl ToString, received: impl ToString) -> ModelError {
        invalid(self.path, what, expected, received)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ModelError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }
}

/// A value of `path` that makes no sense.
pub(in crate::model) fn invalid(
    path: &Path,
    what: &str,
    expected: impl ToString,
    received: impl ToString,
) -> ModelError {
    ModelError::Value {
        path: path.to_owned(),
        what: what.to_owned(),
        expected: expected.to_string(),
        received: received.to_string(),
    }
}
