//! Held to a reader that knows syntax, scopes and types, to the design, to a run of the programs, and to a committed text.

mod design;
mod reader;
mod run;
mod same;
mod scopes;

use super::super::design::{CoreProgram, Operand, Scalar, Statement};
use super::super::kernels::Kernel;
use super::super::overlay::overlay;
use super::super::target::Target;
use super::print;

/// `WHISPERNPU_GOLDEN=write cargo test` writes it anew.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/npu-design.mlir");

#[test]
fn the_text_is_the_committed_one() {
    let text = print(&design::design(), Some(&design::sequence())).unwrap();
    if std::env::var_os("WHISPERNPU_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for (number, (line, golden)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(line, golden, "line {}", number + 1);
    }
    assert_eq!(text, golden);
}

#[test]
fn every_value_is_defined_before_and_used_with_its_type() {
    let text = print(&design::design(), Some(&design::sequence())).unwrap();
    scopes::check(&reader::read(&text));
}

#[test]
fn the_text_says_what_the_design_says() {
    let (design, sequence) = (design::design(), design::sequence());
    let file = reader::read(&print(&design, Some(&sequence)).unwrap());
    same::design(&file, &design);
    same::sequence(&file, &sequence, design.target);
}

#[test]
fn the_text_of_the_overlay_says_what_the_overlay_says() {
    for target in [Target::NPU1, Target::NPU2] {
        let design = overlay(target);
        let file = reader::read(&print(&design, None).unwrap());
        scopes::check(&file);
        same::design(&file, &design);
    }
}

#[test]
fn the_text_of_a_core_does_what_its_statements_do() {
    let design = design::design();
    let tile = design.tile(design::CORE).unwrap();
    let program = tile.core.as_ref().unwrap();
    let file = reader::read(&print(&design, None).unwrap());
    for parameters in [[0, 0, 7], [1, 3, -5], [2, 1, 100], [1, -2, 0], [9, 2, 1]] {
        let expected = run::of_statements(tile, program, &parameters, 7);
        assert_eq!(run::of_text(&file, tile, &parameters, 7), expected, "{parameters:?}");
    }
}

/// The checks themselves: whatever line is missing, one of them fails. A yield of nothing may be left out.
#[test]
fn a_missing_line_is_noticed() {
    let (design, sequence) = (design::design(), design::sequence());
    let text = print(&design, Some(&sequence)).unwrap();
    let (tile, parameters) = (design.tile(design::CORE).unwrap(), [2, 1, 100]);
    let expected = run::of_statements(tile, tile.core.as_ref().unwrap(), &parameters, 4);
    let lines: Vec<&str> = text.lines().collect();
    for missing in (0..lines.len()).filter(|&line| lines[line].trim() != "scf.yield") {
        let rest: Vec<&str> = [&lines[..missing], &lines[missing + 1..]].concat();
        let checks = || {
            let file = reader::read(&rest.join("\n"));
            scopes::check(&file);
            same::design(&file, &design);
            same::sequence(&file, &sequence, design.target);
            assert_eq!(run::of_text(&file, tile, &parameters, 4), expected);
        };
        assert!(std::panic::catch_unwind(checks).is_err(), "{}", lines[missing]);
    }
}

/// Loops, cases and rings in all combinations that a few statements have.
#[test]
fn nested_statements_do_what_they_say() {
    let mut design = design::design();
    let mut seed = 1_u32;
    for _ in 0..100 {
        let body = statements(&mut seed, 3, 0);
        let tile = design.tiles.iter_mut().find(|tile| tile.place == design::CORE).unwrap();
        let program = CoreProgram { body, ..tile.core.clone().unwrap() };
        tile.core = Some(program.clone());
        let file = reader::read(&print(&design, None).unwrap());
        scopes::check(&file);
        let tile = design.tile(design::CORE).unwrap();
        for parameters in [[0, 2, 1], [1, 1, 2], [2, 3, 0]] {
            let expected = run::of_statements(tile, &program, &parameters, 3);
            assert_eq!(run::of_text(&file, tile, &parameters, 3), expected);
        }
    }
}

/// Statements of any nesting up to a depth, inside so many loops.
fn statements(seed: &mut u32, depth: usize, loops: usize) -> Vec<Statement> {
    let mut next = |below: u32| {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 16) % below
    };
    let choices: Vec<(u32, u32, u32)> = (0..1 + next(4)).map(|_| (next(6), next(3), next(4))).collect();
    let scalar = |choice: u32| match choice {
        1 if loops > 0 => Scalar::Loop(loops - 1),
        2 if loops > 0 => Scalar::Sum { parameter: 2, depth: 0 },
        3 => Scalar::Constant(2),
        word => Scalar::Parameter(word.min(2) as usize),
    };
    let mut all = Vec::new();
    for (choice, ring, number) in choices {
        match choice {
            0 => all.push(Statement::Take(ring as usize)),
            1 => all.push(Statement::Give(ring as usize)),
            2 if depth > 0 => {
                let body = statements(seed, depth - 1, loops + 1);
                all.push(Statement::Repeat { times: scalar(number), body });
            }
            3 if depth > 0 => {
                let cases = (0..number).map(|_| statements(seed, depth - 1, loops)).collect();
                all.push(Statement::Select { case: scalar(ring), cases });
            }
            _ => all.push(Statement::Call {
                kernel: Kernel::StoreWide,
                operands: vec![Operand::Buffer { buffer: 7, offset_bytes: 0 }, Operand::Ring(ring as usize)],
                scalars: vec![scalar(number)],
            }),
        }
    }
    all
}
