//! A core: its constants, and its program in a loop without end.

use super::super::design::{CoreProgram, Tile};
use super::super::kernels::Kernel;
use super::lines::Lines;
use super::names::{self, Element};
use super::statements::{Scope, Writer};

/// Rounds of the loop around a program: those of IRON's workers (`sys.maxsize`), after which nobody will be waiting.
const WITHOUT_END: i64 = i64::MAX;

/// A core's program.
pub fn print(lines: &mut Lines, tile: &Tile, program: &CoreProgram) {
    let (column, row) = (tile.place.column, tile.place.row);
    lines.open(format!("%core_{column}_{row} = aie.core({})", names::tile(tile.place)));
    let mut writer = Writer::new(tile, program, lines.depth());
    let scope = Scope::new(program, writer.index(0));
    let end = writer.index(WITHOUT_END);
    writer.repeat(&scope, &end, &program.body, false);
    for (value, constant) in writer.constants() {
        lines.line(format!("{value} = arith.constant {constant}"));
    }
    lines.append(writer.lines());
    lines.line("aie.end");
    lines.close(&format!(" {{stack_size = {} : i32}}", program.stack_bytes));
}

/// Types of a kernel's arguments.
pub fn arguments(kernel: Kernel) -> Vec<String> {
    let buffers = kernel.buffers().iter().map(|buffer| Element::Word.of(buffer.bytes));
    buffers.chain(kernel.scalars().iter().map(|_| "i32".to_owned())).collect()
}
