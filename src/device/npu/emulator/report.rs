//! What a run did and how long the array would take for it.

use std::collections::BTreeMap;

use super::super::design::{Direction, Place};

/// Counts of one run. Times are predictions, see [`Timing`](super::Timing).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// From the first command to the end of the last command, transfer and call that it set off.
    pub cycles: u64,
    /// The same in seconds of the array's clock.
    pub seconds: f64,
    /// Bytes that the array read from DDR.
    pub ddr_read_bytes: u64,
    /// Bytes that the array wrote to DDR.
    pub ddr_write_bytes: u64,
    /// Bytes that left a source, a broadcast's once.
    pub stream_bytes: u64,
    /// Cycles that each core spent in kernels.
    pub busy_cycles: BTreeMap<Place, u64>,
    /// By name.
    pub kernels: BTreeMap<&'static str, KernelTotal>,
    /// Tokens waited for.
    pub waits: u64,
    /// Commands.
    pub commands: u64,
    /// Rounds of kernel calls that ran at the same time.
    pub rounds: u64,
    /// Runs, each of which is a launch.
    pub launches: u64,
    /// What went through the shim's channels: column, direction and number.
    pub channels: BTreeMap<(usize, Direction, usize), ChannelTotal>,
}

impl Report {
    /// Adds another run's numbers.
    pub fn add(&mut self, other: &Self) {
        self.cycles += other.cycles;
        self.seconds += other.seconds;
        self.ddr_read_bytes += other.ddr_read_bytes;
        self.ddr_write_bytes += other.ddr_write_bytes;
        self.stream_bytes += other.stream_bytes;
        self.waits += other.waits;
        self.commands += other.commands;
        self.rounds += other.rounds;
        self.launches += other.launches;
        for (place, cycles) in &other.busy_cycles {
            *self.busy_cycles.entry(*place).or_default() += cycles;
        }
        for (name, total) in &other.kernels {
            let sum = self.kernels.entry(name).or_default();
            sum.calls += total.calls;
            sum.cycles += total.cycles;
            sum.multiplications += total.multiplications;
        }
        for (channel, total) in &other.channels {
            let sum = self.channels.entry(*channel).or_default();
            sum.bytes += total.bytes;
            sum.cycles += total.cycles;
        }
    }

    /// Calls of all kernels.
    pub fn calls(&self) -> u64 {
        self.kernels.values().map(|total| total.calls).sum()
    }
}

/// All calls of one kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelTotal {
    /// How many.
    pub calls: u64,
    /// Their cycles together.
    pub cycles: u64,
    /// Multiplications that they had the matrix unit do.
    pub multiplications: u64,
}

/// All transfers of one of the shim's channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelTotal {
    /// Bytes that they moved.
    pub bytes: u64,
    /// Cycles that words were moving in, or waited for their share of DDR.
    pub cycles: u64,
}
