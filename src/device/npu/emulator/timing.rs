//! What things cost, in cycles of the array.

use super::super::Kernel;
use super::super::target::{Generation, Target, WORD_BYTES};
use super::cost;

/// Costs that a prediction is made with. They are measurements that others published or estimates, never this machine's.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Clock of the array: the top level of the Linux driver's tables (`npu1_regs.c`, `npu4_regs.c` of amd/xdna-driver).
    pub cycles_per_second: f64,
    /// From a task's start to its first word: 570 to 1,155 measured by the authors of xdna-emu on Phoenix.
    pub shim_start_cycles: u64,
    /// What all shim channels of one direction get from DDR together: 27 GB/s on Phoenix (ignite-xdna, `SILICON.md` 1.6),
    /// 50 GB/s on Krackan, where 47 to 57 were measured.
    pub ddr_bytes_per_cycle: f64,
    /// Of each command: two packets of 10 to 12 cycles, measured by the authors of xdna-emu on Phoenix.
    pub command_cycles: u64,
    /// A call of a kernel: which, and with what numbers.
    pub kernel_cycles: KernelCycles,
}

/// Cycles of a call of a kernel with these numbers.
pub type KernelCycles = fn(Kernel, &[i32]) -> u64;

/// Bytes that a stream moves in a cycle.
pub(super) const STREAM_BYTES: usize = WORD_BYTES;

impl Timing {
    /// The defaults of an array.
    pub fn of(target: &Target) -> Self {
        let (cycles_per_second, ddr_bytes_per_second, kernel_cycles): (f64, f64, KernelCycles) = match target.generation
        {
            Generation::Npu1 => (1.6e9, 27e9, cost::npu1_cycles),
            Generation::Npu2 => (1.8e9, 50e9, cost::npu2_cycles),
        };
        Self {
            cycles_per_second,
            shim_start_cycles: 850,
            ddr_bytes_per_cycle: ddr_bytes_per_second / cycles_per_second,
            command_cycles: 22,
            kernel_cycles,
        }
    }
}

/// Cycles that one bucket of the book stands for.
const BUCKET_CYCLES: u64 = 256;

/// Which share of DDR's bandwidth is given away when.
///
/// Kept by buckets of time and not as one queue: the emulator does not meet transfers in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    bucket_bytes: u32,
    used: Vec<u32>,
}

impl Bandwidth {
    pub(super) fn new(bytes_per_cycle: f64) -> Self {
        Self { bucket_bytes: (bytes_per_cycle * BUCKET_CYCLES as f64).max(1.0) as u32, used: Vec::new() }
    }

    /// Nothing is given away.
    pub(super) fn clear(&mut self) {
        self.used.clear();
    }

    /// Takes bandwidth for a transfer of one stream that starts at a time; when it is over.
    pub(super) fn take(&mut self, start_cycles: u64, bytes: usize) -> u64 {
        let mut left = bytes as u64;
        let mut time = start_cycles;
        while left > 0 {
            let bucket = (time / BUCKET_CYCLES) as usize;
            if bucket >= self.used.len() {
                self.used.resize(bucket + 1, 0);
            }
            let end = (bucket as u64 + 1) * BUCKET_CYCLES;
            let by_stream = (end - time) * STREAM_BYTES as u64;
            let free = u64::from(self.bucket_bytes.saturating_sub(self.used[bucket]));
            let some = left.min(by_stream).min(free);
            self.used[bucket] += some as u32;
            left -= some;
            time = if left == 0 { time + some.div_ceil(STREAM_BYTES as u64) } else { end };
        }
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_stream_moves_a_word_a_cycle_and_many_share() {
        let mut bandwidth = Bandwidth::new(16.0);
        assert_eq!(bandwidth.take(100, 4096), 100 + 1024);
        for _ in 0..3 {
            bandwidth.take(0, 1 << 16);
        }
        let mut bandwidth = Bandwidth::new(16.0);
        let ends: Vec<u64> = (0..8).map(|_| bandwidth.take(0, 1 << 16)).collect();
        assert!(ends[0] == 1 << 14 && ends[7] >= 8 * (1 << 16) / 16, "{ends:?}");
        assert_eq!(bandwidth.take(1 << 20, 4), (1 << 20) + 1);
    }
}
