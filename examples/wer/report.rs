//! Scores by kind and language, by source, and where nothing is said; as tables and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{common::audio::SAMPLE_RATE, edits::Edits, normalise::Unit, score::Score, table::Table};

/// Kinds of clips with native speech. What their English clips give together is the figure to compare models by.
const NATIVE_KINDS: [&str; 4] = ["utterance", "long", "dialogue", "conversation"];

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    by_kind: Vec<Group>,
    native_english: Option<Group>,
    by_source: Vec<Group>,
    nothing_said: Vec<Group>,
    speed: Option<Speed>,
    clips: Vec<ClipReport>,
}

/// How long recognition took.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Speed {
    /// Length of all clips.
    pub audio_seconds: f64,
    /// Wall time from a clip's first sample to its last word, summed.
    pub recognition_seconds: f64,
    /// Wall time until the model was ready.
    pub load_seconds: f64,
    /// Wall time of everything, file reading included.
    pub total_seconds: f64,
    /// For each word that got a time: what was heard behind it before it was final, in samples.
    #[serde(skip)]
    pub delays_samples: Vec<u64>,
}

impl Speed {
    /// Seconds of audio in a second; `None` before anything was recognised.
    pub fn times_real_time(&self) -> Option<f64> {
        (self.recognition_seconds > 0.0).then(|| self.audio_seconds / self.recognition_seconds)
    }

    /// Of so many hundredths of the words no more was heard, in seconds, before they were final.
    fn delay_seconds(&self, percent: usize) -> Option<f64> {
        let mut delays = self.delays_samples.clone();
        delays.sort_unstable();
        let last = delays.len().checked_sub(1)?;
        Some(delays[last * percent / 100] as f64 / f64::from(SAMPLE_RATE))
    }
}

/// Clips that are counted together.
#[derive(Debug, Serialize)]
struct Group {
    /// A kind or a source.
    name: String,
    language: String,
    unit: &'static str,
    clips: usize,
    words: usize,
    error_percent: Option<f64>,
    substitutions: usize,
    insertions: usize,
    deletions: usize,
}

#[derive(Debug, Serialize)]
struct ClipReport {
    id: String,
    kind: String,
    language: String,
    source: String,
    reference: String,
    hypothesis: String,
    words: usize,
    substitutions: usize,
    insertions: usize,
    deletions: usize,
}

impl Report {
    /// `speed` is `None` when hypotheses came from a file.
    pub fn new(scores: &[Score], speed: Option<Speed>) -> Self {
        let is_english = |score: &&Score| score.clip.language == "en";
        let groups = grouped(scores.iter(), |score| &score.clip.kind);
        let (by_kind, nothing_said) = groups.into_iter().partition(|group| group.words > 0);
        let native = scores.iter().filter(is_english).filter(|score| NATIVE_KINDS.contains(&score.clip.kind.as_str()));
        let utterances = scores.iter().filter(is_english).filter(|score| score.clip.kind == "utterance");
        Self {
            by_kind,
            native_english: Group::of("native English", native),
            by_source: grouped(utterances, |score| &score.clip.source),
            nothing_said,
            speed,
            clips: scores.iter().map(ClipReport::of).collect(),
        }
    }
}

/// A group for each name and language, in their order.
fn grouped<'a, 'b: 'a>(
    scores: impl Iterator<Item = &'a Score<'b>>,
    name: impl Fn(&Score<'b>) -> &'b String,
) -> Vec<Group> {
    let mut groups: BTreeMap<_, Vec<&Score>> = BTreeMap::new();
    for score in scores {
        groups.entry((name(score), &score.clip.language)).or_default().push(score);
    }
    groups.into_iter().filter_map(|((name, _), scores)| Group::of(name, scores.into_iter())).collect()
}

impl Group {
    /// `None` without clips, which are all in the same language.
    fn of<'a, 'b: 'a>(name: &str, scores: impl Iterator<Item = &'a Score<'b>>) -> Option<Self> {
        let mut scores = scores.peekable();
        let first = *scores.peek()?;
        let mut edits = Edits::default();
        let mut clips = 0;
        for score in scores {
            edits += score.edits;
            clips += 1;
        }
        Some(Self {
            name: name.into(),
            language: first.clip.language.clone(),
            unit: match first.unit {
                Unit::Word => "word",
                Unit::Character => "character",
            },
            clips,
            words: edits.reference,
            error_percent: edits.rate_percent(),
            substitutions: edits.substitutions,
            insertions: edits.insertions,
            deletions: edits.deletions,
        })
    }

    fn cells(&self) -> Vec<String> {
        let error = self.error_percent.map_or("-".into(), |percent| format!("{percent:.2}"));
        let counts = [self.substitutions, self.insertions, self.deletions].map(|count| count.to_string());
        let head = [self.name.clone(), self.language.clone(), self.unit.into(), self.clips.to_string()];
        head.into_iter().chain([self.words.to_string(), error]).chain(counts).collect()
    }
}

impl ClipReport {
    fn of(score: &Score) -> Self {
        Self {
            id: score.clip.id.clone(),
            kind: score.clip.kind.clone(),
            language: score.clip.language.clone(),
            source: score.clip.source.clone(),
            reference: score.reference.join(" "),
            hypothesis: score.hypothesis.join(" "),
            words: score.edits.reference,
            substitutions: score.edits.substitutions,
            insertions: score.edits.insertions,
            deletions: score.edits.deletions,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.by_kind.is_empty() {
            let rows = self.by_kind.iter().chain(&self.native_english);
            writeln!(formatter, "Errors by kind and language\n\n{}", table("kind", rows))?;
        }
        if !self.by_source.is_empty() {
            writeln!(formatter, "English utterances by source\n\n{}", table("source", self.by_source.iter()))?;
        }
        if !self.nothing_said.is_empty() {
            let mut table = Table::new(1, ["kind", "clips", "invented words"]);
            for group in &self.nothing_said {
                table.row(vec![group.name.clone(), group.clips.to_string(), group.insertions.to_string()]);
            }
            writeln!(formatter, "Where nothing is said\n\n{table}")?;
        }
        if let Some(speed) = &self.speed {
            let rate = speed.times_real_time().unwrap_or_default();
            writeln!(
                formatter,
                "{:.1} s of audio recognised in {:.1} s: {rate:.1} times real time. Loading took {:.1} s, everything {:.1} s.",
                speed.audio_seconds, speed.recognition_seconds, speed.load_seconds, speed.total_seconds
            )?;
            if let (Some(median), Some(most)) = (speed.delay_seconds(50), speed.delay_seconds(95)) {
                writeln!(
                    formatter,
                    "Words were final when {median:.2} s behind their end had been heard (median; 95 %: {most:.2} s)."
                )?;
            }
        }
        Ok(())
    }
}

fn table<'a>(name: &str, groups: impl Iterator<Item = &'a Group>) -> Table {
    let mut table = Table::new(3, [name, "language", "unit", "clips", "words", "WER %", "S", "I", "D"]);
    groups.for_each(|group| table.row(group.cells()));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        manifest::Clip,
        normalise::{Normaliser, Spellings},
    };

    fn clip(kind: &str, language: &str, source: &str, reference: &str) -> Clip {
        Clip {
            id: format!("{kind}-{language}-{source}"),
            file: "none.flac".into(),
            language: language.into(),
            reference: reference.into(),
            source: source.into(),
            kind: kind.into(),
        }
    }

    fn report() -> Report {
        let normaliser = Normaliser::new(Spellings::default());
        let clips = [
            (clip("utterance", "en", "books", "One two three four."), "one two tree four"),
            (clip("utterance", "en", "calls", "Good morning"), "good morning"),
            (clip("utterance", "ja", "books", "今日は"), "今日。"),
            (clip("long", "en", "books", "So it goes, mister"), "So it goes Mr."),
            (clip("choir", "en", "hall", "Amen"), ""),
            (clip("noise", "en", "fan", ""), "Thank you."),
        ];
        let scores: Vec<Score> = clips.iter().map(|(clip, heard)| Score::of(clip, heard, &normaliser)).collect();
        Report::new(&scores, Some(Speed { audio_seconds: 30.0, recognition_seconds: 2.0, ..Speed::default() }))
    }

    #[test]
    fn groups_are_counted_together() {
        assert_eq!(
            report().to_string(),
            "\
Errors by kind and language

| kind           | language | unit      | clips | words |  WER % | S | I | D |
|----------------|----------|-----------|------:|------:|-------:|--:|--:|--:|
| choir          | en       | word      |     1 |     1 | 100.00 | 0 | 0 | 1 |
| long           | en       | word      |     1 |     4 |   0.00 | 0 | 0 | 0 |
| utterance      | en       | word      |     2 |     3 | 100.00 | 1 | 2 | 0 |
| utterance      | ja       | character |     1 |     3 |  33.33 | 0 | 0 | 1 |
| native English | en       | word      |     3 |     7 |  42.86 | 1 | 2 | 0 |

English utterances by source

| source | language | unit | clips | words |  WER % | S | I | D |
|--------|----------|------|------:|------:|-------:|--:|--:|--:|
| books  | en       | word |     1 |     1 | 300.00 | 1 | 2 | 0 |
| calls  | en       | word |     1 |     2 |   0.00 | 0 | 0 | 0 |

Where nothing is said

| kind  | clips | invented words |
|-------|------:|---------------:|
| noise |     1 |              2 |

30.0 s of audio recognised in 2.0 s: 15.0 times real time. Loading took 0.0 s, everything 0.0 s.
"
        );
    }

    #[test]
    fn json_has_groups_and_clips() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["native_english"]["words"], 7);
        assert_eq!(json["nothing_said"][0]["error_percent"], serde_json::Value::Null);
        assert_eq!(json["clips"][3]["hypothesis"], "so it goes mister");
        assert_eq!(json["speed"]["audio_seconds"], 30.0);
    }
}
