//! SubRip: a number, the times, the text and an empty line for each cue.

use std::io::{self, Write};

use super::time::{Clock, interval};
use crate::common::recognise::Cue;

/// SubRip has no escapes, so an arrow in the text, which readers take for a line of times, is shortened.
pub fn write_cue(target: &mut impl Write, number: u64, cue: &Cue) -> io::Result<()> {
    let (start, end) = interval(cue);
    let (start, end) = (Clock(start, ','), Clock(end, ','));
    write!(target, "{number}\n{start} --> {end}\n{}\n\n", cue.text.replace("-->", "->"))
}
