//! AMD's XDNA array: its kernels on the host, what it is configured to, and an emulator of it.
//!
//! The kernels: bytes of a tile's memory go in, the same bytes changed as the hardware would change them come out. Read
//! `kernels.rs` first (what can be called, on what), then `format.rs` (how matrices become objects), `reference/` (every
//! operation again, slow and obvious, on plain matrices) and `kernels/README.md` (the catalogue).
//!
//! The array: `target.rs` (the hardware's limits), `design/` (the one description), `overlay.rs` and `program.rs` (the
//! configuration and what its cores do), `rules/` (what a description has to keep) and `emulator/` (which executes it).
//!
//! The device: `array.rs`; a program comes in by `planner.rs`, its operations become transfers in `lower/`, and `run.rs` runs
//! them.

mod arena;
mod array;
mod columns;
pub mod cost;
pub mod design;
pub mod emulator;
pub mod format;
mod grid;
pub mod header;
mod held;
pub mod instructions;
mod kernels;
pub mod layout;
mod lower;
mod made;
mod matrix;
mod mel;
mod memory;
pub mod mlir;
mod object;
mod overlay;
mod placement;
mod plan;
mod planner;
mod program;
pub mod reference;
mod rows;
pub mod rules;
mod run;
mod sequencer;
mod session;
mod storage;
mod strips;
pub mod target;
#[cfg(test)]
mod tests;
mod trace;
mod variant;

pub use array::NpuEmulator;
pub use kernels::{Buffer, Kernel, KernelError, Role};
pub use matrix::Matrix;
pub use memory::{ALIGNMENT, TileMemory};
pub use overlay::overlay;
pub use target::Target;
pub use trace::{Trace, Traced};
pub use variant::Variant;
