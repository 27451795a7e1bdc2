//! The number of threads changes nothing but the time it takes.

use gstwhispernpu::device::npu::design::{Command, Design, Sequence};
use gstwhispernpu::device::npu::emulator::DdrMemory;

use super::workshop::*;

/// The copy design in each of four columns.
pub fn columns() -> Design {
    let mut design = copy_design();
    for column in 1..4 {
        let one = copy_design();
        design.tiles.extend(one.tiles.into_iter().map(|mut tile| {
            tile.place.column = column;
            tile
        }));
        design.flows.extend(one.flows.into_iter().map(|mut flow| {
            flow.source.place.column = column;
            flow.destinations.iter_mut().for_each(|port| port.place.column = column);
            flow
        }));
    }
    design
}

/// So many bytes through each of the columns, at the same time.
fn in_columns(bytes: usize) -> Sequence {
    let mut commands = Vec::new();
    for waits in [false, true] {
        for mine in 0..4 {
            let there = contiguous(0, (mine * bytes) as u64, bytes);
            let back = contiguous(1, (mine * bytes) as u64, bytes);
            for mut command in there_and_back(there, back).commands {
                let (Command::Configure { column, .. } | Command::Start { column, .. } | Command::Wait { column, .. }) =
                    &mut command;
                *column = mine;
                if matches!(command, Command::Wait { .. }) == waits {
                    commands.push(command);
                }
            }
        }
    }
    Sequence { commands }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let bytes = 20 * OBJECT;
    let input = sample(4 * bytes);
    let sequence = in_columns(bytes);
    let mut reports = Vec::new();
    for threads in 1..4 {
        let mut ddr = [DdrMemory::from_bytes(input.clone()), DdrMemory::new(input.len())];
        reports.push(emulator(columns(), threads).run(&sequence, &mut ddr).unwrap());
        assert!(ddr[1].bytes() == input);
    }
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert_eq!(reports[0].busy_cycles.len(), 4);
}
