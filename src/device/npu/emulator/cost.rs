//! Estimates of what kernels cost on a core. Nobody measured them: they are operations by the width of the core's units
//! (AMD AM020 chapter 4: 256 int8 or 128 bf16 multiplications a cycle, two loads and a store of 32 bytes), with a share for
//! what keeps the units waiting.

use super::super::Kernel;

/// Cycles of entering and leaving a kernel.
const CALL: u64 = 40;

/// Cycles of looking a value up in a table, alone: a load takes seven to arrive, and the address has to be made.
const LOOK_UP: u64 = 9;

/// Estimated cycles of a call.
pub(super) fn kernel_cycles(kernel: Kernel, scalars: &[i32]) -> u64 {
    let number = |index: usize| scalars.get(index).map_or(0, |value| (*value).max(0) as u64);
    // Vectors of 16 values in so many columns of the rows that are retained.
    let rows = |columns: u64| number(0) * 4 * columns / 16;
    CALL + match kernel {
        Kernel::CopyObject | Kernel::Keep => 4096 / 32,
        Kernel::Clear => 16384 / 32,
        // 4 rows x 32 x 64 by 64 multiplications a cycle: half of the peak, as others found for products of this size.
        Kernel::ProductBf16 => number(0) * 4 * 32 * 64 / 64,
        // 4 rows x 64 x 64 by 230: 0.9 of the peak.
        Kernel::ProductInt8 => number(0) * 4 * 64 * 64 / 230,
        // Vectors of 16 results of 32 bits each.
        Kernel::FinishBf16 => 256 * 6,
        Kernel::FinishInt8 => 256 * 10,
        Kernel::Gelu => 4096 * LOOK_UP,
        Kernel::StoreBf16 => 128 * 4,
        Kernel::StoreWide => 64 * 3,
        Kernel::StoreSum => 64 * 4,
        Kernel::StorePower => 128 * 8,
        Kernel::StoreLogarithm => 1024 * LOOK_UP + 64 * 8,
        // Greatest, sum, squares and result: four times through the rows; and the root of each.
        Kernel::Normalise => rows(number(2)) * 16 + number(0) * 4 * 100,
        Kernel::StoreRowsWide => 4096 / 32,
        Kernel::StoreRowsBf16 => 128 * 4,
        Kernel::Maxima => rows(32 * number(1)) * 3,
        Kernel::StoreRowsInt8 => 256 * 6,
        Kernel::AttendBegin => (4096 + 8192) / 32,
        // 32 x 64 x 32 by 64 multiplications a cycle.
        Kernel::Scores | Kernel::Values => 1024,
        // The scores' fixed point, the look-ups, and the output where it is scaled.
        Kernel::Softmax => 128 * 12 + 2048 * LOOK_UP + 128 * 4,
        Kernel::AttendFinish => 128 * 6 + 32 * 30,
    }
}
