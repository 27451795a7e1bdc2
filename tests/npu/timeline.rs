//! A run's timeline and its drawing.

use gstwhispernpu::device::npu::emulator::{Activity, DdrMemory, Row};

use super::workshop::*;

#[test]
fn a_timeline_is_drawn_the_same_each_time() {
    let bytes = 8 * OBJECT;
    let mut drawings = Vec::new();
    for threads in [1, 2] {
        let mut emulator = emulator(copy_design(), threads);
        emulator.record(true);
        let mut ddr = [DdrMemory::from_bytes(sample(bytes)), DdrMemory::new(bytes)];
        let report = emulator.run(&copy_sequence(bytes), &mut ddr).unwrap();
        let timeline = emulator.timeline().unwrap();
        let calls: Vec<_> = timeline.intervals.iter().filter(|one| matches!(one.activity, Activity::Call(_))).collect();
        assert_eq!(calls.len(), 8);
        assert!(calls.iter().all(|call| call.row == Row::Core(place(0, 2)) && call.end_cycles <= report.cycles));
        drawings.push(timeline.svg(0));
    }
    assert!(drawings[0] == drawings[1]);
    for words in ["width=\"1200\"", "copy_object", "transfer", "µs", "core (0, 2)", "shim 0 out 0", "memory 0 in 1"] {
        assert!(drawings[0].contains(words), "{words}");
    }
    assert!(drawings[0].len() < 20_000, "{}", drawings[0].len());
}
