//! The text as a whole: a device with tiles, flows, functions, programs and the commands of a run.

use std::collections::BTreeMap;

use super::super::design::{Design, Flow, Place, Port, Sequence, Statement, Tile};
use super::super::instructions::{CONTROLLER, CommandError};
use super::super::kernels::Kernel;
use super::super::target::Kind;
use super::lines::Lines;
use super::{core, dma, names, sequence};

/// Object file with all kernels that the compiler links to every core.
pub const KERNELS_OBJECT: &str = "kernels.o";

/// The text of a design, with the commands of a run or without. The same design has the same text.
///
/// Error: a command with a number that the hardware has no bits for. Panics if the design names a buffer, lock, ring or
/// parameter that it does not have.
pub fn print(design: &Design, commands: Option<&Sequence>) -> Result<String, CommandError> {
    let mut lines = Lines::default();
    lines.open("module");
    lines.open(format!("aie.device({})", design.target.device()));
    design.tiles.iter().for_each(|tile| declaration(&mut lines, tile));
    design.flows.iter().for_each(|flow| streams(&mut lines, flow));
    for (name, kernel) in called(design) {
        let attributes = format!("attributes {{link_with = \"{KERNELS_OBJECT}\"}}");
        lines.line(format!("func.func private @{name}({}) {attributes}", core::arguments(kernel).join(", ")));
    }
    for tile in &design.tiles {
        match tile.place.kind() {
            Kind::Shim => allocations(&mut lines, tile),
            Kind::Memory | Kind::Core => dma::print(&mut lines, tile),
        }
        if let Some(program) = &tile.core {
            core::print(&mut lines, tile, program);
        }
    }
    if let Some(commands) = commands {
        sequence::print(&mut lines, commands, design.target)?;
    }
    lines.close("");
    lines.close("");
    Ok(lines.into_text())
}

/// A tile with its buffers and locks.
fn declaration(lines: &mut Lines, tile: &Tile) {
    let Place { column, row } = tile.place;
    let value = names::tile(tile.place);
    let attributes = match tile.place.kind() {
        // The compiler would choose the same, but a run's words depend on it.
        Kind::Shim => format!(" {{controller_id = #aie.packet_info<pkt_type = 0, pkt_id = {CONTROLLER}>}}"),
        Kind::Memory | Kind::Core => String::new(),
    };
    lines.line(format!("{value} = aie.tile({column}, {row}){attributes}"));
    let elements = names::elements(tile);
    for (index, buffer) in tile.buffers.iter().enumerate() {
        let (name, of) = (names::buffer(tile, index), elements[index].of(buffer.bytes));
        let attributes = format!("{{address = {} : i32, sym_name = \"{}\"}}", buffer.address, &name[1..]);
        lines.line(format!("{name} = aie.buffer({value}) {attributes} : {of}"));
    }
    for (index, lock) in tile.locks.iter().enumerate() {
        let name = names::lock(tile, index);
        let attributes = format!("{{init = {} : i32, sym_name = \"{}\"}}", lock.initial, &name[1..]);
        lines.line(format!("{name} = aie.lock({value}, {index}) {attributes}"));
    }
}

/// A flow for each destination; those of one source are one stream.
fn streams(lines: &mut Lines, flow: &Flow) {
    for destination in &flow.destinations {
        let port = |port: &Port| format!("{}, DMA : {}", names::tile(port.place), port.channel);
        lines.line(format!("aie.flow({}, {})", port(&flow.source), port(destination)));
    }
}

fn allocations(lines: &mut Lines, tile: &Tile) {
    for channel in &tile.channels {
        let symbol = names::shim_channel(tile.place, channel.direction, channel.number);
        let (value, direction) = (names::tile(tile.place), names::direction(channel.direction));
        lines.line(format!("aie.shim_dma_allocation {symbol} ({value}, {direction}, {})", channel.number));
    }
}

/// Kernels that a core calls, by name.
fn called(design: &Design) -> BTreeMap<&'static str, Kernel> {
    let mut kernels = BTreeMap::new();
    for core in design.tiles.iter().filter_map(|tile| tile.core.as_ref()) {
        names::visit(&core.body, &mut |statement| {
            if let Statement::Call { kernel, .. } = statement {
                kernels.insert(kernel.name(), *kernel);
            }
        });
    }
    kernels
}
