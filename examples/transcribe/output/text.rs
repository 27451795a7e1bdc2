//! Plain text: a line a cue.

use std::io::{self, Write};

use crate::common::recognise::Cue;

pub fn write_name(target: &mut impl Write, recording: &str) -> io::Result<()> {
    writeln!(target, "==> {recording} <==")
}

pub fn write_cue(target: &mut impl Write, cue: &Cue) -> io::Result<()> {
    writeln!(target, "{}", cue.text)
}
