//! The element as a pipeline sees it: what comes in at the sink pad, what leaves at the source pad, what the bus hears.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed helper is a failed test")]

mod alone;
mod beeps;
mod listener;
#[path = "../toy/mod.rs"]
mod toy;

mod array;
mod decoding;
mod downstream;
mod flush;
mod formats;
mod growing;
mod interruptions;
mod introspection;
mod leaks;
mod live;
mod losses;
mod malformed;
mod model;
mod neighbours;
mod peers;
mod pipelines;
mod seeks;
mod stalls;
mod states;
mod subtitles;
mod text;
mod voices;
