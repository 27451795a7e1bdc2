//! AMD's XDNA array: its kernels on the host, what it is configured to, and an emulator of it.
//!
//! The kernels: bytes of a tile's memory go in, the same bytes changed as the hardware would change them come out. Read
//! `kernels.rs` first (what can be called, on what), then `format.rs` (how matrices become objects), `reference/` (every
//! operation again, slow and obvious, on plain matrices) and `kernels/README.md` (the catalogue).
//!
//! The array: `target.rs` (the hardware's limits), `design/` (the one description), `rules/` (what a description has to keep)
//! and `emulator/` (which executes it).

pub mod design;
pub mod emulator;
mod kernels;
pub mod layout;
mod memory;
pub mod rules;
pub mod target;
mod variant;

pub use kernels::{Buffer, Kernel, KernelError, Role};
pub use memory::{ALIGNMENT, TileMemory};
pub use variant::Variant;
