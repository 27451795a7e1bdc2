//! The descriptors of a memory tile or a core, a block each.

use super::super::design::{Descriptor, LockUse, Tile};
use super::lines::Lines;
use super::names::{self, Element};

/// A tile's channels and descriptors; nothing if no channel starts by itself.
pub fn print(lines: &mut Lines, tile: &Tile) {
    let starts: Vec<_> =
        tile.channels.iter().filter_map(|channel| channel.first.map(|first| (channel, first))).collect();
    if starts.is_empty() {
        return;
    }
    let operation = names::dma(tile.place.kind());
    let (column, row) = (tile.place.column, tile.place.row);
    lines.open(format!("%{operation}_{column}_{row} = aie.{operation}({})", names::tile(tile.place)));
    for (index, (channel, first)) in starts.iter().enumerate() {
        if index > 0 {
            lines.label(&format!("^channel{index}"));
        }
        let then = if index + 1 < starts.len() { format!("^channel{}", index + 1) } else { "^end".to_owned() };
        let (direction, number) = (names::direction(channel.direction), channel.number);
        lines.line(format!("%channel{index} = aie.dma_start({direction}, {number}, ^bd{first}, {then})"));
    }
    let elements = names::elements(tile);
    for descriptor in &tile.descriptors {
        lines.label(&format!("^bd{}", descriptor.number));
        block(lines, tile, descriptor, elements[descriptor.buffer]);
    }
    lines.label("^end");
    lines.line("aie.end");
    lines.close("");
}

fn block(lines: &mut Lines, tile: &Tile, descriptor: &Descriptor, element: Element) {
    let Descriptor { number, buffer, offset_bytes, length_words, acquire, release, next, .. } = descriptor;
    let lock = |LockUse { lock, .. }: &LockUse| names::lock(tile, *lock);
    // The compiler knows only both uses or none (`configureLocksInBdBlock` in `lib/Targets/AIERT.cpp`): the missing one is an
    // acquisition that is not enabled, or a release of 0, which is none.
    match (acquire, release) {
        (Some(acquire), _) => {
            lines.line(format!("aie.use_lock({}, AcquireGreaterEqual, {})", lock(acquire), acquire.amount));
        }
        (None, Some(release)) => {
            lines.line(format!("aie.use_lock({}, AcquireGreaterEqual, 0) {{acq_en = false}}", lock(release)));
        }
        (None, None) => {}
    }
    let of = element.of(tile.buffers[*buffer].bytes);
    let (offset, length) = (offset_bytes / element.bytes(), length_words * (Element::Word.bytes() / element.bytes()));
    let dimensions = dimensions(descriptor, element);
    let buffer = names::buffer(tile, *buffer);
    lines.line(format!("aie.dma_bd({buffer} : {of}, {offset}, {length}{dimensions}) {{bd_id = {number} : i32}}"));
    match (acquire, release) {
        (_, Some(release)) => {
            lines.line(format!("aie.use_lock({}, Release, {})", lock(release), release.amount));
        }
        (Some(acquire), None) => lines.line(format!("aie.use_lock({}, Release, 0)", lock(acquire))),
        (None, None) => {}
    }
    let next = next.map_or("^end".to_owned(), |next| format!("^bd{next}"));
    lines.line(format!("aie.next_bd {next}"));
}

/// The address pattern in elements. Of bytes, the innermost dimension has to have a step of 1 (`DMABDOp::verify` in
/// `lib/Dialect/AIE/IR/AIEDialect.cpp`): a dimension of the bytes of a word is added, or becomes one with consecutive words.
fn dimensions(descriptor: &Descriptor, element: Element) -> String {
    if descriptor.dimensions.is_empty() {
        return String::new();
    }
    let scale = (Element::Word.bytes() / element.bytes()) as u32;
    let mut dimensions: Vec<(u32, u32)> =
        descriptor.dimensions.iter().map(|dimension| (dimension.wrap, dimension.step_words * scale)).collect();
    if element == Element::Byte {
        match dimensions.last_mut() {
            Some((wrap, step)) if *step == scale => (*wrap, *step) = (*wrap * scale, 1),
            _ => dimensions.push((scale, 1)),
        }
    }
    let each = dimensions.iter().map(|(size, stride)| format!("<size = {size}, stride = {stride}>"));
    format!(", [{}]", each.collect::<Vec<_>>().join(", "))
}
