//! Drops what the model is known to write where nothing is said.
//!
//! The table is in `phrases.rs`. A text with a word in it is never dropped for what it says alone: something has to speak against it, too.

mod phrases;

use std::collections::HashSet;

use super::Segment;
use crate::decoder::{Decoding, Options};

/// Whether a text has a letter or a digit: dots and notes alone, which the model writes over music, are no words.
pub fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Drops the segments of a window that have no words. True if something was dropped.
pub fn drop_wordless(segments: &mut Vec<Segment>) -> bool {
    let count = segments.len();
    segments.retain(|segment| has_words(&segment.text));
    segments.len() < count
}

/// Drops the segments of a window that are credits of subtitles where there is little voice or the window is doubtful, and a
/// window that says nothing but a filler, or words of the vocabulary and the prompt that it was given, where the model itself finds that
/// likely nothing is spoken. True if something was dropped.
///
/// `voiced` says for each frame of `hop` samples whether a voice was heard; empty if nobody listened for one. `written` is the code of the
/// text's language. Without [`Options::no_speech_threshold`] nothing is dropped.
///
/// The mean log-probability by which silence is told otherwise says little of a single word: it is a mean over timestamps and
/// the end too, of which the model is sure.
pub fn drop_invented(
    segments: &mut Vec<Segment>,
    decoding: &Decoding,
    (voiced, hop): (&[bool], usize),
    written: &str,
    options: &Options,
) -> bool {
    let Some(threshold) = options.no_speech_threshold else { return false };
    let is_quiet = decoding.no_speech_probability > threshold;
    let is_unlikely = options.log_probability_threshold.is_some_and(|least| decoding.average_log_probability < least);
    let count = segments.len();
    segments.retain(|segment| {
        let has_little_voice =
            || is_mostly_unvoiced(voiced, segment.start_samples / hop..segment.end_samples.div_ceil(hop));
        !(phrases::is_credit(written, &key(&segment.text)) && (is_quiet || is_unlikely || has_little_voice()))
    });
    if is_quiet && !segments.is_empty() {
        let given: HashSet<String> =
            options.vocabulary.iter().chain([&options.prompt]).flat_map(|text| words(text)).collect();
        let is_echo = |text: &str| words(text).all(|word| given.contains(&word));
        if segments.iter().all(|segment| phrases::is_filler(written, &key(&segment.text)) || is_echo(&segment.text)) {
            segments.clear();
        }
    }
    segments.len() < count
}

/// What stands between signs and spaces, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).map(key).filter(|word| !word.is_empty())
}

fn is_mostly_unvoiced(voiced: &[bool], frames: std::ops::Range<usize>) -> bool {
    let frames = &voiced[frames.start.min(voiced.len())..frames.end.min(voiced.len())];
    frames.iter().filter(|voiced| **voiced).count() * 2 < frames.len()
}

/// Letters and digits alone, in lower case.
fn key(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP: usize = 160;

    fn decoding(no_speech_probability: f32, average_log_probability: f32) -> Decoding {
        Decoding {
            tokens: Vec::new(),
            average_log_probability,
            no_speech_probability,
            language: "en".into(),
            language_probability: None,
            compression_ratio: 1.0,
            ..Decoding::default()
        }
    }

    /// What is left of segments of 1 s each.
    fn left(texts: &[&str], language: &str, decoding: &Decoding, voiced: &[bool]) -> Vec<String> {
        let segment = |(second, text): (usize, &&str)| Segment {
            start_samples: second * 16_000,
            end_samples: (second + 1) * 16_000,
            text: (*text).into(),
            tokens: Vec::new(),
            ..Segment::default()
        };
        let mut segments: Vec<Segment> = texts.iter().enumerate().map(segment).collect();
        let dropped = drop_invented(&mut segments, decoding, (voiced, HOP), language, &Options::default());
        assert_eq!(dropped, segments.len() < texts.len());
        segments.into_iter().map(|segment| segment.text).collect()
    }

    #[test]
    fn credits_go_where_there_is_no_voice_or_doubt() {
        let texts = ["We are done.", "Thanks for watching!"];
        let (sure, voice) = (decoding(0.1, -0.2), [true; 200]);
        assert_eq!(left(&texts, "en", &sure, &voice), texts, "somebody says it");
        assert_eq!(left(&texts, "en", &sure, &[]), texts, "nobody listened");
        let ends: Vec<bool> = (0..200).map(|frame| frame < 140).collect();
        assert_eq!(left(&texts, "en", &sure, &ends), texts[..1]);
        assert_eq!(left(&texts, "en", &decoding(0.7, -0.2), &voice), texts[..1]);
        assert_eq!(left(&texts, "en", &decoding(0.1, -1.2), &voice), texts[..1]);
        let german = ["Untertitel der Amara.org-Community"];
        assert!(left(&german, "de", &decoding(0.7, -0.2), &voice).is_empty());
        assert_eq!(left(&german, "en", &decoding(0.7, -0.2), &voice), german);
    }

    #[test]
    fn fillers_go_only_if_the_model_hears_no_speech_and_says_nothing_else() {
        assert!(left(&["Oh", "yeah."], "en", &decoding(0.7, -0.5), &[]).is_empty());
        assert_eq!(left(&["Oh"], "en", &decoding(0.5, -1.5), &[false; 100]), ["Oh"]);
        assert_eq!(left(&["Oh", "no."], "en", &decoding(0.7, -0.5), &[]), ["Oh", "no."]);
        assert_eq!(left(&["Oh"], "ko", &decoding(0.7, -0.5), &[]), ["Oh"]);
    }

    #[test]
    fn what_the_decoder_was_given_goes_where_likely_nothing_is_spoken() {
        let options =
            Options { vocabulary: vec!["Grimmelshausen".into()], prompt: "So, on.".into(), ..Options::default() };
        let is_left = |text: &str, no_speech_probability: f32| {
            let mut segments = vec![Segment { text: text.into(), ..Segment::default() }];
            drop_invented(&mut segments, &decoding(no_speech_probability, -0.4), (&[], HOP), "en", &options);
            !segments.is_empty()
        };
        assert!(!is_left("Grimmelshausen.", 0.7) && !is_left("Grimmelshausen, so on", 0.7));
        assert!(is_left("Grimmelshausen.", 0.5) && is_left("Grimmelshausen wrote", 0.7));
    }

    #[test]
    fn signs_go_unless_they_stand_beside_words() {
        let texts = [".", ". . . .", "♪ ♪", "…", "- Yes.", "♪ do re mi ♪", "日本", "50 %", "ที่", "½"];
        let segment = |text: &&str| Segment { text: (*text).into(), ..Segment::default() };
        let mut segments: Vec<Segment> = texts.iter().map(segment).collect();
        assert!(drop_wordless(&mut segments));
        let left: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
        assert_eq!(left, texts[4..]);
        assert!(!drop_wordless(&mut segments));
    }

    #[test]
    fn nothing_goes_without_a_threshold() {
        let segment =
            Segment { start_samples: 0, end_samples: 1, text: "Oh".into(), tokens: Vec::new(), ..Segment::default() };
        let options = Options { no_speech_threshold: None, ..Options::default() };
        assert!(!drop_invented(&mut vec![segment], &decoding(0.9, -2.0), (&[], HOP), "en", &options));
    }
}
