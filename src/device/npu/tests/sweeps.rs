//! Every descriptor of a memory tile and of a core, and every command of a column's shim, made wrong in each way: none of it
//! may go unnoticed.

use super::super::design::{Command, Descriptor, Dimension, Place, ShimDescriptor};
use super::super::overlay::overlay;
use super::super::target::Target;
use super::mutation::{Mutation, Right};
use super::operation::Operation;

type Change<T> = (&'static str, fn(&mut T));

const OF_A_DESCRIPTOR: [Change<Descriptor>; 4] = [
    ("steps", |one| {
        let steps = [(2, 1), (8, 128), (64, 2)];
        one.dimensions = steps.map(|(wrap, step_words)| Dimension { wrap, step_words }).to_vec();
    }),
    ("a word less", |one| one.length_words -= 1),
    ("not waiting", |one| one.acquire = None),
    ("again instead of the next", |one| one.next = Some(one.number)),
];

/// Noticed only once a ring's buffers have all been lost.
const GIVING_NOTHING: [Change<Descriptor>; 1] = [("giving nothing", |one| one.release = None)];

const OF_A_TRANSFER: [Change<ShimDescriptor>; 5] = [
    ("a word further", |one| one.offset_bytes += 4),
    ("a word less", |one| one.length_words -= 1),
    ("another buffer", |one| one.buffer.0 = (one.buffer.0 + 1) % 3),
    ("steps", |one| match one.dimensions.first_mut() {
        Some(dimension) => dimension.step_words += 1,
        None => one.dimensions = vec![Dimension { wrap: one.length_words as u32, step_words: 2 }],
    }),
    ("runs elsewhere", |one| one.iteration.iter_mut().for_each(|iteration| iteration.step_words += 4)),
];

fn assert_noticed(mistakes: Vec<(String, Mutation)>, operation: Operation) {
    let right = Right::of(&[operation]);
    let unnoticed: Vec<String> = mistakes
        .into_iter()
        .filter(|(_, mutation)| mutation.caught(operation, &right).0.is_none())
        .map(|(what, _)| what)
        .collect();
    assert!(unnoticed.is_empty(), "{operation:?}: {}", unnoticed.join("\n"));
}

#[test]
fn no_mistake_of_a_descriptor_goes_unnoticed() {
    assert_noticed(of_descriptors(&OF_A_DESCRIPTOR), Operation::Linear);
    assert_noticed(of_descriptors(&GIVING_NOTHING), Operation::LongLinear);
}

/// These changes of all descriptors of a memory tile and a core.
fn of_descriptors(changes: &[Change<Descriptor>]) -> Vec<(String, Mutation)> {
    let design = overlay(Target::NPU1);
    let mut mistakes = Vec::new();
    for (column, row) in [(1, 1), (2, 4)] {
        let tile = design.tile(Place { column, row }).unwrap();
        for descriptor in &tile.descriptors {
            for &(what, change) in changes {
                let what = format!("{what}: {} of {}", descriptor.number, tile.place);
                mistakes.push((what, Mutation::descriptor((column, row), descriptor.number, change)));
            }
        }
    }
    mistakes
}

#[test]
fn no_mistake_of_a_transfer_goes_unnoticed() {
    for operation in [Operation::LinearInt8, Operation::LayerNorm, Operation::Attention] {
        let mut mistakes = Vec::new();
        for (index, command) in operation.sequence().commands.iter().enumerate() {
            let Command::Configure { column: 1, descriptor, .. } = command else { continue };
            for (what, change) in OF_A_TRANSFER {
                // What runs once, or at the same place each time, has no step.
                if what != "runs elsewhere" || descriptor.iteration.is_some() {
                    mistakes.push((format!("{what}: {index} {command:?}"), Mutation::sent(index, change)));
                }
            }
        }
        assert!(mistakes.len() > 10);
        assert_noticed(mistakes, operation);
    }
}
