//! The model's numbers, each with where it is from.

use std::fmt;

use crate::device::npu::Target;
use crate::device::npu::target::Generation;

/// How a number came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Others measured it, on silicon.
    Measured,
    /// A manual or a driver has it.
    Specified,
    /// It follows from others.
    Derived,
    /// Nobody measured it.
    Estimated,
}

/// A number of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// What it is.
    pub name: &'static str,
    /// In its unit.
    pub value: f64,
    /// Unit.
    pub unit: &'static str,
    /// How it came about.
    pub mark: Mark,
    /// Where it is from.
    pub source: &'static str,
}

/// All of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    /// The array's clock.
    pub clock: Input,
    /// Cores that compute.
    pub cores: Input,
    /// Multiplications of bf16 that a core does in a cycle at most.
    pub bf16_rate: Input,
    /// The share of that which a product reaches.
    pub bf16_share: Input,
    /// Multiplications of int8 that a core does in a cycle at most.
    pub int8_rate: Input,
    /// The share of that which a product reaches.
    pub int8_share: Input,
    /// From DDR, and as much to it.
    pub ddr: Input,
    /// Of a stream.
    pub stream: Input,
    /// A launch by itself.
    pub launch: Input,
    /// A launch in a list.
    pub listed_launch: Input,
    /// A change of the array's configuration.
    pub switch: Input,
}

impl Inputs {
    /// Those of an array.
    pub fn of(target: Target) -> Self {
        use Mark::{Derived, Estimated, Measured, Specified};
        let input = |name, value, unit, mark, source| Input { name, value, unit, mark, source };
        let cores = (target.columns * target.core_rows) as f64;
        let counted = "kernels/product: steps, loads and stores counted (emulator/cost.rs)";
        match target.generation {
            Generation::Npu1 => Self {
                clock: input("clock", 1.6e9, "Hz", Specified, "amd/xdna-driver npu1_regs.c, highest level"),
                cores: input("cores", cores, "", Specified, "AIETargetModel.h of mlir-aie: 4 usable columns"),
                bf16_rate: input("bf16 rate", 128.0, "MAC/cycle/core", Specified, "AMD AM020 chapter 4"),
                bf16_share: input("bf16 share", 0.476, "of the rate", Estimated, counted),
                int8_rate: input("int8 rate", 256.0, "MAC/cycle/core", Specified, "AMD AM020 chapter 4"),
                int8_share: input("int8 share", 0.476, "of the rate", Estimated, counted),
                ddr: input("DDR", 27e9, "B/s a direction", Measured, "ignite-xdna SILICON.md 1.6: 26 to 28"),
                stream: input("stream", 4.0, "B/cycle", Measured, "ignite-xdna SILICON.md 1.5: 3.99976"),
                launch: input("launch", 124e-6, "s", Measured, "ignite-xdna, drakosha/whisper-xdna: 108 to 140 us"),
                listed_launch: input("launch in a list", 36.5e-6, "s", Measured, "the same: 36 to 37 us"),
                switch: input("configuration", 1.4e-3, "s", Measured, "drakosha/whisper-xdna: 2.81 ms a pair"),
            },
            Generation::Npu2 => Self {
                clock: input("clock", 1.8e9, "Hz", Specified, "amd/xdna-driver npu4_regs.c, highest level"),
                cores: input("cores", cores, "", Specified, "AIETargetModel.h of mlir-aie: 8 columns"),
                bf16_rate: input("bf16 rate", 64.0, "MAC/cycle/core", Derived, "an eighth of int8 (amd/IRON #55)"),
                bf16_share: input("bf16 share", 0.645, "of the rate", Estimated, counted),
                int8_rate: input("int8 rate", 512.0, "MAC/cycle/core", Specified, "AMD AM027 chapter 4"),
                int8_share: input("int8 share", 0.312, "of the rate", Estimated, counted),
                ddr: input("DDR", 50e9, "B/s a direction", Measured, "atassis: 47 to 57 GB/s of reads on Krackan"),
                stream: input("stream", 4.0, "B/cycle", Measured, "ignite-xdna SILICON.md 1.5, on npu1"),
                launch: input("launch", 58e-6, "s", Measured, "amd/IRON #55: latency of 52 to 63 us by xrt-smi"),
                listed_launch: input("launch in a list", 36.5e-6, "s", Estimated, "as on npu1"),
                switch: input("configuration", 2.67e-3, "s", Measured, "atassis/xdna-engine bench/results"),
            },
        }
    }

    /// In the order in which they are explained.
    pub fn all(&self) -> [&Input; 11] {
        [
            &self.clock,
            &self.cores,
            &self.bf16_rate,
            &self.bf16_share,
            &self.int8_rate,
            &self.int8_share,
            &self.ddr,
            &self.stream,
            &self.launch,
            &self.listed_launch,
            &self.switch,
        ]
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Mark::Measured => "measured by others",
            Mark::Specified => "specified",
            Mark::Derived => "derived",
            Mark::Estimated => "estimated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::npu::Kernel;
    use crate::device::npu::emulator::Timing;

    /// The analytic model and the emulator's clock have the same numbers where they have the same thing.
    #[test]
    fn inputs_are_those_of_the_emulator() {
        for target in [Target::NPU1, Target::NPU2] {
            let (inputs, timing) = (Inputs::of(target), Timing::of(&target));
            assert_eq!(inputs.clock.value, timing.cycles_per_second);
            assert!((inputs.ddr.value / inputs.clock.value - timing.ddr_bytes_per_cycle).abs() < 1e-9);
            let share = |kernel, multiplications: f64, rate: Input| {
                multiplications / (timing.kernel_cycles)(kernel, &[16]) as f64 / rate.value
            };
            let bf16 = share(Kernel::ProductBf16, 64.0 * 32.0 * 64.0, inputs.bf16_rate);
            let int8 = share(Kernel::ProductInt8, 64.0 * 64.0 * 64.0, inputs.int8_rate);
            assert!((bf16 - inputs.bf16_share.value).abs() < 5e-4, "{bf16}");
            assert!((int8 - inputs.int8_share.value).abs() < 5e-4, "{int8}");
        }
    }
}
