//! The configuration of the array and real runs on it, and whether anybody notices when one of their parts is wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod mutation;
mod mutations;
mod operation;
mod overlay;
mod sweeps;
