//! The process-wide owner of a device: windows go in from any stream, transcripts come back by ticket.
//!
//! Read `engine.rs` first, then `queue.rs` for the order in which windows run and `pipeline.rs` for what a window goes through and `worker.rs` for how several do at a time.

mod aligner;
mod counters;
mod devices;
mod engine;
mod error;
mod pipeline;
mod queue;
mod registry;
mod ticket;
mod worker;

pub use crate::device::{Completed, cpu::Precision, processors};
pub use counters::Counters;
pub use devices::{Devices, Stages};
pub use engine::{DeviceChoice, Engine, Placement};
pub use error::ScheduleError;
pub use pipeline::{Pipeline, PipelineSession};
pub use queue::Urgency;
pub use ticket::{Canceller, Ticket};
