//! The CPU: one file an operation, one source for every instruction set, three precisions.
//!
//! Prepared programs enter, numbers leave. Read `plan.rs` first (a program becomes stages), then `session.rs` (stages run on
//! a team of threads), then `arithmetic.rs`: what the f32 oracle in `reference/` and the packed kernels have in common.

mod arithmetic;
mod attention;
mod coarse;
mod convolution;
mod encode;
mod fourier;
mod grown;
mod layer_norm;
mod linear;
mod log_mel;
mod math;
mod memory;
mod packed;
mod plan;
mod precision;
mod reference;
mod session;
mod simd;
mod team;
mod values;

use std::sync::Arc;

use super::{Device, DeviceError, Prepared, Program, Tensors};
use arithmetic::{Arithmetic, Fast};
use plan::Plan;
use reference::Exact;
use session::Executable;
use simd::{Bf16, Int8};
use team::Team;

pub use precision::Precision;
pub use simd::Isa;

/// The processor, with a team of threads of its own.
pub struct Cpu {
    team: Arc<Team>,
    precision: Precision,
    isa: Isa,
}

impl Cpu {
    /// Starts `threads` − 1 threads beside the one that will run programs; 0 means a thread for each processor.
    ///
    /// The instruction set is the best one, or what the environment variable `WHISPERNPU_ISA` names. Errors: threads that
    /// cannot be started, an instruction set that the processor lacks.
    pub fn new(threads: usize, precision: Precision) -> Result<Self, DeviceError> {
        Self::with_isa(threads, precision, Isa::choose()?)
    }

    /// The same with an instruction set from [`Isa::all`].
    pub fn with_isa(threads: usize, precision: Precision, isa: Isa) -> Result<Self, DeviceError> {
        Ok(Self { team: Arc::new(Team::new(threads)?), precision, isa })
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    fn plan<A: Arithmetic>(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        Ok(Arc::new(Executable::<A>(Arc::new(Plan::new(program, tensors, self.isa, self.team.clone())?))))
    }
}

impl Device for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        match self.precision {
            Precision::F32 => self.plan::<Exact>(program, tensors),
            Precision::Bf16 => self.plan::<Fast<Bf16>>(program, tensors),
            Precision::Int8 => self.plan::<Fast<Int8>>(program, tensors),
        }
    }
}
