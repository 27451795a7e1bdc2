//! A run's commands as the words that the array's command processor takes, and back.
//!
//! The stream is mlir-aie's transaction, `AIETranslateNpuToBinary` in `lib/Targets/AIETargetNPU.cpp`: a header of four words, then
//! operations that each state their length. A descriptor is a block of eight words at the descriptor's registers, followed by
//! the patch that puts the address of an argument into it; a start is a write to the task queue of a channel, before the first one
//! with a token preceded by where its tokens go; a wait is a sync. What upstream's passes make of the same transfers is in
//! `lib/Dialect/AIEX/Transforms/AIEDmaToNpu.cpp`; words from upstream's own tests are in this module's.
//!
//! Upstream states where tokens go before every start with a token. The register keeps it, so once a run and channel is enough.
//!
//! Read `table.rs` first (every bit), then `descriptor.rs`.

mod decoder;
mod descriptor;
mod encoder;
mod error;
mod table;
#[cfg(test)]
mod tests;

pub use decoder::decode;
pub use encoder::encode;
pub use error::{CommandError, InstructionError};

pub(super) use descriptor::DescriptorFields;
pub(super) use table::{CONTROLLER, bit_of, descriptor_address};
