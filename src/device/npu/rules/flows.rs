//! Streams: every channel belongs to one.

use std::collections::BTreeMap;

use super::super::design::{Design, Direction, Port};
use super::Violation;

pub(super) fn check(design: &Design, violations: &mut Vec<Violation>) {
    let mut counts: BTreeMap<(Port, Direction), usize> = BTreeMap::new();
    for tile in &design.tiles {
        for channel in &tile.channels {
            counts.insert((Port { place: tile.place, channel: channel.number }, channel.direction), 0);
        }
    }
    for flow in &design.flows {
        let Port { place, channel } = flow.source;
        if flow.destinations.is_empty() {
            violations.push(Violation::FlowEmpty { place, channel });
        }
        let ends = flow.destinations.iter().map(|port| (*port, Direction::In));
        for (port, direction) in ends.chain([(flow.source, Direction::Out)]) {
            match counts.get_mut(&(port, direction)) {
                Some(count) => *count += 1,
                None => violations.push(Violation::FlowEnd { place: port.place, direction, channel: port.channel }),
            }
        }
    }
    for ((Port { place, channel }, direction), count) in counts {
        if count != 1 {
            violations.push(Violation::ChannelFlows { place, direction, channel, count });
        }
    }
}
