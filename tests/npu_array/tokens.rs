//! From tokens to rows, and from rows to the logits of tokens.

use gstwhispernpu::device::npu::reference::{greatest, sum, wide_of};
use gstwhispernpu::device::npu::{Matrix, reference};
use gstwhispernpu::device::{Device, DeviceError, Extent, Operation, Program, Rows};

use crate::harness::{ARRAYS, Weights, assert_same, numbers, run, step};
use crate::twin::{Layer, halves, read, wide};

/// A row of the table as bf16, and a row of the positions as it is.
#[test]
fn embeddings_are_the_rows_of_the_table_and_of_the_positions() {
    for array in ARRAYS.iter() {
        // One token, as many as are looked up at a time, more, and more than a panel has; the table's last block is not whole.
        for (vocabulary, width, lengths) in
            [(70, 40, vec![1]), (1000, 384, vec![8]), (100, 300, vec![3, 21]), (33, 64, vec![100, 2, 170])]
        {
            let table = numbers(vocabulary, width, 4.0, 21);
            let positions = numbers(200, width, 2.0, 22);
            let past = |lane: usize| 5 * lane;
            let tokens: Vec<u32> =
                (0..lengths.iter().sum::<usize>()).map(|index| (index * 37 % vocabulary) as u32).collect();
            let mut program = Program::default();
            let value = program.value("tokens", Rows::Step(tokens.len() + 1), 1);
            let output = program.value("x", Rows::Step(tokens.len() + 1), width);
            let (weight, places) = ("table".to_owned(), "positions".to_owned());
            let procedure =
                program.procedure(vec![Operation::Embedding { tokens: value, weight, positions: places, output }]);
            let weights = Weights::default().with("table", &[vocabulary, width], table.elements()).with(
                "positions",
                &[200, width],
                positions.elements(),
            );
            let mut session = array.device.prepare(&program, &weights).unwrap().session(lengths.len());
            let extents: Vec<_> =
                lengths.iter().enumerate().map(|(lane, &rows)| Extent::new(lane, rows, past(lane))).collect();
            for _ in 0..2 {
                session.write_tokens(value, &tokens);
                session.run(procedure, &extents).unwrap();
            }
            let places: Vec<usize> = extents.iter().flat_map(|extent| extent.past..extent.past + extent.rows).collect();
            let own = Matrix::from_fn(tokens.len(), width, |row, column| table[(tokens[row] as usize, column)]);
            let place = Matrix::from_fn(tokens.len(), width, |row, column| positions[(places[row], column)]);
            let expected = sum(&halves(&own).map(wide_of), &wide(&place));
            let what = format!("{:?}, {vocabulary}x{width}, {lengths:?}", array.target.generation);
            assert_same(session.read(output), &read(&expected), &what);

            session.write_tokens(value, &[vocabulary as u32]);
            let error = session.run(procedure, &[Extent::new(0, 1, 0)]).unwrap_err();
            assert!(matches!(error, DeviceError::Token { token, .. } if token as usize == vocabulary));
        }
    }
}

/// Logits as they are from where they have to be exact, others rounded but for the greatest.
#[test]
fn logits_are_exact_where_they_have_to_be_and_so_is_the_greatest() {
    for array in ARRAYS.iter() {
        for (rows, width, vocabulary, exact_from) in
            [(1, 64, 1500, 1400), (5, 100, 700, 641), (3, 33, 130, 63), (2, 64, 90, 0), (70, 32, 200, 130)]
        {
            let table = Layer { weight: numbers(vocabulary, width, 1.0, 31), bias: Vec::new(), is_gelu: false };
            let x = numbers(rows, width, 3.0, 32);
            let mut program = Program::default();
            let input = program.value("x", Rows::Step(rows), width);
            let output = program.value("logits", Rows::Step(rows), vocabulary);
            let operation = Operation::Logits { input, weight: "table".into(), exact_from, output };
            let weights = Weights::default().with("table", &[vocabulary, width], table.weight.elements());
            let received = run(array, (program, vec![operation]), &weights, &[(input, &x)], step(rows), output);

            let exact = table.bf16(&halves(&x));
            let (boundary, columns) = (exact_from / 64 * 64, array.target.columns);
            let mut expected = read(&exact);
            for row in 0..rows {
                // Each column of the array has the greatest of its own tiles.
                let greatest_of = |of: usize| {
                    let own: Vec<usize> = (0..boundary).filter(|column| column / 64 % columns == of).collect();
                    let values: Vec<i32> = own.iter().map(|column| exact[(row, *column)]).collect();
                    greatest(&values).map(|(place, _)| own[place])
                };
                let best: Vec<usize> = (0..columns).filter_map(greatest_of).collect();
                for column in (0..boundary).filter(|column| !best.contains(column)) {
                    expected[(row, column)] = reference::to_bf16(exact[(row, column)]).to_f32();
                }
            }
            let what = format!("{:?}, {rows}x{width}x{vocabulary} from {exact_from}", array.target.generation);
            assert_same(&received, &expected, &what);
        }
    }
}
