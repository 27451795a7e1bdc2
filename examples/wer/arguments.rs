//! The command line of `wer`.

use std::{path::PathBuf, time::Duration};

use gstwhispernpu::{commit::Policy, decoder::Options, scheduler::Placement, segment::Limits, stream};
use lexopt::prelude::*;

use crate::{common::search, manifest::primary_language};

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
  --beam-size COUNT   texts that are followed at temperature 0, 1 to 8 [default: 1]
  --best-of COUNT     texts that are drawn above temperature 0 [default: 5]
  --patience FACTOR   times the beam size that texts have to end [default: 1]
  --length-penalty P  exponent of the length that texts are ranked by, 0 to 1; below 0 the mean [default: 0.6]
  --suppress-tokens LIST
                      numbers of tokens that are never written; -1 is the model's own list [default: -1]
  --temperatures LIST such as 0,0.4,0.8: a text that is rejected is written again at the next [default: 0]
  --fallback          short for --temperatures 0,0.2,0.4,0.6,0.8,1
  --vocabulary WORDS  words that are hard to spell, divided by commas
  --prompt TEXT       what was said before: spelling, style
  --condition-on-previous
                      keep to the text of the windows before
  --live POLICY       cut and commit as for a live stream: segment, local-agreement or align-att
  --latency-ms MS     how long somebody waits for the text of a live stream, as the element's latency [default: 8000]
  --no-voice          transcribe silence too, as if there were no voice activity detection
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
    pub options: Options,
    pub limits: Limits,
    pub policy: Policy,
    pub no_voice: bool,
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
        let (mut is_live, mut latency_ms) = (false, 8000);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("manifest") => manifest = Some(parser.value()?.into()),
                Long("model") => arguments.model = parser.value()?.string()?,
                Long("device") => arguments.placement.device = parser.value()?.parse()?,
                Long("npu-stages") => arguments.placement.stages = parser.value()?.parse()?,
                Long("precision") => arguments.placement.precision = Some(parser.value()?.parse()?),
                Long("threads") => arguments.placement.threads = parser.value()?.parse()?,
                Long("live") => (is_live, arguments.policy) = (true, parser.value()?.parse()?),
                Long("latency-ms") => latency_ms = parser.value()?.parse()?,
                Long("no-voice") => arguments.no_voice = true,
                Long("kind") => arguments.kinds.push(parser.value()?.string()?),
                Long("language") => arguments.languages.push(primary_language(&parser.value()?.string()?)),
                Long("clip") => arguments.clips.push(parser.value()?.string()?),
                Long("hypotheses") => arguments.hypotheses = Some(parser.value()?.into()),
                Long("score") => arguments.score = Some(parser.value()?.into()),
                Long("word-times") => arguments.word_times = true,
                Long(name) if search::is_switch(name) => search::switch(&mut arguments.options, name),
                Long(name) if search::takes_value(name) => {
                    let name = name.to_owned();
                    search::set(&mut arguments.options, &name, &parser.value()?.string()?)?;
                }
                Long("json") => arguments.json = Some(parser.value()?.into()),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        if is_live {
            let latency = Duration::from_millis(latency_ms);
            arguments.limits = stream::limits(arguments.policy, latency);
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
        assert_eq!(arguments.options, Options::default());
    }

    #[test]
    fn the_search_can_be_chosen() {
        let line = "--manifest m --beam-size 5 --temperatures 0,0.4 --best-of=3 --condition-on-previous --prompt Name";
        let options = parse(line).unwrap().unwrap().options;
        assert_eq!((options.beam_size, options.best_of, options.temperatures), (5, 3, vec![0.0, 0.4]));
        assert!(options.conditions_on_previous && options.prompt == "Name");
        assert_eq!(parse("--manifest m --fallback").unwrap().unwrap().options.temperatures, Options::ladder());
        assert!(parse("--manifest m --beam-size few").unwrap_err().to_string().contains("--beam-size few"));
    }

    #[test]
    fn mistakes_are_explained() {
        assert!(parse("--model base").unwrap_err().to_string().contains("--manifest"));
        assert!(parse("--manifest m --score a --hypotheses b").unwrap_err().to_string().contains("--hypotheses"));
        assert!(parse("--manifest m --word-times --json j").unwrap_err().to_string().contains("--word-times"));
        assert!(parse("--manifest m extra").is_err());
    }
}
