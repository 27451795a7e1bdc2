//! Where a program's packed weights are from.

use std::fmt;

/// Where a program's packed weights are from, and whether the next load will find them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// They were packed, and nobody asked to keep them.
    #[default]
    Packed,
    /// They are mapped from the file that an earlier load kept.
    Cached,
    /// They were packed and are kept.
    Kept {
        /// Why those that an earlier load kept were not used.
        because: String,
    },
    /// They were packed and cannot be kept.
    NotKept {
        /// What the system said.
        because: String,
    },
}

impl Origin {
    /// Whether they were to be kept and are not.
    pub fn is_not_kept(&self) -> bool {
        matches!(self, Self::NotKept { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packed => write!(formatter, "packed"),
            Self::Cached => write!(formatter, "mapped from the cache"),
            Self::Kept { because } => write!(formatter, "packed and kept in the cache ({because})"),
            Self::NotKept { because } => write!(formatter, "packed and not kept in the cache ({because})"),
        }
    }
}
