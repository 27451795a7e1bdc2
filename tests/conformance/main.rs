//! One suite, every device: each operation at odd sizes against a slow, obvious reference in f64.
//!
//! A device is one row of `DEVICES`, with its tolerance.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cases;
mod lanes;
mod reference;

use std::collections::HashMap;
use std::sync::LazyLock;

use gstwhispernpu::device::{
    DataType, Device, DeviceError, Extent, Operation, Program, Session, TensorView, Tensors, Value,
    cpu::{Cpu, Isa, Precision},
};

/// A device and the largest error, relative to the largest expected magnitude, that it may make.
struct Row {
    name: String,
    device: Box<dyn Device>,
    tolerance: f64,
}

impl Row {
    fn is_array(&self) -> bool {
        self.name.starts_with("npu")
    }

    fn is_int8(&self) -> bool {
        self.name.contains("Int8")
    }
}

/// The oracle, and every precision on every instruction set that this processor has.
///
/// Rounding a row to 255 steps and weights to 127 makes errors of some thousandths for each element of a sum; bf16 has 8
/// bits of mantissa.
static DEVICES: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let row = |isa: Isa, precision, tolerance| Row {
        name: format!("cpu, {precision:?}, {}", isa.name()),
        device: Box::new(Cpu::with_isa(2, precision, isa).unwrap()),
        tolerance,
    };
    let all = Isa::all();
    let mut rows = vec![row(all[0], Precision::F32, 2e-6)];
    rows.extend(all.iter().map(|&isa| row(isa, Precision::Int8, 2.5e-2)));
    rows.extend(all.iter().map(|&isa| row(isa, Precision::Bf16, 1e-2)));
    #[cfg(feature = "npu-emulator")]
    rows.extend(arrays());
    rows
});

/// Both arrays in both precisions.
#[cfg(feature = "npu-emulator")]
fn arrays() -> Vec<Row> {
    use gstwhispernpu::device::npu::{NpuEmulator, Target};
    let row = |name: &str, target, is_int8, tolerance| Row {
        name: name.to_owned(),
        device: Box::new(NpuEmulator::new(target, 2, is_int8).unwrap()),
        tolerance,
    };
    vec![
        row("npu1, bf16", Target::NPU1, false, 1.5e-2),
        row("npu2, bf16", Target::NPU2, false, 1.5e-2),
        row("npu1, Int8", Target::NPU1, true, 2.5e-2),
    ]
}

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

/// One short program with its inputs and what is expected of it.
struct Case {
    name: String,
    program: Program,
    operations: Vec<Operation>,
    weights: Weights,
    inputs: Vec<(Value, Vec<f32>)>,
    tokens: Option<(Value, Vec<u32>)>,
    extents: Vec<Extent>,
    output: Value,
    /// Row-major from the first element of the output's buffer; NaN where nothing is promised.
    expected: Vec<f64>,
}

impl Case {
    fn output(mut self, row: &Row) -> Result<Vec<f32>, String> {
        let procedure = self.program.procedure(self.operations);
        let prepared = row.device.prepare(&self.program, &self.weights).map_err(|error| error.to_string())?;
        let mut session = prepared.session(1);
        // Two runs, so that what the first one left behind shows.
        for _ in 0..2 {
            write(&mut *session, &self.inputs, &self.tokens);
            session.run(procedure, &self.extents).map_err(|error| error.to_string())?;
        }
        Ok(session.read(self.output).to_vec())
    }

    fn run(self, row: &Row, tolerance: f64) -> Result<(), String> {
        let (case, expected) = (self.name.clone(), self.expected.clone());
        let received = self.output(row)?;
        let largest = expected.iter().filter(|x| !x.is_nan()).fold(1.0, |most: f64, x| most.max(x.abs()));
        for (index, (received, expected)) in received.iter().zip(&expected).enumerate() {
            let error = (*received as f64 - expected).abs() / largest;
            if !expected.is_nan() && (error > tolerance || received.is_nan()) {
                let name = &row.name;
                return Err(format!("{name}: {case}: element {index} is {received}, not {expected}"));
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
    conform_within(|row| row.tolerance, cases);
}

/// The same with another tolerance.
#[track_caller]
fn conform_within(tolerance: impl Fn(&Row) -> f64, cases: impl Fn() -> Vec<Case>) {
    let run = |row: &Row| {
        let tolerance = tolerance(row);
        cases().into_iter().filter_map(|case| case.run(row, tolerance).err()).collect::<Vec<_>>()
    };
    let failures: Vec<String> = DEVICES.iter().flat_map(run).collect();
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
fn attention_to_the_step() {
    conform(cases::attention_to_the_step);
}

#[test]
fn probabilities() {
    let (arrays, others): (Vec<&Row>, Vec<&Row>) = DEVICES.iter().partition(|row| row.is_array());
    for row in others {
        assert!(row.device.gives_probabilities());
        let failures: Vec<String> =
            cases::probabilities().into_iter().filter_map(|case| case.run(row, row.tolerance).err()).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
    // The array has no program that writes scores to memory.
    for row in arrays {
        let error = cases::probabilities().remove(0).run(row, 0.0).expect_err("an array has no such operation");
        assert!(!row.device.gives_probabilities() && error.contains("probabilities of attention"), "{error}");
    }
}

#[test]
fn logits() {
    conform(cases::logits);
}

#[test]
fn chain() {
    conform(cases::chain);
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
fn rows_of_text_are_rounded_more_finely() {
    // The array rounds rows of text like all others.
    conform_within(|row| if row.is_int8() && !row.is_array() { 1e-4 } else { row.tolerance }, cases::text);
}

#[test]
fn what_the_vectors_of_a_vocabulary_share_is_not_rounded() {
    conform_within(|row| if row.is_int8() && !row.is_array() { 8e-3 } else { 3e-2 }, cases::logits_of_vectors_alike);
}

#[test]
fn log_mel() {
    // The front end has no weights to round.
    // On the array, powers and filters have 8 bits of mantissa.
    conform_within(|row| if row.is_array() { 1e-3 } else { 2e-6 }, cases::log_mel);
}

/// Integer sums are the same everywhere; only what is done with them in f32 may round differently.
#[test]
fn instruction_sets_agree() {
    let outputs = |row: &Row| -> Vec<Vec<f32>> {
        cases::linear().into_iter().chain(cases::convolution()).map(|case| case.output(row).unwrap()).collect()
    };
    for precision in ["Int8", "Bf16"] {
        let mut rows = DEVICES.iter().filter(|row| row.name.contains(precision) && !row.is_array());
        let first = outputs(rows.next().unwrap());
        for row in rows {
            for (one, other) in first.iter().flatten().zip(outputs(row).iter().flatten()) {
                assert!((one - other).abs() < 1e-4, "{}: {other} is not {one}", row.name);
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for row in DEVICES.iter() {
        for (case, expected) in cases::unfit() {
            let error = case.run(row, 0.0).expect_err("an unfit program must be refused");
            assert!(error.contains(expected), "{}: {error:?} does not say {expected:?}", row.name);
        }
    }
}
