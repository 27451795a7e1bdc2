//! Channels and the descriptors that they can use.

use super::super::design::{Channel, Tile};
use super::super::target::Kind;
use super::{Violation, chain};

pub(super) fn check(tile: &Tile, violations: &mut Vec<Violation>) {
    let place = tile.place;
    let limits = place.kind().limits();
    for (index, channel) in tile.channels.iter().enumerate() {
        let Channel { direction, number, first } = *channel;
        if number >= limits.channels {
            violations.push(Violation::ChannelNumber { place, direction, channel: number, limit: limits.channels });
        }
        if tile.channels[..index].iter().any(|other| (other.direction, other.number) == (direction, number)) {
            violations.push(Violation::ChannelTwice { place, direction, channel: number });
        }
        // The shim's begin by command.
        let named = first.is_some_and(|first| tile.descriptors.iter().any(|descriptor| descriptor.number == first));
        if if place.kind() == Kind::Shim { first.is_some() } else { !named } {
            violations.push(Violation::First { place, direction, channel: number, first });
        }
        if place.kind() == Kind::Memory {
            let half = limits.descriptors / 2;
            for descriptor in chain(tile, first).into_iter().map(|index| tile.descriptors[index].number) {
                if (descriptor >= half) != (number % 2 == 1) {
                    let violation = Violation::DescriptorHalf { place, direction, channel: number, number: descriptor };
                    violations.push(violation);
                }
            }
        }
    }
}
