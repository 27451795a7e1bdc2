//! Headers that only a run knows.

use super::header::Header;
use super::object::{Form, KEY_BLOCK};
use super::program::{operation, word};
use super::rows::Rows;
use crate::device::DeviceError;

/// What a header that is made for a run is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Made {
    /// Attention in heads of this width; `first_last_key` is the last key that the first query sees, if it does not see all.
    Attention { width: usize, keys: usize, first_last_key: Option<usize> },
    /// Rows of so many columns from one form to the other.
    Conversion { from: Form, to: Form, columns: usize },
}

impl Made {
    /// The header.
    pub fn bytes(self) -> Result<Vec<u8>, DeviceError> {
        match self {
            Made::Attention { width, keys, first_last_key } => {
                let factor = std::f64::consts::LOG2_E / (width as f64).sqrt() * f64::from(1 << 30);
                let header = Header::of(operation::ATTENTION)
                    .word(word::KEY_BLOCKS, keys.div_ceil(KEY_BLOCK) as i32)
                    .word(word::KEYS, keys as i32)
                    .word(word::SCORE_FACTOR, factor.round() as i32)
                    .word(word::IS_CAUSAL, i32::from(first_last_key.is_some()))
                    .word(word::FIRST_LAST_KEY, first_last_key.unwrap_or(0) as i32)
                    .exponential();
                Ok(header.bytes().to_vec())
            }
            Made::Conversion { from, to, columns } => Ok(Rows::converted(from, columns)?.header(to, &[], &[])),
        }
    }
}
