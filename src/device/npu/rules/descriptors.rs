//! Descriptors of memory tiles and cores.

use super::super::design::Tile;
use super::super::target::WORD_BYTES;
use super::{Violation, pattern};

pub(super) fn check(tile: &Tile, violations: &mut Vec<Violation>) {
    let place = tile.place;
    let limits = place.kind().limits();
    for (index, descriptor) in tile.descriptors.iter().enumerate() {
        let number = descriptor.number;
        let user = format!("descriptor {number} of {place}");
        if number >= limits.descriptors {
            violations.push(Violation::DescriptorNumber { place, number, limit: limits.descriptors });
        }
        if tile.descriptors[..index].iter().any(|other| other.number == number) {
            violations.push(Violation::DescriptorTwice { place, number });
        }
        pattern::check(&user, &limits, descriptor.length_words, &descriptor.dimensions, violations);
        if descriptor.offset_bytes % WORD_BYTES != 0 {
            violations.push(Violation::Offset { user: user.clone(), offset_bytes: descriptor.offset_bytes as u64 });
        }
        match tile.buffers.get(descriptor.buffer) {
            Some(buffer) => {
                let span = pattern::span_bytes(descriptor.length_words, &descriptor.dimensions);
                let (end, bytes) = (descriptor.offset_bytes as u64 + span, buffer.bytes as u64);
                if end > bytes {
                    violations.push(Violation::Range { user, buffer: buffer.name.clone(), end, bytes });
                }
            }
            None => {
                let (buffer, count) = (descriptor.buffer, tile.buffers.len());
                violations.push(Violation::DescriptorBuffer { place, number, buffer, count });
            }
        }
        if let Some(next) = descriptor.next
            && tile.descriptors.iter().all(|other| other.number != next)
        {
            violations.push(Violation::Next { place, number, next });
        }
    }
}
