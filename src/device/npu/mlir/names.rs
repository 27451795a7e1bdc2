//! What tiles, buffers and locks are called in the text, and the types of buffers.

use super::super::design::{Buffer, Direction, Operand, Place, Statement, Tile};
use super::super::target::{Kind, WORD_BYTES};

/// A tile's value.
pub fn tile(place: Place) -> String {
    format!("%tile_{}_{}", place.column, place.row)
}

/// A buffer's value, and without the sign its symbol.
pub fn buffer(tile: &Tile, index: usize) -> String {
    numbered("buffer", tile.place, index, &tile.buffers[index].name)
}

/// A lock's value, and without the sign its symbol.
pub fn lock(tile: &Tile, index: usize) -> String {
    numbered("lock", tile.place, index, &tile.locks[index].name)
}

/// The name is for the reader; the numbers make it unique.
fn numbered(what: &str, place: Place, index: usize, name: &str) -> String {
    let plain: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    format!("%{what}_{}_{}_{index}_{plain}", place.column, place.row)
}

/// Name of a channel's direction.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "S2MM",
        Direction::Out => "MM2S",
    }
}

/// Symbol of a channel of a shim tile.
pub fn shim_channel(place: Place, way: Direction, channel: usize) -> String {
    format!("@shim_{}_{}_{channel}", place.column, direction(way).to_lowercase())
}

/// What a buffer's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Word,
    /// For buffers of which there are views.
    Byte,
}

impl Element {
    pub fn bytes(self) -> usize {
        match self {
            Element::Word => WORD_BYTES,
            Element::Byte => 1,
        }
    }

    /// Type of so many bytes.
    pub fn of(self, bytes: usize) -> String {
        format!("memref<{}x{}>", bytes / self.bytes(), if self == Element::Word { "i32" } else { "i8" })
    }
}

/// Element of each of a tile's buffers: bytes if a kernel takes a part of it.
pub fn elements(tile: &Tile) -> Vec<Element> {
    let mut elements: Vec<Element> = tile.buffers.iter().map(whole).collect();
    let Some(core) = &tile.core else { return elements };
    visit(&core.body, &mut |statement| {
        let Statement::Call { kernel, operands, .. } = statement else { return };
        for (operand, taken) in operands.iter().zip(kernel.buffers()) {
            let (buffers, offset) = match operand {
                Operand::Buffer { buffer, offset_bytes } => (std::slice::from_ref(buffer), *offset_bytes),
                Operand::Ring(ring) => (&core.rings[*ring].buffers[..], 0),
            };
            if offset != 0 || buffers.iter().any(|&buffer| tile.buffers[buffer].bytes != taken.bytes) {
                buffers.iter().for_each(|&buffer| elements[buffer] = Element::Byte);
            }
        }
    });
    // The buffers of a ring are of one type.
    for ring in &core.rings {
        if ring.buffers.iter().any(|&buffer| elements[buffer] == Element::Byte) {
            ring.buffers.iter().for_each(|&buffer| elements[buffer] = Element::Byte);
        }
    }
    elements
}

fn whole(buffer: &Buffer) -> Element {
    if buffer.bytes.is_multiple_of(WORD_BYTES) { Element::Word } else { Element::Byte }
}

/// Every statement, those inside of others too.
pub fn visit<'a>(statements: &'a [Statement], see: &mut impl FnMut(&'a Statement)) {
    for statement in statements {
        see(statement);
        match statement {
            Statement::Repeat { body, .. } => visit(body, see),
            Statement::Select { cases, .. } => cases.iter().for_each(|case| visit(case, see)),
            Statement::Take(_) | Statement::Give(_) | Statement::Call { .. } => {}
        }
    }
}

/// Operation that holds the descriptors of a tile of this kind.
pub fn dma(kind: Kind) -> &'static str {
    if kind == Kind::Memory { "memtile_dma" } else { "mem" }
}
