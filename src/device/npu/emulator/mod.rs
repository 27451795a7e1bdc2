//! Executes a [`Design`] with a [`Sequence`] over buffers in DDR, as the array would: to find mistakes without one, to
//! predict how long it takes, and to compute what it computes.
//!
//! A run is rounds of two phases. In the first, one thread advances commands, channels, locks and the cores' programs until
//! nothing moves; in the second all cores that came to a kernel run it, on all threads. What comes out depends neither on
//! the number of threads nor on the order in which the emulator looks at things.
//!
//! Read `machine.rs` (the array's state), then `stream.rs`, `channel.rs`, `core.rs` and `processor.rs` (who acts).

mod channel;
mod clocks;
mod code;
mod core;
mod cost;
mod extent;
mod fault;
mod ledger;
mod machine;
mod memory;
mod pattern;
mod plan;
mod processor;
mod report;
mod semaphore;
mod shadow;
mod stream;
mod timeline;
mod timing;
mod transfer;

use std::ops::Range;
use std::sync::Arc;

use super::design::{Design, Sequence};
use super::{Kernel, KernelError, TileMemory, Variant};
use crate::device::team::Team;
use machine::{Machine, Run};
use plan::Plan;

pub use fault::Fault;
pub use memory::DdrMemory;
pub use report::{ChannelTotal, KernelTotal, Report};
pub use timeline::{Activity, Interval, Row, Timeline};
pub use timing::Timing;

/// What computes the kernels.
pub trait Kernels: Send + Sync {
    /// Runs one on a tile's memory, aligned to 64 bytes; `operands` are its buffers, in its order, and do not overlap.
    ///
    /// Error: why it refuses.
    fn call(
        &self,
        kernel: Kernel,
        memory: &mut TileMemory,
        operands: &[Range<usize>],
        scalars: &[i32],
    ) -> Result<(), String>;
}

/// The C++ kernels, compiled for the host.
impl Kernels for Variant {
    fn call(
        &self,
        kernel: Kernel,
        memory: &mut TileMemory,
        operands: &[Range<usize>],
        scalars: &[i32],
    ) -> Result<(), String> {
        kernel.call(*self, memory, operands, scalars).map_err(|error: KernelError| error.to_string())
    }
}

/// Kernels that compute nothing. Headers still come to where cores read them.
pub struct NoArithmetic;

impl Kernels for NoArithmetic {
    fn call(
        &self,
        kernel: Kernel,
        memory: &mut TileMemory,
        operands: &[Range<usize>],
        _: &[i32],
    ) -> Result<(), String> {
        if let (Kernel::CopyObject, [from, to]) = (kernel, operands) {
            memory.copy_within(from.clone(), to.start);
        }
        Ok(())
    }
}

/// An array with a design.
pub struct Emulator {
    plan: Arc<Plan>,
    machine: Machine,
    kernels: Arc<dyn Kernels>,
    team: Team,
}

impl Emulator {
    /// Configures an array whose kernels run in the fastest build for this machine, on `threads` threads; 0 stands for one
    /// for each processor, which is the most. Errors as of [`Emulator::with_kernels`].
    pub fn new(design: Arc<Design>, threads: usize) -> Result<Self, Fault> {
        Self::with_kernels(design, threads, Arc::new(Variant::fastest()))
    }

    /// Configures an array, whose kernels `kernels` computes, on `threads` threads; 0 stands for one for each processor, which
    /// is the most.
    ///
    /// The rules are not all checked here. Errors: threads that cannot be started, a design that names what is not there.
    pub fn with_kernels(design: Arc<Design>, threads: usize, kernels: Arc<dyn Kernels>) -> Result<Self, Fault> {
        let timing = Timing::of(&design.target);
        let plan = Arc::new(Plan::new(design)?);
        let team = Team::new(threads).map_err(|error| Fault::Threads { reason: error.to_string() })?;
        Ok(Self { machine: Machine::new(&plan, timing), plan, kernels, team })
    }

    /// Predicts with other costs from the next run on.
    pub fn set_timing(&mut self, timing: Timing) {
        self.machine.set_timing(timing);
    }

    /// The costs it predicts with.
    pub fn timing(&self) -> &Timing {
        &self.machine.timing
    }

    /// Records a timeline of each run from now on, or no longer. It takes memory for every transfer and call.
    pub fn record(&mut self, on: bool) {
        self.machine.timeline = on.then(Timeline::default);
    }

    /// The last run's timeline, if one was recorded.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.machine.timeline.as_ref()
    }

    /// Puts the array into the state in which it was configured: memories unwritten, locks and channels at their start.
    pub fn reset(&mut self) {
        let timeline = self.machine.timeline.take();
        self.machine = Machine::new(&self.plan, self.machine.timing);
        self.machine.timeline = timeline;
    }

    /// Executes a sequence over these buffers, until all its commands and transfers are over and nothing moves.
    ///
    /// What the array holds and where it stands stays for the next run. Errors: see [`Fault`]; then the array has to be
    /// reset.
    pub fn run(&mut self, sequence: &Sequence, ddr: &mut [DdrMemory]) -> Result<Report, Fault> {
        if std::mem::replace(&mut self.machine.stopped, true) {
            return Err(Fault::Stopped);
        }
        let mut run = Run { machine: &mut self.machine, plan: &self.plan, sequence, ddr };
        let report = run.execute(&self.team, &*self.kernels)?;
        self.machine.stopped = false;
        Ok(report)
    }
}
