//! WebVTT (W3C): a header, then the times, the text and an empty line for each cue.

use std::io::{self, Write};

use super::time::{Clock, interval};
use crate::common::recognise::Cue;

pub fn write_header(target: &mut impl Write) -> io::Result<()> {
    target.write_all(b"WEBVTT\n\n")
}

pub fn write_cue(target: &mut impl Write, cue: &Cue) -> io::Result<()> {
    let (start, end) = interval(cue);
    let (start, end) = (Clock(start, '.'), Clock(end, '.'));
    write!(target, "{start} --> {end}\n{}\n\n", escape(&cue.text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
