//! Memories that know which of their words were ever written.

use std::ops::Range;

use super::super::TileMemory;
use super::super::target::WORD_BYTES;
use super::shadow::Shadow;

/// What a byte is before anybody wrote it.
pub(super) const POISON: u8 = 0xA5;

/// The data memory of a tile.
pub(super) struct Memory {
    tile: TileMemory,
    written: Shadow,
}

impl Memory {
    /// Poisoned.
    pub(super) fn new(bytes: usize) -> Self {
        let mut tile = TileMemory::new(bytes);
        tile.fill(POISON);
        Self { tile, written: Shadow::new(bytes / WORD_BYTES) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.tile
    }

    pub(super) fn tile_mut(&mut self) -> &mut TileMemory {
        &mut self.tile
    }
}

/// A buffer in DDR, as a run's argument.
#[derive(Clone, Debug)]
pub struct DdrMemory {
    bytes: Vec<u8>,
    written: Shadow,
}

impl DdrMemory {
    /// A buffer that nobody wrote yet; its length is rounded up to whole words.
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.next_multiple_of(WORD_BYTES);
        Self { bytes: vec![POISON; bytes], written: Shadow::new(bytes / WORD_BYTES) }
    }

    /// A buffer with these contents, rounded up to whole words.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Self {
        bytes.resize(bytes.len().next_multiple_of(WORD_BYTES), 0);
        let mut written = Shadow::new(bytes.len() / WORD_BYTES);
        written.mark(0..bytes.len() / WORD_BYTES);
        Self { bytes, written }
    }

    /// What it holds; what nobody wrote is poison.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The host's write. Panics if it reaches beyond the buffer.
    pub fn write(&mut self, offset_bytes: usize, bytes: &[u8]) {
        self.bytes_mut(offset_bytes..offset_bytes + bytes.len()).copy_from_slice(bytes);
    }

    /// A range for the host to write all of. Panics if it reaches beyond the buffer.
    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        self.written.mark(range.start / WORD_BYTES..range.end.div_ceil(WORD_BYTES));
        &mut self.bytes[range]
    }

    /// All of it for the host to write.
    pub fn all_mut(&mut self) -> &mut [u8] {
        self.bytes_mut(0..self.bytes.len())
    }

    /// Whether all words of the range were written, by the host or the array.
    pub fn is_written(&self, range: Range<usize>) -> bool {
        self.written.first_missing(range.start / WORD_BYTES..range.end.div_ceil(WORD_BYTES)).is_none()
    }
}

/// What words move from and to.
pub(super) trait Words {
    /// Copies words out. Error: the byte offset of the first one that was never written.
    fn read(&self, offset_bytes: usize, target: &mut [u8]) -> Result<(), usize>;

    /// Copies words in.
    fn write(&mut self, offset_bytes: usize, source: &[u8]);

    /// Whether all of a range was written; else the offset of the first word that was not.
    fn check(&self, range: Range<usize>) -> Result<(), usize>;

    /// Counts a range as written.
    fn mark(&mut self, range: Range<usize>);
}

macro_rules! words {
    ($memory:ty, $bytes:expr, $bytes_mut:expr) => {
        impl Words for $memory {
            fn read(&self, offset_bytes: usize, target: &mut [u8]) -> Result<(), usize> {
                let range = offset_bytes..offset_bytes + target.len();
                self.check(range.clone())?;
                let bytes: fn(&Self) -> &[u8] = $bytes;
                target.copy_from_slice(&bytes(self)[range]);
                Ok(())
            }

            fn write(&mut self, offset_bytes: usize, source: &[u8]) {
                let range = offset_bytes..offset_bytes + source.len();
                self.mark(range.clone());
                let bytes: fn(&mut Self) -> &mut [u8] = $bytes_mut;
                bytes(self)[range].copy_from_slice(source);
            }

            fn check(&self, range: Range<usize>) -> Result<(), usize> {
                let words = range.start / WORD_BYTES..range.end.div_ceil(WORD_BYTES);
                self.written.first_missing(words).map_or(Ok(()), |word| Err(word * WORD_BYTES))
            }

            fn mark(&mut self, range: Range<usize>) {
                self.written.mark(range.start / WORD_BYTES..range.end.div_ceil(WORD_BYTES));
            }
        }
    };
}

words!(Memory, |memory| memory.bytes(), |memory| memory.tile_mut());
words!(DdrMemory, |memory| &memory.bytes, |memory| &mut memory.bytes);
