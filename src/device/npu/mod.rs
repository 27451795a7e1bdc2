//! AMD's XDNA array: what it is configured to, and an emulator of it.
//!
//! Read `target.rs` (the hardware's limits), then `design/` (the one description), then `rules/` and `emulator/`.

pub mod design;
pub mod emulator;
pub mod kernels;
pub mod target;
