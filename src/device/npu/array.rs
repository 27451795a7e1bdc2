//! The emulated array as a device.

use std::sync::{Arc, Mutex, PoisonError};

use super::design::{Design, Sequence};
use super::emulator::{DdrMemory, Emulator, Fault, Report};
use super::overlay::overlay;
use super::plan::Plan;
use super::planner::plan;
use super::rules::{self, Violation};
use super::session::NpuSession;
use super::target::Target;
use crate::device::{Device, DeviceError, Origin, Prepared, Program, Session, Tensors};

/// An array that is emulated, down to its descriptors and locks.
pub struct NpuEmulator {
    array: Arc<Array>,
    is_int8: bool,
}

/// The one array of a device, which everything runs on in turn.
pub struct Array {
    emulator: Mutex<Emulator>,
    total: Mutex<Report>,
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
        Ok(Self { array: Arc::new(Array::new(overlay(target), threads)?), is_int8 })
    }

    /// Configures an array to any design, and changes whatever is to run on it.
    #[cfg(test)]
    pub fn tampered(design: Design, is_int8: bool, tamper: Tamper) -> Result<Self, DeviceError> {
        let array = Array { tamper, ..Array::new(design, 1)? };
        Ok(Self { array: Arc::new(array), is_int8 })
    }
}

impl Array {
    fn new(design: Design, threads: usize) -> Result<Self, DeviceError> {
        rules::check(&design).map_err(|violations| broken(&violations))?;
        let design = Arc::new(design);
        let emulator = Emulator::new(design.clone(), threads).map_err(refused)?;
        Ok(Self {
            emulator: Mutex::new(emulator),
            total: Mutex::default(),
            design,
            #[cfg(test)]
            tamper: Box::new(|_, _| {}),
        })
    }

    /// Runs a sequence.
    pub fn run(&self, sequence: &Sequence, ddr: &mut [DdrMemory]) -> Result<(), DeviceError> {
        #[cfg(test)]
        let sequence = &self.tampered(sequence.clone(), ddr);
        let sizes: Vec<u64> = ddr.iter().map(|memory| memory.bytes().len() as u64).collect();
        rules::check_sequence(&self.design, sequence, &sizes).map_err(|violations| broken(&violations))?;
        let mut emulator = self.emulator.lock().unwrap_or_else(PoisonError::into_inner);
        let report = emulator.run(sequence, ddr).map_err(|fault| {
            emulator.reset();
            refused(fault)
        })?;
        self.total.lock().unwrap_or_else(PoisonError::into_inner).add(&report);
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
