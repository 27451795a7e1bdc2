//! Buffers: inside the memory, of whole words, beside each other and the stack.

use super::super::design::Tile;
use super::super::target::WORD_BYTES;
use super::Violation;

pub(super) fn check(tile: &Tile, violations: &mut Vec<Violation>) {
    let place = tile.place;
    let memory_bytes = place.kind().limits().memory_bytes;
    let stack_bytes = tile.core.as_ref().map_or(0, |core| core.stack_bytes);
    for (index, buffer) in tile.buffers.iter().enumerate() {
        let name = || buffer.name.clone();
        let end = buffer.address.saturating_add(buffer.bytes);
        if end > memory_bytes {
            violations.push(Violation::BufferEnd { place, buffer: name(), end, bytes: memory_bytes });
        }
        if buffer.address % WORD_BYTES != 0 || buffer.bytes % WORD_BYTES != 0 || buffer.bytes == 0 {
            let (address, bytes) = (buffer.address, buffer.bytes);
            violations.push(Violation::BufferWords { place, buffer: name(), address, bytes });
        }
        if buffer.address < stack_bytes {
            violations.push(Violation::BufferStack { place, buffer: name(), address: buffer.address, stack_bytes });
        }
        for other in &tile.buffers[..index] {
            if other.name == buffer.name {
                violations.push(Violation::NameTwice { place, name: name() });
            }
            if other.address < end && buffer.address < other.address.saturating_add(other.bytes) {
                violations.push(Violation::BufferOverlap { place, first: other.name.clone(), second: name() });
            }
        }
    }
}
