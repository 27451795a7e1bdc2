//! What a core's linked program may need.

use super::super::design::Tile;
use super::super::target::PROGRAM_BYTES;
use super::Violation;

/// Largest stack frame of a kernel: larger ones are a sign of arrays on the stack, which spill over into the buffers.
pub const FRAME_BYTES: usize = 512;

/// Sizes that the compiler reports of a core's program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// Bytes of all sections in the program memory.
    pub program_bytes: Vec<usize>,
    /// Functions that call each other, the outermost first.
    pub frames: Vec<Frame>,
}

/// A function's part of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name.
    pub function: String,
    /// Bytes that it takes.
    pub bytes: usize,
}

/// Checks the sizes of a tile's program. Errors: all rules that it breaks.
pub fn check_sections(tile: &Tile, sections: &Sections) -> Result<(), Vec<Violation>> {
    let place = tile.place;
    let mut violations = Vec::new();
    let bytes = sections.program_bytes.iter().sum();
    if bytes > PROGRAM_BYTES {
        violations.push(Violation::ProgramBytes { place, bytes, limit: PROGRAM_BYTES });
    }
    for frame in sections.frames.iter().filter(|frame| frame.bytes > FRAME_BYTES) {
        let (function, bytes) = (frame.function.clone(), frame.bytes);
        violations.push(Violation::FrameBytes { place, function, bytes, limit: FRAME_BYTES });
    }
    let bytes = sections.frames.iter().map(|frame| frame.bytes).sum();
    let stack_bytes = tile.core.as_ref().map_or(0, |core| core.stack_bytes);
    if bytes > stack_bytes {
        violations.push(Violation::StackBytes { place, bytes, stack_bytes });
    }
    super::result(violations)
}
