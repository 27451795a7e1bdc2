//! The command line of `transcribe`.

use std::path::PathBuf;

use gstwhispernpu::{
    decoder::{Options, Task},
    scheduler::Placement,
};
use lexopt::prelude::*;

use crate::{common::search, output::Format};

/// What `--help` prints.
pub const USAGE: &str = "\
Transcribes WAV and FLAC files with Whisper.

Usage: transcribe [OPTIONS] FILE...

Options:
  -m, --model MODEL        model folder or file, or a name such as base [default: tiny.en]
  -l, --language LANGUAGE  language code such as en or pt-BR, or auto to detect it
                           [default: auto, or en for an English-only model]
  -t, --task TASK          transcribe, or translate into English [default: transcribe]
  -p, --precision NUMBERS  f32, bf16 or int8 [default: the fastest that keeps f32's error rate]
      --device NAME        auto, cpu or npu-emulator [default: auto]
      --npu-stages NAMES   stages on the array, of mel+encoder+decoder [default: mel+encoder]
      --threads COUNT      threads of the device [default: one a processor]
      --beam-size COUNT    texts that are followed at temperature 0, 1 to 8 [default: 1]
      --best-of COUNT      texts that are drawn above temperature 0 [default: 5]
      --patience FACTOR    times the beam size that texts have to end [default: 1]
      --length-penalty P   exponent of the length that texts are ranked by, 0 to 1; below 0 the mean [default: 0.6]
      --suppress-tokens LIST
                           numbers of tokens that are never written; -1 is the model's own list [default: -1]
      --temperatures LIST  such as 0,0.4,0.8: a text that is rejected is written again at the next
                           [default: 0]
      --fallback           short for --temperatures 0,0.2,0.4,0.6,0.8,1
      --vocabulary WORDS   words that are hard to spell, divided by commas
      --prompt TEXT        what was said before: spelling, style
      --condition-on-previous
                           keep to the text of the windows before
  -f, --format FORMAT      text, srt, vtt or json [default: text]
  -w, --words              write each word with its time and probability, in text or JSON
  -o, --output FILE        write there instead of to standard output
  -h, --help               print this
";

/// A parsed command line.
#[derive(Debug)]
pub struct Arguments {
    pub model: String,
    pub placement: Placement,
    pub language: Option<String>,
    pub options: Options,
    pub format: Format,
    pub output: Option<PathBuf>,
    pub files: Vec<PathBuf>,
}

impl Arguments {
    /// `None` asks for the usage.
    pub fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self {
            model: "tiny.en".into(),
            placement: Placement::default(),
            language: None,
            options: Options::default(),
            format: Format::Text,
            output: None,
            files: Vec::new(),
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Short('m') | Long("model") => arguments.model = parser.value()?.string()?,
                Short('l') | Long("language") => arguments.language = Some(parser.value()?.string()?),
                Short('t') | Long("task") => arguments.options.task = parser.value()?.parse_with(task)?,
                Long("device") => arguments.placement.device = parser.value()?.parse()?,
                Long("npu-stages") => arguments.placement.stages = parser.value()?.parse()?,
                Short('p') | Long("precision") => arguments.placement.precision = Some(parser.value()?.parse()?),
                Long("threads") => arguments.placement.threads = parser.value()?.parse()?,
                Short('f') | Long("format") => arguments.format = parser.value()?.parse()?,
                Short('w') | Long("words") => arguments.options.words = true,
                Long(name) if search::is_switch(name) => search::switch(&mut arguments.options, name),
                Long(name) if search::takes_value(name) => {
                    let name = name.to_owned();
                    search::set(&mut arguments.options, &name, &parser.value()?.string()?)?;
                }
                Short('o') | Long("output") => arguments.output = Some(parser.value()?.into()),
                Short('h') | Long("help") => return Ok(None),
                Value(file) => arguments.files.push(file.into()),
                other => return Err(other.unexpected()),
            }
        }
        arguments.check().map(Some)
    }

    fn check(self) -> Result<Self, lexopt::Error> {
        match (self.files.len(), self.format) {
            (0, _) => Err("expected at least one FILE to transcribe".into()),
            (2.., Format::Srt | Format::Vtt) => {
                Err("subtitles belong to one recording: give a single FILE, or --format text or json".into())
            }
            (_, Format::Srt | Format::Vtt) if self.options.words => {
                Err("subtitles have no words apart: give --format text or json with --words".into())
            }
            _ => Ok(self),
        }
    }
}

fn task(name: &str) -> Result<Task, String> {
    match name {
        "transcribe" => Ok(Task::Transcribe),
        "translate" => Ok(Task::Translate),
        _ => Err("expected transcribe or translate".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, lexopt::Error> {
        Arguments::parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn options_may_stand_anywhere() {
        let arguments = parse("a.wav --format=json -o out.json b.flac -mbase --task translate -l de").unwrap().unwrap();
        assert_eq!(arguments.files, [PathBuf::from("a.wav"), PathBuf::from("b.flac")]);
        assert_eq!(arguments.format, Format::Json);
        assert_eq!(arguments.output, Some("out.json".into()));
        assert_eq!((arguments.model.as_str(), arguments.language.as_deref()), ("base", Some("de")));
        assert!(matches!(arguments.options.task, Task::Translate));
    }

    #[test]
    fn mistakes_are_explained() {
        for (line, expected) in [
            ("", "at least one FILE"),
            ("--format srt a.wav b.wav", "single FILE"),
            ("--format doc a.wav", "text, srt, vtt or json"),
            ("--format srt --words a.wav", "text or json with --words"),
            ("--task sing a.wav", "transcribe or translate"),
            ("--colour a.wav", "--colour"),
        ] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(expected), "{line}: {message}");
        }
        assert!(parse("--help").unwrap().is_none());
    }
}
