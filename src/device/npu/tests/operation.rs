//! Operations that use every stream, core and descriptor of an array of four columns, and all that they put out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::super::array::{NpuEmulator, Tamper};
use super::super::design::{Design, Sequence};
use super::super::emulator::DdrMemory;
use super::super::overlay::overlay;
use super::super::target::Target;
use crate::device::{
    Activation, DataType, Device, DeviceError, Extent, Mask, Operation as Step, Program, Rows, TensorView, Tensors,
    Value,
};

/// One operation, or two of which the second reads what the first one puts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// In bf16 with bias and GELU.
    Linear,
    /// The same with so many inputs that every ring goes round several times.
    LongLinear,
    /// In int8, with bias, added to what was there.
    LinearInt8,
    LayerNorm,
    /// Causal.
    Attention,
    /// A layer's normalisation and the product behind it.
    NormedLinear,
}

impl Operation {
    pub const ALL: [Self; 6] =
        [Self::Linear, Self::LongLinear, Self::LinearInt8, Self::LayerNorm, Self::Attention, Self::NormedLinear];

    /// Runs it on an array with this design. What it put out, or what was found wrong.
    pub fn run(self, design: Design, tamper: Tamper) -> Result<Vec<u32>, String> {
        let array = NpuEmulator::tampered(design, self == Self::LinearInt8, tamper).map_err(sentence)?;
        let Asked { mut program, steps, weights, inputs, rows, output } = self.asked();
        let procedure = program.procedure(steps);
        let mut session = array.prepare(&program, &weights).map_err(sentence)?.session(1);
        inputs.iter().for_each(|(value, rows)| session.write(*value, rows));
        session.run(procedure, &[Extent::new(0, rows, 0)]).map_err(sentence)?;
        Ok(session.read(output).iter().map(|element| element.to_bits()).collect())
    }

    /// What it sends to the array, in one launch.
    pub fn sequence(self) -> Sequence {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let copy = sent.clone();
        let copied = move |sequence: &mut Sequence, _: &mut [DdrMemory]| copy.lock().unwrap().push(sequence.clone());
        self.run(overlay(Target::NPU1), Box::new(copied)).unwrap();
        let mut sent = std::mem::take(&mut *sent.lock().unwrap());
        assert_eq!(sent.len(), 1);
        sent.remove(0)
    }

    fn asked(self) -> Asked {
        match self {
            Self::Linear => Asked::linear(256, Activation::Gelu, false),
            Self::LongLinear => Asked::linear(1024, Activation::Gelu, false),
            Self::LinearInt8 => Asked::linear(256, Activation::None, true),
            Self::LayerNorm => Asked::layer_norm(),
            Self::Attention => Asked::attention(),
            Self::NormedLinear => Asked::normed_linear(),
        }
    }
}

fn sentence(error: DeviceError) -> String {
    error.to_string()
}

struct Asked {
    program: Program,
    steps: Vec<Step>,
    weights: Weights,
    inputs: Vec<(Value, Vec<f32>)>,
    rows: usize,
    output: Value,
}

impl Asked {
    /// Four blocks of 64 rows, one for each row of cores, and two turns of four tiles of 64 columns.
    fn linear(inputs: usize, activation: Activation, residual: bool) -> Self {
        let (rows, outputs) = (256, 512);
        let mut program = Program::default();
        let input = program.value("input", Rows::Step(rows), inputs);
        let output = program.value("output", Rows::Step(rows), outputs);
        let steps = vec![linear(input, activation, residual, output)];
        let weights = Weights::default().with("w", &[outputs, inputs], 1).with("b", &[outputs], 2);
        let written = vec![(input, numbers(rows * inputs, 3)), (output, numbers(rows * outputs, 4))];
        Self { program, steps, weights, inputs: written, rows, output }
    }

    /// So many rows that each core has 8 of them twice.
    fn layer_norm() -> Self {
        let (rows, columns) = (256, 128);
        let mut program = Program::default();
        let input = program.value("input", Rows::Step(rows), columns);
        let output = program.value("output", Rows::Step(rows), columns);
        let steps = vec![Step::LayerNorm { input, weight: "g".into(), bias: "b".into(), output }];
        let weights = Weights::default().with("g", &[columns], 5).with("b", &[columns], 6);
        Self { program, steps, weights, inputs: vec![(input, numbers(rows * columns, 7))], rows, output }
    }

    /// A head for each column of the array, and 32 queries for each row of cores.
    fn attention() -> Self {
        let (rows, columns, heads) = (128, 256, 4);
        let mut program = Program::default();
        let mut declare = |name| program.value(name, Rows::Step(rows), columns);
        let [query, key, value, output] = ["query", "key", "value", "output"].map(&mut declare);
        let steps = vec![Step::Attention { query, key, value, heads, mask: Mask::Causal, output }];
        let inputs =
            [query, key, value].into_iter().zip(8..).map(|(value, seed)| (value, numbers(rows * columns, seed)));
        Self { program, steps, weights: Weights::default(), inputs: inputs.collect(), rows, output }
    }

    fn normed_linear() -> Self {
        let (rows, columns) = (256, 128);
        let mut asked = Self::layer_norm();
        let Step::LayerNorm { output: normed, .. } = asked.steps[0] else { unreachable!() };
        let output = asked.program.value("product", Rows::Step(rows), 256);
        asked.steps.push(linear(normed, Activation::None, false, output));
        asked.weights = asked.weights.with("w", &[256, columns], 11).with("b", &[256], 12);
        // One bias is the product's: the other has a name of its own.
        asked.weights = asked.weights.with("beta", &[columns], 6);
        if let Step::LayerNorm { bias, .. } = &mut asked.steps[0] {
            *bias = "beta".into();
        }
        asked.output = output;
        asked
    }
}

fn linear(input: Value, activation: Activation, residual: bool, output: Value) -> Step {
    Step::Linear { input, weight: "w".into(), bias: Some("b".into()), activation, residual, output }
}

/// Named f32 tensors.
#[derive(Default)]
struct Weights(HashMap<&'static str, (Vec<usize>, Vec<u8>)>);

impl Weights {
    fn with(mut self, name: &'static str, shape: &[usize], seed: u64) -> Self {
        let values = numbers(shape.iter().product(), seed);
        self.0.insert(name, (shape.to_vec(), values.iter().flat_map(|value| value.to_le_bytes()).collect()));
        self
    }
}

impl Tensors for Weights {
    fn tensor(&self, name: &str) -> Result<TensorView<'_>, DeviceError> {
        let (shape, bytes) = self.0.get(name).ok_or(DeviceError::MissingTensor { name: name.into() })?;
        TensorView::new(name.to_owned(), shape.clone(), DataType::F32, bytes)
    }
}

/// Deterministic numbers in -1 to 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}
