//! Linear layers, in integers and in bf16.

use gstwhispernpu::device::npu::Matrix;
use gstwhispernpu::device::npu::reference::{sum, to_bf16, wide_of};
use gstwhispernpu::device::{Activation, Operation, Program, Rows, Value};

use crate::harness::{ARRAYS, Array, Weights, assert_same, numbers, run, step};
use crate::twin::{Layer, halves, layer_norm, read, wide};

/// Rows, inputs, outputs: one of each, what fills tiles, and what does not.
const SIZES: [(usize, usize, usize); 6] =
    [(1, 1, 1), (3, 64, 256), (64, 128, 64), (65, 100, 130), (130, 31, 513), (257, 65, 33)];

fn layer(inputs: usize, outputs: usize, is_biased: bool, is_gelu: bool, seed: u64) -> Layer {
    let bias = if is_biased { numbers(1, outputs, 2.0, seed + 1).elements().to_vec() } else { Vec::new() };
    // Outputs of very different sizes, each with a scale of its own, and one of zeros.
    let sizes = [1.0, 0.01, 0.3, 4.0, 0.0];
    let weight = numbers(outputs, inputs, 1.0, seed);
    let weight =
        Matrix::from_fn(outputs, inputs, |output, input| weight[(output, input)] * sizes[output % sizes.len()]);
    Layer { weight, bias, is_gelu }
}

impl Layer {
    fn operation(&self, name: &str, input: Value, residual: bool, output: Value) -> Operation {
        Operation::Linear {
            input,
            weight: name.to_owned(),
            bias: (!self.bias.is_empty()).then(|| format!("{name}.bias")),
            activation: if self.is_gelu { Activation::Gelu } else { Activation::None },
            residual,
            output,
        }
    }

    fn add_to(&self, weights: Weights, name: &str) -> Weights {
        let weights = weights.with(name, &[self.weight.rows(), self.weight.columns()], self.weight.elements());
        if self.bias.is_empty() {
            weights
        } else {
            weights.with(&format!("{name}.bias"), &[self.bias.len()], &self.bias)
        }
    }

    /// Of what the host wrote.
    fn twin(&self, array: &Array, rows: &Matrix<f32>) -> Matrix<i32> {
        if array.is_int8 { self.int8(&wide(rows)) } else { self.bf16(&halves(rows)) }
    }
}

#[test]
fn a_layer_is_the_twins() {
    for array in ARRAYS.iter() {
        for (rows, inputs, outputs) in SIZES {
            for (is_biased, is_gelu, is_residual) in
                [(false, false, false), (true, false, false), (true, true, false), (true, false, true)]
            {
                let layer = layer(inputs, outputs, is_biased, is_gelu, 1);
                let (x, before) = (numbers(rows, inputs, 3.0, 7), numbers(rows, outputs, 50.0, 8));
                let mut program = Program::default();
                let input = program.value("input", Rows::Step(rows + 3), inputs);
                let output = program.value("output", Rows::Step(rows + 3), outputs);
                let operations = vec![layer.operation("w", input, is_residual, output)];
                let weights = layer.add_to(Weights::default(), "w");
                let inputs_written = [(input, &x), (output, &before)];
                let received = run(array, (program, operations), &weights, &inputs_written, step(rows), output);
                let product = layer.twin(array, &x);
                let expected = if is_residual { sum(&product, &wide(&before)) } else { product };
                let what = format!(
                    "{:?}, int8 {}, {rows}x{inputs}x{outputs}, bias {is_biased}, GELU {is_gelu}, residual {is_residual}",
                    array.target.generation, array.is_int8
                );
                assert_same(&received, &read(&expected), &what);
            }
        }
    }
}

/// What the array itself makes a product's operand of: rows that it has normalised, and rows of bf16 that a product left.
#[test]
fn layers_behind_each_other_are_the_twins() {
    for array in ARRAYS.iter() {
        for (rows, width, hidden) in [(1, 384, 1536), (49, 64, 130), (100, 33, 100), (70, 768, 40)] {
            let (up, down) = (layer(width, hidden, true, true, 11), layer(hidden, width, true, false, 13));
            let (gamma, beta) = (numbers(1, width, 2.0, 15), numbers(1, width, 1.0, 16));
            let x = numbers(rows, width, 5.0, 17);
            let mut program = Program::default();
            let value = program.value("x", Rows::Step(rows), width);
            let normed = program.value("normed", Rows::Step(rows), width);
            let inner = program.value("hidden", Rows::Step(rows), hidden);
            let operations = vec![
                Operation::LayerNorm { input: value, weight: "g".into(), bias: "b".into(), output: normed },
                up.operation("up", normed, false, inner),
                down.operation("down", inner, true, value),
            ];
            let weights = Weights::default().with("g", &[width], gamma.elements()).with("b", &[width], beta.elements());
            let weights = down.add_to(up.add_to(weights, "up"), "down");
            let received = run(array, (program, operations), &weights, &[(value, &x)], step(rows), value);

            let normal = layer_norm(&wide(&x), gamma.elements(), beta.elements());
            let product = if array.is_int8 {
                let middle = up.int8(&normal).map(to_bf16);
                down.int8(&middle.map(wide_of))
            } else {
                down.bf16(&up.bf16(&normal.map(to_bf16)).map(to_bf16))
            };
            let what = format!("{:?}, int8 {}, {rows}x{width}, {hidden}", array.target.generation, array.is_int8);
            assert_same(&received, &read(&sum(&product, &wide(&x))), &what);
        }
    }
}
