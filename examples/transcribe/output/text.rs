//! Plain text: a line a cue, and below it one a word, if words were asked for.

use std::io::{self, Write};

use super::time::{Clock, milliseconds};
use crate::common::recognise::Cue;

pub fn write_name(target: &mut impl Write, recording: &str) -> io::Result<()> {
    writeln!(target, "==> {recording} <==")
}

pub fn write_cue(target: &mut impl Write, cue: &Cue) -> io::Result<()> {
    writeln!(target, "{}", cue.text)?;
    for word in &cue.words {
        let (start, end) = (Clock(milliseconds(word.start_samples), '.'), Clock(milliseconds(word.end_samples), '.'));
        writeln!(target, "  {start} {end} {:4.2} {}", word.probability, word.text.trim_start())?;
    }
    Ok(())
}
