//! The object that stands before each unit of work and says what it is.

use super::format::Element;
use super::layout::{HEADER_BIAS, HEADER_MULTIPLIER, HEADER_TABLE, OBJECT};
use super::program::word;
use super::reference::{exp_table, gelu_table, logarithm_table};

/// A header being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    bytes: Vec<u8>,
}

impl Default for Header {
    fn default() -> Self {
        Self { bytes: vec![0; OBJECT] }
    }
}

impl Header {
    /// Of an operation.
    pub fn of(operation: i32) -> Self {
        Self::default().word(word::OPERATION, operation)
    }

    /// Sets one of the 16 words.
    pub fn word(self, index: usize, value: i32) -> Self {
        self.with(4 * index, &[value])
    }

    /// Sets up to 64 columns' biases, Q16.
    pub fn bias(self, bias: &[i32]) -> Self {
        self.with(HEADER_BIAS, bias)
    }

    /// Sets up to 64 columns' multipliers.
    pub fn multiplier(self, multiplier: &[i32]) -> Self {
        self.with(HEADER_MULTIPLIER, multiplier)
    }

    /// Adds the table that GELU reads.
    pub fn gelu(self) -> Self {
        self.with(HEADER_TABLE, &gelu_table())
    }

    /// Adds the table that softmax reads.
    pub fn exponential(self) -> Self {
        self.with(HEADER_TABLE, &exp_table())
    }

    /// Adds the table that logarithms are read from.
    pub fn logarithm(self) -> Self {
        self.with(HEADER_TABLE, &logarithm_table())
    }

    /// The object.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn with<T: Element>(mut self, byte: usize, values: &[T]) -> Self {
        let places = self.bytes[byte..].chunks_exact_mut(T::BYTES);
        values.iter().zip(places).for_each(|(value, to)| value.write(to));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_parts() {
        let header = Header::default().word(5, -7).bias(&[1, 2]).multiplier(&[3; 64]).gelu();
        assert_eq!(header.bytes().len(), OBJECT);
        assert_eq!(i32::read(&header.bytes()[20..]), -7);
        assert_eq!(i32::read(&header.bytes()[68..]), 2);
        assert_eq!(i32::read(&header.bytes()[320 + 63 * 4..]), 3);
        assert_eq!(i16::read(&header.bytes()[1024 + 64 * 2..]), gelu_table()[64]);
        assert_eq!(i32::read(&Header::default().exponential().bytes()[1024 + 4..]), exp_table()[1]);
    }
}
