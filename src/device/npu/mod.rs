//! The NPU's kernels on the host: bytes of a tile's memory go in, the same bytes changed as the hardware would change them come
//! out.
//!
//! Read `kernels.rs` first (what can be called, on what), then `format.rs` (how matrices become objects), `reference/` (every
//! operation again, slow and obvious, on plain matrices) and `kernels/README.md` (the catalogue).

pub mod instructions;
mod kernels;
pub mod layout;
mod memory;
pub mod mlir;
mod variant;

pub use kernels::{Buffer, Kernel, KernelError, Role};
pub use memory::{ALIGNMENT, TileMemory};
pub use variant::Variant;
