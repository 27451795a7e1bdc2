//! Estimates of what kernels cost on a core. Nobody measured them: they are operations by the width of the core's units
//! (AMD AM020 chapter 4: 256 int8 or 128 bf16 multiplications a cycle, two loads and a store of 32 bytes), with a share for
//! what keeps the units waiting.

use super::super::Kernel;

/// Cycles of entering and leaving a kernel.
const CALL: u64 = 40;

/// Estimated cycles of a call.
pub(super) fn kernel_cycles(kernel: Kernel, scalars: &[i32]) -> u64 {
    let row_groups = || scalars.first().map_or(16, |groups| (*groups).max(0) as u64);
    CALL + match kernel {
        Kernel::CopyObject => 4096 / 32,
        Kernel::Clear => 16384 / 32,
        // 4 rows x 32 x 64 by 64 multiplications a cycle: half of the peak, as others found for products of this size.
        Kernel::ProductBf16 => row_groups() * 4 * 32 * 64 / 64,
        // 4 rows x 64 x 64 by 230: 0.9 of the peak.
        Kernel::ProductInt8 => row_groups() * 4 * 64 * 64 / 230,
        // Vectors of 16 results of 32 bits each.
        Kernel::FinishBf16 => 256 * 6,
        Kernel::FinishInt8 => 256 * 10,
        // The table is read value by value.
        Kernel::Gelu => 4096 * 3,
        Kernel::StoreBf16 => 128 * 4,
        Kernel::StoreWide => 64 * 3,
        Kernel::StoreSum => 64 * 4,
        #[allow(unreachable_patterns)]
        _ => 4096,
    }
}
