//! What is kept of the transcript of a window that grows, for its next one.

use crate::model::Token;
use crate::recent::Owner;

/// A window that grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growing {
    /// Whose window it is.
    pub stream: Owner,
    /// Where the window begins.
    pub start_samples: u64,
}

/// A stream's last window.
#[derive(Default)]
pub struct Kept {
    start_samples: u64,
    /// Tokens that its transcript took, prompt included.
    pub written: Vec<Token>,
    /// Tokens that were followed when it was aligned, prompt included.
    pub followed: Vec<Token>,
    /// Where they looked, for each layer that has alignment heads: (tokens, heads · audio positions).
    pub looked: Vec<Vec<f32>>,
}

impl Kept {
    /// Keeps nothing but the memory.
    pub fn forget(&mut self) {
        self.written.clear();
        self.followed.clear();
    }

    /// The same, if it is of the window that begins here; else nothing.
    pub fn of(&mut self, start_samples: u64) -> &mut Self {
        if self.start_samples != start_samples {
            self.forget();
        }
        self.start_samples = start_samples;
        self
    }
}

/// How many tokens both begin with.
pub fn common(one: &[Token], other: &[Token]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
