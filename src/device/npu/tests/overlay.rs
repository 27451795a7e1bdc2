//! The overlay of both arrays.

use super::super::overlay::overlay;
use super::super::rules;
use super::super::target::Target;

#[test]
fn the_overlay_keeps_every_rule() {
    for target in [Target::NPU1, Target::NPU2] {
        let violations = rules::check(&overlay(target)).err().unwrap_or_default();
        let sentences: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(sentences.is_empty(), "{}: {}", target.device(), sentences.join("\n"));
    }
}

#[test]
fn every_core_and_every_stream_is_there() {
    for (target, cores) in [(Target::NPU1, 16), (Target::NPU2, 32)] {
        let design = overlay(target);
        assert_eq!(design.tiles.iter().filter(|tile| tile.core.is_some()).count(), cores);
        // To the memory tile, to the cores and out of the column, a result of each core, and two for each row of cores.
        assert_eq!(design.flows.len(), target.columns * (3 + target.core_rows) + 2 * target.core_rows);
    }
}
