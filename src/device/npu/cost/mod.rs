//! How long an array takes, by an analytic model: for each dispatch the longest of computing, DDR and streams, and for all of
//! them launches, changes of the configuration and the host.
//!
//! It is the second opinion beside the emulator's clock, and can be held to what others measured (`published.rs`). What it says is
//! predicted, never measured. Read `inputs.rs` first.

mod inputs;
mod published;

pub use inputs::{Input, Inputs, Mark};
pub use published::{Row, published};

use super::emulator::Report;

/// What a dispatch has to do, and what comes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Multiplications of bf16 in products.
    pub bf16_multiplications: f64,
    /// Multiplications of int8 in products.
    pub int8_multiplications: f64,
    /// Cycles of all cores together in kernels that are no products.
    pub other_cycles: f64,
    /// Bytes read from DDR.
    pub read_bytes: f64,
    /// Bytes written to DDR.
    pub write_bytes: f64,
    /// Bytes of the stream between DDR and the array that carries most.
    pub stream_bytes: f64,
    /// Launches by themselves.
    pub launches: f64,
    /// Launches in lists.
    pub listed_launches: f64,
    /// Changes of the array's configuration.
    pub switches: f64,
}

/// What bounds a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The cores.
    Computing,
    /// DDR.
    Ddr,
    /// A stream.
    Stream,
}

impl Work {
    /// What a run did. Kernels that multiply count by their multiplications, the others by their estimated cycles.
    pub fn of(report: &Report) -> Self {
        let mut work = Self {
            read_bytes: report.ddr_read_bytes as f64,
            write_bytes: report.ddr_write_bytes as f64,
            stream_bytes: report.channels.values().map(|total| total.bytes).max().unwrap_or(0) as f64,
            launches: report.launches as f64,
            ..Self::default()
        };
        for (name, total) in &report.kernels {
            match (total.multiplications, *name) {
                (0, _) => work.other_cycles += total.cycles as f64,
                (multiplications, "product_int8") => work.int8_multiplications += multiplications as f64,
                (multiplications, _) => work.bf16_multiplications += multiplications as f64,
            }
        }
        work
    }

    /// Seconds that its computing takes, if all cores have as much of it.
    pub fn computing_seconds(&self, inputs: &Inputs) -> f64 {
        let cycles = self.bf16_multiplications / (inputs.bf16_rate.value * inputs.bf16_share.value)
            + self.int8_multiplications / (inputs.int8_rate.value * inputs.int8_share.value)
            + self.other_cycles;
        cycles / (inputs.cores.value * inputs.clock.value)
    }

    /// Seconds that its bytes take from and to DDR, which has as much for each direction.
    pub fn ddr_seconds(&self, inputs: &Inputs) -> f64 {
        self.read_bytes.max(self.write_bytes) / inputs.ddr.value
    }

    /// Seconds that the stream with most bytes takes.
    pub fn stream_seconds(&self, inputs: &Inputs) -> f64 {
        self.stream_bytes / (inputs.stream.value * inputs.clock.value)
    }

    /// What takes longest.
    pub fn bound(&self, inputs: &Inputs) -> Bound {
        let computing = self.computing_seconds(inputs);
        let (ddr, stream) = (self.ddr_seconds(inputs), self.stream_seconds(inputs));
        if computing >= ddr.max(stream) {
            Bound::Computing
        } else if ddr >= stream {
            Bound::Ddr
        } else {
            Bound::Stream
        }
    }

    /// Seconds on the array: the longest of computing, DDR and streams.
    pub fn array_seconds(&self, inputs: &Inputs) -> f64 {
        self.computing_seconds(inputs).max(self.ddr_seconds(inputs)).max(self.stream_seconds(inputs))
    }

    /// Seconds of launches and of changes of the configuration.
    pub fn overhead_seconds(&self, inputs: &Inputs) -> f64 {
        self.launches * inputs.launch.value
            + self.listed_launches * inputs.listed_launch.value
            + self.switches * inputs.switch.value
    }

    /// All of it.
    pub fn seconds(&self, inputs: &Inputs) -> f64 {
        self.array_seconds(inputs) + self.overhead_seconds(inputs)
    }
}

impl Inputs {
    /// Seconds that launches take.
    pub fn launching_seconds(&self, launches: u64) -> f64 {
        launches as f64 * self.launch.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::npu::Target;

    #[test]
    fn the_longest_part_counts() {
        let inputs = Inputs::of(Target::NPU1);
        let work = Work { read_bytes: 27e9, write_bytes: 1e9, ..Work::default() };
        assert_eq!((work.array_seconds(&inputs), work.bound(&inputs)), (1.0, Bound::Ddr));
        let work = Work { other_cycles: 16.0 * 1.6e9 * 2.0, ..work };
        assert_eq!((work.array_seconds(&inputs), work.bound(&inputs)), (2.0, Bound::Computing));
        let work = Work { stream_bytes: 3.0 * 6.4e9, launches: 1000.0, ..work };
        assert_eq!((work.array_seconds(&inputs), work.bound(&inputs)), (3.0, Bound::Stream));
        assert_eq!(work.seconds(&inputs), 3.0 + 1000.0 * inputs.launch.value);
    }
}
