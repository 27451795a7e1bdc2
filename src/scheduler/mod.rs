//! The process-wide owner of a device: windows go in from any stream, transcripts come back by ticket.
//!
//! Read `engine.rs` first, then `queue.rs` for the order in which windows run.

mod error;

pub use error::ScheduleError;
