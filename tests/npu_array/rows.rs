//! Layer normalisation.

use gstwhispernpu::device::npu::Matrix;
use gstwhispernpu::device::{Operation, Program, Rows};

use crate::harness::{ARRAYS, Weights, assert_same, numbers, run, step};
use crate::twin::{layer_norm, read, wide};

#[test]
fn normalised_rows_are_the_twins() {
    for array in ARRAYS.iter().filter(|array| !array.is_int8) {
        for (rows, columns) in [(1, 2), (3, 31), (64, 384), (65, 512), (130, 33), (33, 768), (40, 1024)] {
            let plain = numbers(rows, columns, 1.0, 21);
            // Rows of very different sizes and means.
            let x = Matrix::from_fn(rows, columns, |row, column| {
                plain[(row, column)] * [1.0, 0.01, 30.0, 5.0][row % 4] + [0.0, 3.0, -50.0][row % 3]
            });
            let (gamma, beta) = (numbers(1, columns, 2.0, 22), numbers(1, columns, 1.0, 23));
            let mut program = Program::default();
            let input = program.value("input", Rows::Step(rows + 9), columns);
            let output = program.value("output", Rows::Step(rows + 9), columns);
            let operation = Operation::LayerNorm { input, weight: "g".into(), bias: "b".into(), output };
            let weights =
                Weights::default().with("g", &[columns], gamma.elements()).with("b", &[columns], beta.elements());
            let received = run(array, (program, vec![operation]), &weights, &[(input, &x)], step(rows), output);
            let expected = read(&layer_norm(&wide(&x), gamma.elements(), beta.elements()));
            assert_same(&received, &expected, &format!("{:?}, {rows}x{columns}", array.target.generation));
        }
    }
}
