//! The object that stands before each unit of work and says what it is.

use super::layout::{HEADER_BIAS, HEADER_MULTIPLIER, HEADER_TABLE};
use super::object::OBJECT_BYTES;
use super::program::{operation, word};

/// A header being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header(Vec<u8>);

impl Header {
    fn new(operation: i32) -> Self {
        let mut header = Self(vec![0; OBJECT_BYTES]);
        header.set(word::OPERATION, operation);
        header
    }

    /// Of a tile of a product with results in the form `output`.
    pub fn product(depth: usize, output: i32) -> Self {
        let mut header = Self::new(operation::PRODUCT);
        header.set(word::DEPTH, depth as i32);
        header.set(word::OUTPUT, output);
        header
    }

    /// Of an operation on rows.
    pub fn rows() -> Self {
        Self::new(operation::ROWS)
    }

    /// Of attention with this table of 2^x.
    pub fn attention(exponentials: &[i32]) -> Self {
        let mut header = Self::new(operation::ATTENTION);
        header.put(HEADER_TABLE, exponentials.iter().flat_map(|entry| entry.to_le_bytes()));
        header
    }

    /// Sets a word.
    pub fn set(&mut self, word: usize, value: i32) {
        self.put(4 * word, value.to_le_bytes());
    }

    /// Sets the bias, Q16, and lets the sums become wide numbers.
    pub fn set_bias(&mut self, bias: &[i32]) {
        self.set(word::IS_FINISHED, 1);
        self.put(HEADER_BIAS, bias.iter().flat_map(|bias| bias.to_le_bytes()));
    }

    /// Sets what int8 products of each column are multiplied with.
    pub fn set_multiplier(&mut self, multiplier: &[i32]) {
        self.put(HEADER_MULTIPLIER, multiplier.iter().flat_map(|multiplier| multiplier.to_le_bytes()));
    }

    /// Lets GELU follow, with this table.
    pub fn set_gelu(&mut self, table: &[i16]) {
        self.set(word::GELU, 1);
        self.put(HEADER_TABLE, table.iter().flat_map(|entry| entry.to_le_bytes()));
    }

    /// Sets the table of logarithms.
    pub fn set_logarithms(&mut self, table: &[i32]) {
        self.put(HEADER_TABLE, table.iter().flat_map(|entry| entry.to_le_bytes()));
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn put(&mut self, offset: usize, bytes: impl IntoIterator<Item = u8>) {
        self.0[offset..].iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    }
}
