//! What goes wrong in other elements that run Whisper, and must not here.
//!
//! Twelve faults in all. Four have their tests where they belong: a flush that loses the model
//! (`flush::seeking_again_and_again_goes_on_with_the_same_model`), a wrong path that hangs
//! (`model::a_missing_model_is_an_error_and_no_hang`), audio that outlives READY (`states::ready_forgets_the_stream`), and a
//! model that cannot be changed (`model::a_changed_model_takes_effect_with_the_next_ready`).

use std::path::Path;

use gst::prelude::*;
use gstwhispernpu::scheduler::{Engine, Placement};

use crate::{
    beeps::{
        MODEL,
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, assert_covered, assert_heard, languages, words},
    toy::{self, Phrase, Timbre},
};

/// Tokens of a text that has no spaces, as the vocabulary spells their bytes.
const WITHOUT_SPACES: [(&str, &str); 5] =
    [("Ġeins", "ä½ł"), ("Ġzwei", "å¥½"), ("Ġdrei", "ä¸ĸ"), ("Ġvier", "çķĮ"), ("<|de|>", "<|zh|>")];

#[test]
fn a_script_without_spaces_is_written_at_its_times() {
    let folder = tempfile::tempdir().unwrap();
    copy_toy(folder.path(), &WITHOUT_SPACES);
    for (granularity, expected) in [("segment", vec!["你好世", "界你"]), ("word", vec!["你", "好", "世", "界", "你"])]
    {
        let mut listener = Listener::idle();
        listener.element.set_property("model", folder.path().to_str().unwrap());
        listener.element.set_property("language-code", "zh");
        listener.element.set_property_from_str("granularity", granularity);
        listener.play(PLAIN);
        let outs = say(&mut listener, &[Phrase::new(0.6, &[0, 1, 2]), Phrase::new(4.0, &[3, 0])]);
        assert_eq!(words(&outs), expected);
        assert_covered(&outs, 0.0, SAID_S);
    }
}

#[test]
fn a_character_of_several_tokens_is_whole() {
    for granularity in ["segment", "word"] {
        let mut listener = german(granularity);
        let outs = say(&mut listener, &[german_phrase(0.6, &[4])]);
        assert_eq!(words(&outs), ["fünf"]);
    }
}

#[test]
fn a_word_of_several_tokens_begins_with_its_first() {
    let mut listener = german("word");
    let outs = say(&mut listener, &[german_phrase(0.6, &[1, 4])]);
    assert_eq!(words(&outs), ["zwei", "fünf"]);
    let (start_s, end_s) = outs.iter().rev().find(|out| matches!(out, Out::Text { .. })).and_then(Out::span).unwrap();
    // The beep is from 1.0 to 1.3 s, and its word has four tokens.
    assert!(start_s < 1.15 && end_s > 1.2, "{start_s} to {end_s} s");
}

#[test]
fn a_language_that_has_to_be_detected_is_written_too() {
    let mut listener = german("segment");
    listener.element.set_property("language-code", "auto");
    let outs = say(&mut listener, &[german_phrase(0.6, &[0, 1, 2]), german_phrase(4.0, &[3])]);
    assert_eq!(words(&outs), ["eins zwei drei", "vier"]);
    assert_eq!(languages(&outs), ["de"]);
}

#[test]
fn bins_for_transcription_may_set_what_they_always_set() {
    let mut listener = Listener::idle();
    for state in [gst::State::Null, gst::State::Ready, gst::State::Playing] {
        listener.element.set_state(state).unwrap();
        listener.element.set_property("language-code", "en-US");
        assert_eq!(listener.element.find_property("latency").unwrap().value_type(), u32::static_type());
        listener.element.set_property("latency", 4000_u32);
    }
    listener.play(PLAIN);
    assert_heard(&say(&mut listener, &[Phrase::new(1.0, &[0])]), &[(Low, 1.0)]);
}

#[test]
fn asking_for_the_latency_first_does_not_load_the_model_twice() {
    let folder = tempfile::tempdir().unwrap();
    copy_toy(folder.path(), &[]);
    let mut listener = Listener::idle();
    listener.element.set_property("model", folder.path().to_str().unwrap());
    listener.element.set_state(gst::State::Paused).unwrap();
    listener.message(gst::MessageType::Element);
    let mut query = gst::query::Latency::new();
    assert!(listener.element.static_pad("src").unwrap().query(&mut query));
    listener.element.set_state(gst::State::Null).unwrap();
    // Nothing is left to load.
    folder.close().unwrap();
    listener.play(PLAIN);
    assert_heard(&say(&mut listener, &[Phrase::new(1.0, &[0])]), &[(Low, 1.0)]);
    listener.no_error();
}

#[test]
fn elements_share_a_model_and_tell_what_captioning_needs() {
    let mut listeners = [Listener::plain(), Listener::plain()];
    let engine = Engine::open(MODEL, Placement::default()).unwrap();
    let before = engine.counters().windows;
    for listener in &mut listeners {
        let outs = say(listener, &[Phrase::new(1.0, &[0])]);
        assert_heard(&outs, &[(Low, 1.0)]);
        assert_eq!(languages(&outs), ["en"]);
        let is_final = |out: &Out| match out {
            Out::Event(gst::EventType::CustomDownstream, event) => {
                event.structure().is_some_and(|structure| structure.name() == "rstranscribe/final-transcript")
            }
            _ => false,
        };
        assert_eq!(outs.iter().filter(|out| is_final(out)).count(), 1);
        listener.element.set_property("latency", 4000_u32);
        listener.message(gst::MessageType::Latency);
    }
    assert!(engine.counters().windows >= before + 2);
}

#[test]
fn a_short_window_costs_less_than_half_a_minute_does() {
    let cost_s = |length_s: f64| {
        let mut listener = Listener::idle();
        listener.element.set_property_from_str("device", "npu-emulator");
        listener.element.set_property_from_str("npu-stages", "encoder");
        listener.play(PLAIN);
        let predicted_s = |listener: &Listener| listener.stats().get::<f64>("npu-predicted-seconds").unwrap();
        listener.message(gst::MessageType::Element);
        let before_s = predicted_s(&listener);
        listener.speak(&beeps(&[(High, 0.5)], length_s, PLAIN_RATE), 0.0);
        assert_eq!(words(&listener.finish()), [High.word()]);
        assert_eq!(listener.stats().get::<u64>("windows").unwrap(), 1);
        predicted_s(&listener) - before_s
    };
    let (short_s, long_s) = (cost_s(2.0), cost_s(29.0));
    assert!(short_s > 0.0 && short_s < 0.5 * long_s, "{short_s} s, not much less than {long_s} s");
}

const SAID_S: f64 = 7.0;

/// Speaks these phrases within a stretch of this length, and gives everything that leaves.
fn say(listener: &mut Listener, phrases: &[Phrase]) -> Vec<Out> {
    listener.speak(&toy::beeps(phrases, SAID_S), 0.0);
    listener.finish()
}

fn german(granularity: &str) -> Listener {
    let mut listener = Listener::idle();
    listener.element.set_property("language-code", "de");
    listener.element.set_property_from_str("granularity", granularity);
    listener.play(PLAIN);
    listener
}

fn german_phrase(at: f64, tones: &[usize]) -> Phrase {
    Phrase { timbre: Timbre::German, ..Phrase::new(at, tones) }
}

/// The toy model with other tokens in the places of these.
fn copy_toy(folder: &Path, tokens: &[(&str, &str)]) {
    for file in ["config.json", "model.bin"] {
        std::fs::copy(Path::new(MODEL).join(file), folder.join(file)).unwrap();
    }
    let mut vocabulary = std::fs::read_to_string(Path::new(MODEL).join("vocabulary.json")).unwrap();
    for (from, to) in tokens {
        vocabulary = vocabulary.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    }
    std::fs::write(folder.join("vocabulary.json"), vocabulary).unwrap();
}
