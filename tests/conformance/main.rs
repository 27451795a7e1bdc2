//! One suite, every device: each operation at odd sizes against a slow, obvious reference in f64.
//!
//! A device is one row of `DEVICES`, with its tolerance.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cases;
mod reference;

use std::collections::HashMap;

use gstwhispernpu::device::{
    DataType, Device, DeviceError, Extent, Operation, Program, Session, TensorView, Tensors, Value, cpu::Cpu,
};

/// A device and the largest error, relative to the largest expected magnitude, that it may make.
struct Row {
    make: fn() -> Box<dyn Device>,
    tolerance: f64,
}

const DEVICES: &[Row] = &[Row { make: || Box::new(Cpu::new(2).unwrap()), tolerance: 2e-6 }];

/// Named f32 tensors.
#[derive(Default)]
struct Weights(HashMap<&'static str, (Vec<usize>, Vec<u8>)>);

impl Weights {
    fn with(mut self, name: &'static str, shape: &[usize], values: &[f32]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.0.insert(name, (shape.to_vec(), bytes));
        self
    }
}

impl Tensors for Weights {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError> {
        let (shape, bytes) = self.0.get(name).ok_or(DeviceError::MissingTensor { name: name.into() })?;
        TensorView::new(name.to_owned(), shape.clone(), DataType::F32, bytes)
    }
}

/// One program of a single operation with its inputs and what is expected of it.
struct Case {
    name: String,
    program: Program,
    operation: Operation,
    weights: Weights,
    inputs: Vec<(Value, Vec<f32>)>,
    tokens: Option<(Value, Vec<u32>)>,
    extent: Extent,
    output: Value,
    /// Row-major from the first element of the output's buffer; NaN where nothing is promised.
    expected: Vec<f64>,
}

impl Case {
    fn run(mut self, row: &Row) -> Result<(), String> {
        let device = (row.make)();
        let procedure = self.program.procedure(vec![self.operation]);
        let prepared = device.prepare(&self.program, &self.weights).map_err(|error| error.to_string())?;
        let mut session = prepared.session();
        // Two runs, so that what the first one left behind shows.
        for _ in 0..2 {
            write(&mut *session, &self.inputs, &self.tokens);
            session.run(procedure, self.extent).map_err(|error| error.to_string())?;
        }
        let received = session.read(self.output);
        let largest = self.expected.iter().filter(|x| !x.is_nan()).fold(1.0, |most: f64, x| most.max(x.abs()));
        for (index, (received, expected)) in received.iter().zip(&self.expected).enumerate() {
            let error = (*received as f64 - expected).abs() / largest;
            if !expected.is_nan() && (error > row.tolerance || received.is_nan()) {
                let name = (row.make)().name();
                return Err(format!("{name}: {}: element {index} is {received}, not {expected}", self.name));
            }
        }
        Ok(())
    }
}

fn write(session: &mut dyn Session, inputs: &[(Value, Vec<f32>)], tokens: &Option<(Value, Vec<u32>)>) {
    for (value, rows) in inputs {
        session.write(*value, rows);
    }
    if let Some((value, tokens)) = tokens {
        session.write_tokens(*value, tokens);
    }
}

/// Runs all cases on all devices and names every one that fails.
#[track_caller]
fn conform(cases: impl Fn() -> Vec<Case>) {
    let failures: Vec<String> =
        DEVICES.iter().flat_map(|row| cases().into_iter().filter_map(move |case| case.run(row).err())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn linear() {
    conform(cases::linear);
}

#[test]
fn attention() {
    conform(cases::attention);
}

#[test]
fn layer_norm() {
    conform(cases::layer_norm);
}

#[test]
fn convolution() {
    conform(cases::convolution);
}

#[test]
fn embedding_add_and_last_row() {
    conform(cases::embedding);
    conform(cases::add);
    conform(cases::last_row);
}

#[test]
fn log_mel() {
    conform(cases::log_mel);
}

#[test]
fn what_does_not_fit_is_refused() {
    for row in DEVICES {
        let device = (row.make)();
        for (case, expected) in cases::unfit() {
            let error = case.run(row).expect_err("an unfit program must be refused");
            assert!(error.contains(expected), "{}: {error:?} does not say {expected:?}", device.name());
        }
    }
}
