//! What is said, as applications take it: a structure in an event, in a message on the bus and beside a buffer's text.

use gst::{ClockTime, glib::SendValue, prelude::*};

use super::settings::WhisperNpuGranularity;
use crate::{
    stream::{Cue, CueWord},
    transcript::{has_spaces, has_words},
};

/// Name of the event's and the message's structure.
pub(super) const SUBTITLE: &str = "whispernpu/subtitle";
/// Name of the meta of the source pad's buffers; its structure has what the event has but text and times.
pub(super) const META: &str = "WhisperNpuSubtitleMeta";
/// The event that tells elements for subtitles that what was said is complete.
pub(super) const FINAL_TRANSCRIPT: &str = "rstranscribe/final-transcript";
/// The event that tells upstream what was said in its audio.
pub(super) const NEW_ITEM: &str = "rstranscribe/new-item";

/// A text that becomes a buffer. Places are samples from the start of its stretch of audio.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// Place of its start.
    pub start_samples: u64,
    /// Place of its end.
    pub end_samples: u64,
    /// Without spaces around it, but for the one before a word as in `words`.
    pub text: String,
    /// 0 to 1: its words' mean probability, or that of its window's tokens where there are no words.
    pub confidence: f64,
    /// Its words, if they were timed. Where words have spaces between them these have none around them; elsewhere one is before a word
    /// where the text has one, so that they are the text one behind the other.
    pub words: Vec<CueWord>,
}

/// The language of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spoken {
    /// Code of the language that it is written in.
    pub language: String,
    /// 0 to 1: probability of the language that was spoken; None if that was given.
    pub probability: Option<f32>,
}

impl Item {
    /// What becomes of a cue: itself, or its words, unless none was timed.
    pub fn of(mut cue: Cue, granularity: WhisperNpuGranularity) -> Vec<Self> {
        let has_spaces = has_spaces(&cue.language);
        if has_spaces {
            cue.words = join(cue.words);
        }
        cue.words = attach(cue.words);
        cue.words.retain(|word| !word.text.trim().is_empty());
        for (index, word) in cue.words.iter_mut().enumerate() {
            let is_behind_space = index > 0 && !has_spaces && word.text.starts_with(char::is_whitespace);
            word.text = format!("{}{}", if is_behind_space { " " } else { "" }, word.text.trim());
        }
        let mean = |words: &[CueWord]| {
            let sum: f32 = words.iter().map(|word| word.probability).sum();
            f64::from(sum) / words.len() as f64
        };
        if granularity == WhisperNpuGranularity::Word && !cue.words.is_empty() {
            return cue
                .words
                .into_iter()
                .map(|word| Self {
                    start_samples: word.start_samples,
                    end_samples: word.end_samples,
                    text: word.text.clone(),
                    confidence: f64::from(word.probability),
                    words: vec![word],
                })
                .collect();
        }
        let confidence = match cue.words.as_slice() {
            [] => f64::from(cue.average_log_probability).exp(),
            words => mean(words),
        };
        let Cue { start_samples, end_samples, text, words, .. } = cue;
        vec![Self { start_samples, end_samples, text, confidence, words }]
    }

    /// The event's and the message's structure. `times` are the buffer's running times, `at` gives that of a place.
    pub fn structure(
        &self,
        spoken: &Spoken,
        times: [Option<ClockTime>; 2],
        at: &dyn Fn(u64) -> Option<ClockTime>,
        is_final: bool,
    ) -> gst::Structure {
        let [start, end] = times;
        let mut structure = gst::Structure::builder(SUBTITLE)
            .field("text", &self.text)
            .field("start-time", start)
            .field("end-time", end)
            .field("final", is_final)
            .build();
        self.describe(&mut structure, spoken, at);
        structure
    }

    /// Writes what a meta has.
    pub fn describe(&self, structure: &mut gst::StructureRef, spoken: &Spoken, at: &dyn Fn(u64) -> Option<ClockTime>) {
        structure.set("language", &spoken.language);
        structure.set("confidence", self.confidence);
        if let Some(probability) = spoken.probability {
            structure.set("language-confidence", f64::from(probability));
        }
        structure.set("speaker", None::<String>);
        let word = |word: &CueWord| -> SendValue {
            gst::Structure::builder("word")
                .field("text", &word.text)
                .field("start-time", at(word.start_samples))
                .field("end-time", at(word.end_samples))
                .field("confidence", f64::from(word.probability))
                .build()
                .to_send_value()
        };
        structure.set("words", gst::Array::from_iter(self.words.iter().map(word)));
    }
}

/// Makes whole words of their parts: what has no space before it belongs to the word before, as `-hearted` does. Whoever puts
/// words together puts spaces between them.
fn join(parts: Vec<CueWord>) -> Vec<CueWord> {
    let mut words: Vec<CueWord> = Vec::new();
    for part in parts {
        match words.last_mut() {
            Some(word) if !part.text.starts_with(char::is_whitespace) => {
                word.text.push_str(&part.text);
                word.end_samples = word.end_samples.max(part.end_samples);
                word.probability = word.probability.min(part.probability);
            }
            _ => words.push(part),
        }
    }
    words
}

/// Gives signs that stand alone, such as `&` or `♪`, to the word before, or else to the one behind.
fn attach(parts: Vec<CueWord>) -> Vec<CueWord> {
    let mut words: Vec<CueWord> = Vec::new();
    for part in parts {
        match words.last_mut() {
            Some(word) if !has_words(&part.text) => {
                word.text.push_str(&part.text);
                word.end_samples = word.end_samples.max(part.end_samples);
            }
            Some(word) if !has_words(&word.text) => {
                *word =
                    CueWord { text: format!("{}{}", word.text, part.text), start_samples: word.start_samples, ..part };
            }
            _ => words.push(part),
        }
    }
    words
}

/// Upstream hears what was said in its audio; `speaker` is not known.
pub(super) fn new_item(text: &str, start: ClockTime, duration: ClockTime) -> gst::Event {
    let structure = gst::Structure::builder(NEW_ITEM)
        .field("speaker", None::<String>)
        .field("content", text)
        .field("running-time", start)
        .field("duration", duration)
        .build();
    gst::event::CustomUpstream::new(structure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(words: &[(&str, u64, u64, f32)]) -> Cue {
        let word = |&(text, start_samples, end_samples, probability): &(&str, u64, u64, f32)| CueWord {
            text: text.to_owned(),
            start_samples,
            end_samples,
            probability,
        };
        Cue {
            start_samples: 100,
            end_samples: 900,
            text: "Hello, you.".into(),
            language: "en".into(),
            average_log_probability: -0.5,
            words: words.iter().map(word).collect(),
        }
    }

    #[test]
    fn a_cue_stays_whole_or_falls_into_its_words() {
        let words = [("Hello,", 120, 400, 0.75), (" you.", 400, 800, 0.25)];
        let whole = Item::of(cue(&words), WhisperNpuGranularity::Segment);
        assert_eq!((whole.len(), whole[0].text.as_str(), whole[0].confidence), (1, "Hello, you.", 0.5));
        assert_eq!((whole[0].start_samples, whole[0].end_samples, whole[0].words.len()), (100, 900, 2));
        let parts = Item::of(cue(&words), WhisperNpuGranularity::Word);
        let parts: Vec<_> =
            parts.iter().map(|item| (item.text.as_str(), item.start_samples, item.confidence)).collect();
        assert_eq!(parts, [("Hello,", 120, 0.75), ("you.", 400, 0.25)]);
    }

    #[test]
    fn a_word_with_a_hyphen_is_one_where_words_have_spaces() {
        let parts = [(" ill", 120, 300, 0.75), ("-disposed", 300, 400, 0.5), (" man.", 400, 800, 0.25)];
        let words = |cue: Cue| {
            let items = Item::of(cue, WhisperNpuGranularity::Word).into_iter();
            items.map(|item| (item.text, item.end_samples, item.confidence, item.words.len())).collect::<Vec<_>>()
        };
        assert_eq!(words(cue(&parts)), [("ill-disposed".to_owned(), 400, 0.5, 1), ("man.".to_owned(), 800, 0.25, 1)]);
        let chinese = Cue { language: "zh".into(), ..cue(&[("你", 120, 400, 0.5), ("好", 400, 800, 0.5)]) };
        assert_eq!(words(chinese).len(), 2);
    }

    #[test]
    fn words_of_a_language_without_spaces_are_its_text_one_behind_the_other() {
        let parts = [(" ดี", 120, 400, 0.5), (" \u{3000}OK", 400, 500, 0.5), ("ดี", 500, 600, 0.5), (" ", 600, 700, 0.5)];
        let thai = || Cue { language: "th".into(), text: "ดี OKดี".into(), ..cue(&parts) };
        let words: Vec<_> = Item::of(thai(), WhisperNpuGranularity::Word).into_iter().map(|item| item.text).collect();
        assert_eq!(words, ["ดี", " OK", "ดี"]);
        let whole = Item::of(thai(), WhisperNpuGranularity::Segment);
        let joined: String = whole[0].words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(joined, whole[0].text);
    }

    #[test]
    fn a_sign_is_no_word_of_its_own() {
        let words = |parts: &[(&str, u64, u64, f32)]| {
            let items = Item::of(cue(parts), WhisperNpuGranularity::Word).into_iter();
            items.map(|item| (item.text, item.start_samples, item.end_samples)).collect::<Vec<_>>()
        };
        let notes = [(" ♪", 120, 300, 0.25), (" Tom", 300, 400, 0.75), (" &", 400, 500, 0.25), (" Jo", 500, 800, 0.75)];
        assert_eq!(words(&notes), [("♪ Tom &".to_owned(), 120, 500), ("Jo".to_owned(), 500, 800)]);
        assert_eq!(words(&notes[..1]).len(), 1);
    }

    #[test]
    fn a_cue_without_words_is_as_sure_as_its_tokens() {
        for granularity in [WhisperNpuGranularity::Segment, WhisperNpuGranularity::Word] {
            let items = Item::of(cue(&[]), granularity);
            assert_eq!((items.len(), items[0].text.as_str()), (1, "Hello, you."));
            assert!((items[0].confidence - 0.6065).abs() < 1e-4);
        }
    }
}
