//! The CPU: every operation in f32, one file an operation.
//!
//! Prepared programs enter, numbers leave. Read `executor.rs` first: it binds a program's operations to the kernels.

mod attention;
mod convolution;
mod executor;
mod gelu;
mod gemm;
mod layer_norm;
mod linear;
mod log_mel;
mod math;

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Device, DeviceError, Prepared, Program, Tensors};
use executor::Executable;

/// The processor, with a thread pool of its own.
pub struct Cpu {
    threads: Arc<ThreadPool>,
}

impl Cpu {
    /// Starts `threads` worker threads; 0 means one for each processor, or what `RAYON_NUM_THREADS` says.
    pub fn new(threads: usize) -> Result<Self, DeviceError> {
        let threads = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("whispernpu-cpu{index}"))
            .build()
            .map_err(|error| DeviceError::Threads { reason: error.to_string() })?;
        Ok(Self { threads: Arc::new(threads) })
    }
}

impl Device for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        Ok(Arc::new(Executable::new(program, tensors, self.threads.clone())?))
    }
}
