//! The command line of `wer`.

use std::path::PathBuf;

use gstwhispernpu::scheduler::Placement;
use lexopt::prelude::*;

use crate::manifest::primary_language;

/// What `--help` prints.
pub const USAGE: &str = "\
Measures the word error rate over a manifest of recordings.

Usage: wer [OPTIONS] --manifest FILE

The manifest is tab-separated with the columns id, file (relative to the manifest), language, reference, source and kind;
others may be there. Scores are counted after Whisper's normalisation of English and of other languages.

Options:
  --manifest FILE     recordings and references
  --model MODEL       model folder or file, or a name such as base [default: tiny.en]
  --precision NUMBERS f32, bf16 or int8 [default: the fastest that keeps f32's error rate]
  --device NAME       auto, cpu or npu-emulator [default: auto]
  --npu-stages NAMES  stages on the array, of mel+encoder+decoder [default: mel+encoder]
  --threads COUNT     threads of the device [default: one a processor]
  --kind KIND         only clips of this kind; may be repeated
  --language CODE     only clips in this language; may be repeated
  --clip ID           only this clip; may be repeated
  --hypotheses FILE   write what was recognised, as lines of id<TAB>text
  --score FILE        score such a file, from this or any other recogniser, and recognise nothing
  --word-times        measure when first words of pieces begin, where ID.segments.tsv beside a recording says it,
                      and score nothing
  --json FILE         write all scores, by group and by clip
  --help              print this
";

/// A parsed command line.
#[derive(Debug, Default)]
pub struct Arguments {
    pub manifest: PathBuf,
    pub model: String,
    pub placement: Placement,
    pub kinds: Vec<String>,
    pub languages: Vec<String>,
    pub clips: Vec<String>,
    pub hypotheses: Option<PathBuf>,
    pub score: Option<PathBuf>,
    pub word_times: bool,
    pub json: Option<PathBuf>,
}

impl Arguments {
    /// `None` asks for the usage.
    pub fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut arguments = Self { model: "tiny.en".into(), ..Self::default() };
        let mut manifest = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("manifest") => manifest = Some(parser.value()?.into()),
                Long("model") => arguments.model = parser.value()?.string()?,
                Long("device") => arguments.placement.device = parser.value()?.parse()?,
                Long("npu-stages") => arguments.placement.stages = parser.value()?.parse()?,
                Long("precision") => arguments.placement.precision = Some(parser.value()?.parse()?),
                Long("threads") => arguments.placement.threads = parser.value()?.parse()?,
                Long("kind") => arguments.kinds.push(parser.value()?.string()?),
                Long("language") => arguments.languages.push(primary_language(&parser.value()?.string()?)),
                Long("clip") => arguments.clips.push(parser.value()?.string()?),
                Long("hypotheses") => arguments.hypotheses = Some(parser.value()?.into()),
                Long("score") => arguments.score = Some(parser.value()?.into()),
                Long("word-times") => arguments.word_times = true,
                Long("json") => arguments.json = Some(parser.value()?.into()),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        arguments.manifest = manifest.ok_or("expected --manifest FILE")?;
        if arguments.score.is_some() && arguments.hypotheses.is_some() {
            return Err("--score recognises nothing, so there is nothing for --hypotheses to write".into());
        }
        let is_scored = arguments.score.is_some() || arguments.hypotheses.is_some() || arguments.json.is_some();
        if arguments.word_times && is_scored {
            return Err("--word-times scores nothing, so there is nothing for --score, --hypotheses or --json".into());
        }
        Ok(Some(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, lexopt::Error> {
        Arguments::parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn filters_may_be_repeated() {
        let arguments = parse("--manifest m.tsv --kind long --kind noise --language en-GB --clip a").unwrap().unwrap();
        assert_eq!(arguments.manifest, PathBuf::from("m.tsv"));
        assert_eq!(arguments.kinds, ["long", "noise"]);
        assert_eq!((arguments.languages, arguments.clips), (vec!["en".into()], vec!["a".into()]));
        assert_eq!(arguments.model, "tiny.en");
    }

    #[test]
    fn mistakes_are_explained() {
        assert!(parse("--model base").unwrap_err().to_string().contains("--manifest"));
        assert!(parse("--manifest m --score a --hypotheses b").unwrap_err().to_string().contains("--hypotheses"));
        assert!(parse("--manifest m --word-times --json j").unwrap_err().to_string().contains("--word-times"));
        assert!(parse("--manifest m extra").is_err());
    }
}
