//! Text that may still change → text that will not: transcripts of a window that grows enter, what is final of them leaves.
//!
//! Read `draft.rs` first; `policy.rs` says what is final.

mod draft;
mod policy;

pub use draft::{Draft, Drafted, Extent};
pub use policy::Policy;
