//! Runs one short program on an array.

use std::collections::HashMap;
use std::sync::LazyLock;

use gstwhispernpu::device::npu::{Matrix, NpuEmulator, Target};
use gstwhispernpu::device::{DataType, Device, DeviceError, Extent, Operation, Program, TensorView, Tensors, Value};

/// Both arrays, each with products of bf16 and with products of integers.
pub struct Array {
    pub device: NpuEmulator,
    pub target: Target,
    pub is_int8: bool,
}

pub static ARRAYS: LazyLock<Vec<Array>> = LazyLock::new(|| {
    let array = |target, is_int8| Array { device: NpuEmulator::new(target, 2, is_int8).unwrap(), target, is_int8 };
    vec![array(Target::NPU1, false), array(Target::NPU1, true), array(Target::NPU2, false), array(Target::NPU2, true)]
});

/// Named f32 tensors.
#[derive(Default)]
pub struct Weights(HashMap<String, (Vec<usize>, Vec<u8>)>);

impl Weights {
    pub fn with(mut self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.0.insert(name.to_owned(), (shape.to_vec(), bytes));
        self
    }
}

impl Tensors for Weights {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError> {
        let (shape, bytes) = self.0.get(name).ok_or(DeviceError::MissingTensor { name: name.into() })?;
        TensorView::new(name.to_owned(), shape.clone(), DataType::F32, bytes)
    }
}

/// What `output` holds after the operations; they run twice, so that what the first run leaves behind shows.
pub fn run(
    array: &Array,
    (mut program, operations): (Program, Vec<Operation>),
    weights: &Weights,
    inputs: &[(Value, &Matrix<f32>)],
    extent: Extent,
    output: Value,
) -> Vec<f32> {
    let procedure = program.procedure(operations);
    let mut session = array.device.prepare(&program, weights).unwrap().session(1);
    for _ in 0..2 {
        inputs.iter().for_each(|(value, rows)| session.write(*value, rows.elements()));
        session.run(procedure, &[extent]).unwrap();
    }
    session.read(output).to_vec()
}

/// Fails at the first element that is not the expected one, bit by bit; what comes behind the expected ones is not looked at.
#[track_caller]
pub fn assert_same(received: &[f32], expected: &Matrix<f32>, what: &str) {
    for (index, (received, expected)) in received.iter().zip(expected.elements()).enumerate() {
        assert!(received.to_bits() == expected.to_bits(), "{what}: element {index} is {received}, not {expected}");
    }
    assert!(received.len() >= expected.elements().len());
    assert!(expected.elements().iter().any(|element| *element != 0.0), "{what}: nothing but zeros");
}

/// Deterministic numbers from -size to size.
pub fn numbers(rows: usize, columns: usize, size: f32, seed: u64) -> Matrix<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Matrix::from_fn(rows, columns, |_, _| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        size * ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
    })
}

/// One step of so many rows.
pub fn step(rows: usize) -> Extent {
    Extent::new(0, rows, 0)
}
