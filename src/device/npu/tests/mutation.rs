//! One part made wrong, and what notices it.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::design::{Command, Descriptor, Design, Place, Sequence, ShimDescriptor, Tile};
use super::super::emulator::DdrMemory;
use super::super::overlay::overlay;
use super::super::target::Target;
use super::operation::Operation;

/// What notices that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// Rules, before anything runs.
    Rule,
    /// The emulator, while it runs.
    Fault,
    /// The results: they are not those of the bit-exact twin any more.
    Data,
}

/// What is made wrong.
#[derive(Clone)]
pub enum Mutation {
    Design(Change<Design>),
    Sequence(Change<Sequence>),
    Memory(Change<[DdrMemory]>),
}

type Change<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// Results of operations with nothing wrong.
#[derive(Default)]
pub struct Right(HashMap<&'static str, Vec<u32>>);

impl Mutation {
    /// Of the design.
    pub fn design(change: impl Fn(&mut Design) + Send + Sync + 'static) -> Self {
        Self::Design(Arc::new(change))
    }

    /// Of a tile.
    pub fn tile(column: usize, row: usize, change: impl Fn(&mut Tile) + Send + Sync + 'static) -> Self {
        Self::design(move |design| {
            let tile = design.tiles.iter_mut().find(|tile| tile.place == Place { column, row });
            change(tile.unwrap());
        })
    }

    /// Of a descriptor by its number.
    pub fn descriptor(
        (column, row): (usize, usize),
        number: usize,
        change: impl Fn(&mut Descriptor) + Send + Sync + 'static,
    ) -> Self {
        Self::tile(column, row, move |tile| {
            change(tile.descriptors.iter_mut().find(|descriptor| descriptor.number == number).unwrap());
        })
    }

    /// Of a lock's start.
    pub fn lock(column: usize, row: usize, name: &'static str, initial: i8) -> Self {
        Self::tile(column, row, move |tile| {
            tile.locks.iter_mut().find(|lock| lock.name == name).unwrap().initial = initial;
        })
    }

    /// Of the commands.
    pub fn sequence(change: impl Fn(&mut Sequence) + Send + Sync + 'static) -> Self {
        Self::Sequence(Arc::new(change))
    }

    /// Of a descriptor that is sent, by its command's position.
    pub fn sent(command: usize, change: impl Fn(&mut ShimDescriptor) + Send + Sync + 'static) -> Self {
        Self::sequence(move |sequence| match &mut sequence.commands[command] {
            Command::Configure { descriptor, .. } => change(descriptor),
            other => panic!("{other:?} is no descriptor"),
        })
    }

    /// Of a word in the DDR buffer of headers.
    pub fn header(word: usize, change: impl Fn(i32) -> i32 + Send + Sync + 'static) -> Self {
        Self::Memory(Arc::new(move |ddr| {
            let bytes = ddr[1].bytes()[4 * word..][..4].try_into().unwrap();
            let (before, after) = (i32::from_le_bytes(bytes), change(i32::from_le_bytes(bytes)));
            assert!(before != after, "word {word} was {after} before");
            ddr[1].write(4 * word, &after.to_le_bytes());
        }))
    }

    fn run(&self, operation: Operation) -> Result<Vec<u32>, String> {
        let mut design = overlay(Target::NPU1);
        match self.clone() {
            Self::Design(change) => {
                let before = design.clone();
                change(&mut design);
                assert!(design != before, "nothing was changed");
                operation.run(design, Box::new(|_, _| {}))
            }
            Self::Sequence(change) => operation.run(
                design,
                Box::new(move |sequence, _| {
                    let before = sequence.clone();
                    change(sequence);
                    assert!(*sequence != before, "nothing was changed");
                }),
            ),
            Self::Memory(change) => operation.run(design, Box::new(move |_, ddr| change(ddr))),
        }
    }

    /// What notices it, if anything does, and what it says.
    pub fn caught(&self, operation: Operation, right: &Right) -> (Option<Caught>, String) {
        match self.run(operation) {
            Ok(results) if results == right.0[operation.name()] => (None, "nobody noticed".to_owned()),
            Ok(_) => (Some(Caught::Data), "the results are others".to_owned()),
            Err(sentence) if sentence.contains("rules are broken") => (Some(Caught::Rule), sentence),
            Err(sentence) => (Some(Caught::Fault), sentence),
        }
    }
}

impl Right {
    pub fn of(operations: &[Operation]) -> Self {
        let run = |operation: &Operation| operation.run(overlay(Target::NPU1), Box::new(|_, _| {})).unwrap();
        Self(operations.iter().map(|operation| (operation.name(), run(operation))).collect())
    }
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::LongLinear => "long linear",
            Self::LinearInt8 => "linear in int8",
            Self::LayerNorm => "layer norm",
            Self::Attention => "attention",
            Self::NormedLinear => "layer norm and linear",
        }
    }
}
