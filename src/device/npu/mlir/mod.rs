//! A design as text for the AIE compiler, in the syntax of mlir-aie's `aie` and `aiex` dialects.
//!
//! No AIE compiler has read this text yet: none is available where it was written. Until one has, it is held to a reader in this
//! module's tests, which knows the syntax, the scopes and types of values, and runs the cores' programs.
//!
//! What each construct was modelled on, in mlir-aie:
//!
//! * tiles, buffers with addresses, locks, flows, allocations of the shim: `test/npu-xrt/memtile_dmas/blockwrite_using_locks/aie.mlir`;
//! * descriptors with numbers, dimensions, locks and successors: `test/Passes/assign-bd-ids/user_assigned.mlir`;
//! * a core's rings, as positions and a switch that yields a buffer: what
//!   `test/objectFifo-stateful-transform/dynamic_lowering/core_flag_test.mlir` expects; the positions are arguments of the loops
//!   here, not in memory;
//! * functions and their object file: `test/npu-xrt/add_one_func_link_with_peano/aie.mlir`;
//! * the commands of a run: `test/bd-chains-and-dma-tasks/dma-tasks-to-npu/good-1.mlir`;
//! * the shim's `controller_id`: `lib/Dialect/AIE/Transforms/AIEGenerateColumnControlOverlay.cpp`.
//!
//! Parts of a buffer are `memref.view`: with bare pointers as arguments (`aiecc`) a call passes a view's own address, but a
//! subview's buffer without its offset. A view is of bytes; so are the buffers of which there are views, while all others
//! are of words.
//!
//! Read `module.rs` first.

mod core;
mod dma;
mod lines;
mod module;
mod names;
mod sequence;
mod statements;
#[cfg(test)]
mod tests;

pub use module::{KERNELS_OBJECT, print};
