//! The CPU: one file an operation, one source for every instruction set, three precisions.
//!
//! Prepared programs enter, numbers leave. Read `plan.rs` first (a program becomes stages, whose weights `binder.rs` reads),
//! then `session.rs` (stages run on a team of threads), then `arithmetic.rs`: what the f32 oracle in `reference/` and the
//! packed kernels have in common.

mod arithmetic;
mod attention;
mod binder;
mod cache;
mod checksum;
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
mod store;
mod values;
mod zeros;

use std::path::PathBuf;
use std::sync::Arc;

use super::team::Team;
use super::{Device, DeviceError, Origin, Prepared, Program, Tensors};
use arithmetic::{Arithmetic, Fast};
use cache::{Contents, Place};
use plan::Plan;
use reference::Exact;
use session::Executable;
use simd::{Bf16, Int8};
use store::Store;

pub use precision::Precision;
pub use simd::Isa;

/// The processor, with a team of threads of its own.
pub struct Cpu {
    team: Arc<Team>,
    precision: Precision,
    isa: Isa,
    /// Where packed weights are kept.
    cache: Option<PathBuf>,
}

impl Cpu {
    /// Starts `threads` − 1 threads beside the one that will run programs; 0 means a thread for each processor, and more than
    /// that are no more.
    ///
    /// The instruction set is the best one, or what the environment variable `WHISPERNPU_ISA` names. Errors: threads that
    /// cannot be started, an instruction set that the processor lacks.
    pub fn new(threads: usize, precision: Precision) -> Result<Self, DeviceError> {
        Self::with_isa(threads, precision, Isa::choose()?)
    }

    /// The same with an instruction set from [`Isa::all`].
    pub fn with_isa(threads: usize, precision: Precision, isa: Isa) -> Result<Self, DeviceError> {
        Ok(Self { team: Arc::new(Team::new(threads)?), precision, isa, cache: None })
    }

    /// Keeps packed weights in this folder, if one is given, and maps those that it holds instead of packing.
    ///
    /// That nothing can be kept is no error; [`Prepared::origin`] says it.
    pub fn with_cache(self, folder: Option<PathBuf>) -> Self {
        Self { cache: folder, ..self }
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    fn plan<A: Arithmetic>(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        let (plan, origin) = self.plan_kept::<A>(program, tensors)?;
        Ok(Arc::new(Executable { plan: Arc::new(plan), origin }))
    }

    fn store<'a>(&'a self, contents: Option<&'a Contents>) -> Store<'a> {
        Store::new(self.isa, &self.team, contents)
    }

    fn plan_kept<A: Arithmetic>(
        &self,
        program: &Program,
        tensors: &dyn Tensors,
    ) -> Result<(Plan<A>, Origin), DeviceError> {
        let place = self.cache.as_ref().filter(|_| A::IS_PACKED).zip(tensors.identity());
        let place = place.map(|(folder, files)| Place::new(folder, program, files, self.isa, self.precision));
        let Some(place) = place else {
            return Ok((Plan::new(program, tensors, &mut self.store(None))?, Origin::Packed));
        };
        let (contents, missing) = match place.open(&self.team) {
            Ok(contents) => (Some(contents), "the file lacked some".to_owned()),
            Err(missing) => (None, missing),
        };
        let mut store = self.store(contents.as_ref());
        let plan = Plan::new(program, tensors, &mut store)?;
        if contents.is_some() && !store.is_packed() {
            return Ok((plan, Origin::Cached));
        }
        match place.write(store.matrices()).and_then(|()| place.open(&self.team)) {
            // From the file at once, so that this process shares its memory too.
            Ok(contents) => {
                drop((plan, store));
                let plan = Plan::new(program, tensors, &mut self.store(Some(&contents)))?;
                Ok((plan, Origin::Kept { because: missing }))
            }
            Err(because) => Ok((plan, Origin::NotKept { because })),
        }
    }
}

impl Device for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn gives_probabilities(&self) -> bool {
        true
    }

    fn attends_to_kept(&self) -> bool {
        true
    }

    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        match self.precision {
            Precision::F32 => self.plan::<Exact>(program, tensors),
            Precision::Bf16 => self.plan::<Fast<Bf16>>(program, tensors),
            Precision::Int8 => self.plan::<Fast<Int8>>(program, tensors),
        }
    }
}
