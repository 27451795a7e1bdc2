//! JSON: one object a recording.

use std::io::{self, Write};

use gstwhispernpu::stream::CueWord;
use serde::Serialize;

use crate::common::{audio::SAMPLE_RATE, recognise::Cue};

#[derive(Serialize)]
struct Transcript<'a> {
    file: &'a str,
    seconds: f64,
    text: String,
    segments: Vec<Segment<'a>>,
}

#[derive(Serialize)]
struct Segment<'a> {
    start: f64,
    end: f64,
    text: &'a str,
    language: &'a str,
    log_probability: f32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    words: Vec<Word<'a>>,
}

#[derive(Serialize)]
struct Word<'a> {
    start: f64,
    end: f64,
    /// With the space before it.
    text: &'a str,
    probability: f32,
}

pub fn write_recording(target: &mut impl Write, file: &str, samples: u64, cues: &[Cue]) -> io::Result<()> {
    let segments = cues.iter().map(|cue| Segment {
        start: seconds(cue.start_samples),
        end: seconds(cue.end_samples),
        text: &cue.text,
        language: &cue.language,
        log_probability: cue.average_log_probability,
        words: cue.words.iter().map(word).collect(),
    });
    let transcript = Transcript {
        file,
        seconds: seconds(samples),
        text: cues.iter().map(|cue| cue.text.as_str()).collect::<Vec<_>>().join(" "),
        segments: segments.collect(),
    };
    serde_json::to_writer(&mut *target, &transcript)?;
    target.write_all(b"\n")
}

fn word(word: &CueWord) -> Word<'_> {
    Word {
        start: seconds(word.start_samples),
        end: seconds(word.end_samples),
        text: &word.text,
        probability: word.probability,
    }
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}
