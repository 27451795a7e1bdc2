//! Attention over all keys, over the keys up to the query, and over keys that were there before.

use gstwhispernpu::device::{Extent, Mask, Operation, Program, Rows};
use half::bf16;

use crate::harness::{ARRAYS, Weights, assert_same, numbers, run};
use crate::twin::{attention, halves};

#[test]
fn what_is_attended_is_the_twins() {
    for array in ARRAYS.iter().filter(|array| !array.is_int8) {
        for (rows, past, width, heads) in
            [(1, 0, 1, 1), (1, 70, 64, 2), (33, 0, 17, 3), (65, 0, 64, 1), (40, 90, 31, 1), (130, 3, 64, 2)]
        {
            for mask in [Mask::None, Mask::Causal] {
                let (columns, keys) = (width * heads, past + rows);
                // Large scores, so that a softmax without the maximum subtracted would overflow somewhere.
                let q = numbers(rows, columns, 8.0, 31);
                let (k, v) = (numbers(keys, columns, 2.0, 32), numbers(keys, columns, 1.0, 33));
                let mut program = Program::default();
                let query = program.value("query", Rows::Step(rows), columns);
                let rows_of_keys = if past > 0 { Rows::Grown(keys) } else { Rows::Step(keys) };
                let key = program.value("key", rows_of_keys, columns);
                let value = program.value("value", rows_of_keys, columns);
                let output = program.value("output", Rows::Step(rows), columns);
                let operation = Operation::Attention { query, key, value, heads, mask, output };
                let inputs = [(query, &q), (key, &k), (value, &v)];
                let extent = Extent::new(0, rows, past);
                let received = run(array, (program, vec![operation]), &Weights::default(), &inputs, extent, output);
                let causal = (mask == Mask::Causal).then_some(past);
                let expected = attention([&halves(&q), &halves(&k), &halves(&v)], heads, causal).map(bf16::to_f32);
                let generation = array.target.generation;
                assert_same(&received, &expected, &format!("{generation:?}, {rows}+{past}, {heads}x{width}, {mask:?}"));
            }
        }
    }
}
