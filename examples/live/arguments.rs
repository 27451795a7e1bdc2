//! The command line of `live`.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::{
    manifest::{self, Clip, primary_language},
    programme::Plan,
};

/// What `--help` prints.
pub const USAGE: &str = "\
Plays recordings to whispernpu as a live source does and prints, as JSON, when its text left.

Usage: live [OPTIONS] --manifest FILE

The manifest is that of the example wer. What is printed: delays of words, from their end to the buffer with their text; how
long after the first word behind a pause of a second something was told of it; the processor time in cores; the memory.
A line a minute on standard error.

Options:
  --manifest FILE     recordings
  --model MODEL       model folder or file, or a name such as base [default: tiny.en]
  --policy POLICY     segment, local-agreement or align-att [default: segment]
  --latency-ms MS     the element's latency [default: 8000]
  --kind KIND         only clips of this kind; may be repeated
  --language CODE     only clips in this language [default: en]
  --clip ID           only this clip; may be repeated
  --pause-s FROM:TO   pauses between clips; behind more than 3 s a window begins anew [default: 0.2:2]
  --minutes MINUTES   play so long, beginning again [default: each clip once]
  --flush-s SECONDS   flush the pipeline this often [default: never]
  --hog FROM:TO       keep all processors busy between these minutes [default: never]
  --hypotheses FILE   write what was recognised, as lines of id<TAB>text
  --help              print this
";

/// A parsed command line.
#[derive(Debug, Default)]
pub struct Arguments {
    manifest: PathBuf,
    pub model: String,
    pub policy: String,
    pub latency_ms: u32,
    kinds: Vec<String>,
    language: String,
    ids: Vec<String>,
    pub plan: Plan,
    pub hypotheses: Option<PathBuf>,
}

impl Arguments {
    /// `None` asks for the usage.
    pub fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self {
            model: "tiny.en".into(),
            policy: "segment".into(),
            latency_ms: 8000,
            language: "en".into(),
            ..Self::default()
        };
        let mut manifest = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("manifest") => manifest = Some(parser.value()?.into()),
                Long("model") => arguments.model = parser.value()?.string()?,
                Long("policy") => arguments.policy = parser.value()?.string()?,
                Long("latency-ms") => arguments.latency_ms = parser.value()?.parse()?,
                Long("kind") => arguments.kinds.push(parser.value()?.string()?),
                Long("language") => arguments.language = primary_language(&parser.value()?.string()?),
                Long("clip") => arguments.ids.push(parser.value()?.string()?),
                Long("pause-s") => arguments.plan.pause_s = span(&parser.value()?.string()?)?,
                Long("minutes") => arguments.plan.minutes = Some(parser.value()?.parse()?),
                Long("flush-s") => arguments.plan.flush_s = Some(parser.value()?.parse()?),
                Long("hog") => arguments.plan.hog = Some(span(&parser.value()?.string()?)?),
                Long("hypotheses") => arguments.hypotheses = Some(parser.value()?.into()),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        arguments.manifest = manifest.ok_or("expected --manifest FILE")?;
        Ok(Some(arguments))
    }

    /// The clips that were asked for.
    pub fn clips(&self) -> Result<Vec<Clip>, String> {
        let is_in = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        let mut clips = manifest::read(&self.manifest)?;
        clips.retain(|clip| {
            is_in(&self.kinds, &clip.kind) && is_in(&self.ids, &clip.id) && clip.language == self.language
        });
        if clips.is_empty() {
            Err("no clip is left: expected others in --kind, --clip or --language".into())
        } else {
            Ok(clips)
        }
    }
}

/// Two numbers with a colon between.
fn span(text: &str) -> Result<(f64, f64), lexopt::Error> {
    let parsed = text.split_once(':').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    parsed
        .filter(|(from, to)| from < to)
        .ok_or_else(|| format!("expected FROM:TO, two numbers, the lesser first, but got {text:?}").into())
}
