//! Kernels in Rust, for designs that only copy.

use std::ops::Range;

use gstwhispernpu::device::npu::emulator::Kernels;
use gstwhispernpu::device::npu::{Kernel, TileMemory};

/// Copies, clears, and refuses the rest.
pub struct Copies;

impl Kernels for Copies {
    fn call(
        &self,
        kernel: Kernel,
        memory: &mut TileMemory,
        operands: &[Range<usize>],
        _scalars: &[i32],
    ) -> Result<(), String> {
        match kernel {
            Kernel::CopyObject => memory.copy_within(operands[0].clone(), operands[1].start),
            Kernel::Clear => memory[operands[0].clone()].fill(0),
            _ => return Err("it only copies".to_owned()),
        }
        Ok(())
    }
}
