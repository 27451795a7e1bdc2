//! The emulated array as a device.

use std::sync::{Arc, Mutex};

use super::cost::Inputs;
use super::design::{Design, Sequence};
use super::emulator::{DdrMemory, Emulator, Fault, NoArithmetic, Report};
use super::overlay::overlay;
use super::plan::Plan;
use super::planner::plan;
use super::rules::{self, Violation};
use super::session::NpuSession;
use super::target::Target;
use super::trace::{Trace, Traced};
use crate::device::{Completed, Device, DeviceError, Origin, Prepared, Program, Session, Tensors};
use crate::lock::lock;

/// An array that is emulated, down to its descriptors and locks.
pub struct NpuEmulator {
    array: Arc<Array>,
    is_int8: bool,
}

/// The one array of a device, which everything runs on in turn.
pub struct Array {
    emulator: Mutex<Emulator>,
    total: Mutex<Report>,
    trace: Mutex<Option<Trace>>,
    design: Arc<Design>,
    #[cfg(test)]
    tamper: Tamper,
}

/// What a test changes in each launch before it runs.
#[cfg(test)]
pub type Tamper = Box<dyn Fn(&mut Sequence, &mut [DdrMemory]) + Send + Sync>;

/// A program that is ready to run.
pub struct Executable {
    pub array: Arc<Array>,
    pub plan: Plan,
    pub weights: Mutex<DdrMemory>,
}

impl NpuEmulator {
    /// Configures an array, whose cores `threads` threads emulate; 0 means one for each processor. Products of linear layers are of
    /// bf16, or with `is_int8` of integers.
    pub fn new(target: Target, threads: usize, is_int8: bool) -> Result<Self, DeviceError> {
        Self::with(overlay(target), is_int8, |design| Emulator::new(design, threads))
    }

    /// The same, but kernels compute nothing: for predictions, which do not depend on what the numbers are.
    pub fn without_arithmetic(target: Target, is_int8: bool) -> Result<Self, DeviceError> {
        Self::with(overlay(target), is_int8, |design| Emulator::with_kernels(design, 1, Arc::new(NoArithmetic)))
    }

    /// Configures an array to any design, and changes whatever is to run on it.
    #[cfg(test)]
    pub fn tampered(design: Design, is_int8: bool, tamper: Tamper) -> Result<Self, DeviceError> {
        let array = Array { tamper, ..Array::new(design, |design| Emulator::new(design, 1))? };
        Ok(Self { array: Arc::new(array), is_int8 })
    }

    fn with(
        design: Design,
        is_int8: bool,
        emulator: impl FnOnce(Arc<Design>) -> Result<Emulator, Fault>,
    ) -> Result<Self, DeviceError> {
        Ok(Self { array: Arc::new(Array::new(design, emulator)?), is_int8 })
    }

    /// What was done since the array was configured.
    pub fn report(&self) -> Report {
        lock(&self.array.total).clone()
    }

    /// Keeps what each operation does from now on, or no longer. Each then runs by itself; `launches` of its report still says
    /// where the array would be launched.
    pub fn trace(&self, trace: Option<Trace>) {
        lock(&self.array.emulator).record(trace.as_ref().is_some_and(|trace| trace.has_timelines));
        *lock(&self.array.trace) = trace;
    }

    /// What was kept since [`NpuEmulator::trace`], in the order of the operations.
    pub fn traced(&self) -> Vec<Traced> {
        lock(&self.array.trace).as_mut().map(|trace| std::mem::take(&mut trace.operations)).unwrap_or_default()
    }
}

impl Array {
    fn new(design: Design, emulator: impl FnOnce(Arc<Design>) -> Result<Emulator, Fault>) -> Result<Self, DeviceError> {
        rules::check(&design).map_err(|violations| broken(&violations))?;
        let design = Arc::new(design);
        let emulator = emulator(design.clone()).map_err(refused)?;
        Ok(Self {
            emulator: Mutex::new(emulator),
            total: Mutex::default(),
            trace: Mutex::default(),
            design,
            #[cfg(test)]
            tamper: Box::new(|_, _| {}),
        })
    }

    /// Whether each operation is to run by itself.
    pub fn is_traced(&self) -> bool {
        lock(&self.trace).is_some()
    }

    /// Counts a launch that operations which ran by themselves would have been.
    pub fn count_launch(&self) {
        lock(&self.total).launches += 1;
        if let Some(last) = lock(&self.trace).as_mut().and_then(|trace| trace.operations.last_mut()) {
            last.report.launches += 1;
        }
    }

    /// Runs a sequence; with a name it is an operation that runs by itself, and no launch.
    pub fn run(&self, sequence: &Sequence, name: Option<String>, ddr: &mut [DdrMemory]) -> Result<(), DeviceError> {
        #[cfg(test)]
        let sequence = &self.tampered(sequence.clone(), ddr);
        let sizes: Vec<u64> = ddr.iter().map(|memory| memory.bytes().len() as u64).collect();
        rules::check_sequence(&self.design, sequence, &sizes).map_err(|violations| broken(&violations))?;
        let mut emulator = lock(&self.emulator);
        let mut report = emulator.run(sequence, ddr).map_err(|fault| {
            emulator.reset();
            refused(fault)
        })?;
        report.launches = u64::from(name.is_none());
        lock(&self.total).add(&report);
        if let (Some(name), Some(trace)) = (name, lock(&self.trace).as_mut()) {
            trace.operations.push(Traced { name, report, timeline: emulator.timeline().cloned() });
        }
        Ok(())
    }

    #[cfg(test)]
    fn tampered(&self, mut sequence: Sequence, ddr: &mut [DdrMemory]) -> Sequence {
        (self.tamper)(&mut sequence, ddr);
        sequence
    }
}

fn broken(violations: &[Violation]) -> DeviceError {
    let first = violations.first().map_or_else(String::new, ToString::to_string);
    DeviceError::Array { reason: format!("{first} ({} rules are broken in all)", violations.len()) }
}

fn refused(fault: Fault) -> DeviceError {
    DeviceError::Array { reason: fault.to_string() }
}

impl Device for NpuEmulator {
    fn name(&self) -> &'static str {
        "npu-emulator"
    }

    fn prepare(&self, program: &Program, tensors: &dyn Tensors) -> Result<Arc<dyn Prepared>, DeviceError> {
        let mut plan = plan(program, tensors, self.array.design.target, self.is_int8)?;
        let weights = Mutex::new(DdrMemory::from_bytes(std::mem::take(&mut plan.weights)));
        Ok(Arc::new(Shared(Arc::new(Executable { array: self.array.clone(), plan, weights }))))
    }

    fn completed(&self) -> Option<Completed> {
        let report = self.report();
        let predicted_seconds =
            report.seconds + Inputs::of(self.array.design.target).launching_seconds(report.launches);
        Some(Completed { launches: report.launches, kernel_calls: report.calls(), predicted_seconds })
    }
}

struct Shared(Arc<Executable>);

impl Prepared for Shared {
    fn origin(&self) -> &Origin {
        &Origin::Packed
    }

    fn session(&self, lanes: usize) -> Box<dyn Session> {
        Box::new(NpuSession::new(self.0.clone(), lanes))
    }
}
