//! Which texts are written: one or several samples, or beams, each in a lane of its own.
//!
//! Read `hypothesis.rs` first, then `samples.rs` and `beams.rs`; `ranker.rs` says which of the texts is taken.

mod beams;
mod hypothesis;
mod random;
mod ranker;
mod samples;

pub use beams::Beams;
pub use hypothesis::Hypothesis;
pub use ranker::best;
pub use samples::Samples;

/// Lane `to` goes on from the first `rows` tokens that lane `from` took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    pub from: usize,
    pub to: usize,
    pub rows: usize,
}

/// What decides that a text is at its end.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The token that ends a text.
    pub end_of_text: u32,
    /// Timestamps begin here.
    pub timestamp_begin: u32,
    /// Tokens of the longest text.
    pub most_tokens: usize,
}
