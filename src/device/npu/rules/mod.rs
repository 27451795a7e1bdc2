//! The hardware's limits, checked on a design and on a sequence before anything runs.
//!
//! `violation.rs` has the rules as sentences; the other files check those of one noun each.

mod buffers;
mod channels;
mod cores;
mod descriptors;
mod flows;
mod locks;
mod pattern;
mod sections;
mod sequence;
mod violation;

use std::collections::BTreeSet;

use super::design::{Design, Direction, Sequence, Tile};
use super::target::Target;

pub use sections::{FRAME_BYTES, Frame, Sections, check_sections};
pub use violation::Violation;

/// Checks a design. Errors: all rules that it breaks.
pub fn check(design: &Design) -> Result<(), Vec<Violation>> {
    let mut violations = Vec::new();
    let mut places = BTreeSet::new();
    for tile in &design.tiles {
        let place = tile.place;
        let (columns, rows) = (design.target.columns, design.target.rows());
        if place.column >= columns || place.row >= rows {
            violations.push(Violation::Place { place, columns, rows });
            continue;
        }
        if !places.insert(place) {
            violations.push(Violation::PlaceTwice { place });
        }
        buffers::check(tile, &mut violations);
        locks::check(tile, &mut violations);
        descriptors::check(tile, &mut violations);
        channels::check(tile, &mut violations);
        cores::check(tile, &mut violations);
    }
    flows::check(design, &mut violations);
    result(violations)
}

/// Checks a sequence for a design, over DDR buffers of these sizes. Errors: all rules that it breaks.
pub fn check_sequence(design: &Design, sequence: &Sequence, ddr_bytes: &[u64]) -> Result<(), Vec<Violation>> {
    result(sequence::check(design, sequence, ddr_bytes))
}

/// Checks the number of hardware contexts that are wanted at a time.
pub fn check_contexts(target: &Target, count: usize) -> Result<(), Violation> {
    let limit = target.contexts;
    if count > limit { Err(Violation::Contexts { count, limit }) } else { Ok(()) }
}

fn result(violations: Vec<Violation>) -> Result<(), Vec<Violation>> {
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

/// Positions of the descriptors that a channel comes to.
fn chain(tile: &Tile, first: Option<usize>) -> Vec<usize> {
    let position = |number: usize| tile.descriptors.iter().position(|descriptor| descriptor.number == number);
    let mut chain = Vec::new();
    let mut next = first.and_then(position);
    while let Some(index) = next.filter(|index| !chain.contains(index)) {
        chain.push(index);
        next = tile.descriptors[index].next.and_then(position);
    }
    chain
}

/// A channel's name in messages.
fn channel_name(direction: Direction, channel: usize) -> String {
    format!("channel {direction:?} {channel}")
}
