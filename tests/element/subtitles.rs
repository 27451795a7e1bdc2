//! What applications learn beside the text: events, messages on the bus, metas, and what upstream is told.

use std::sync::{Arc, Mutex};

use gst::{ClockTime, Structure, prelude::*};

use crate::{
    beeps::MODEL,
    listener::{Listener, Out, PLAIN_RATE, in_seconds, seconds, words},
    toy::{Phrase, Timbre, beeps},
};

const SUBTITLE: &str = "whispernpu/subtitle";
const FINAL: &str = "rstranscribe/final-transcript";

fn phrases() -> Vec<Phrase> {
    [(0.6, vec![0, 1, 2]), (4.0, vec![3, 4])].map(|(at, tones)| Phrase { at, tones, timbre: Timbre::English }).into()
}

fn lines() -> Vec<String> {
    phrases().iter().map(Phrase::text).collect()
}

/// Speaks both phrases, from this time on, and gives everything that leaves.
fn said(listener: &mut Listener, from_s: f64) -> Vec<Out> {
    assert_eq!(crate::toy::RATE, PLAIN_RATE as usize);
    listener.speak(&beeps(&phrases(), 7.0), from_s);
    listener.finish()
}

/// Structures of the custom events, with the texts between them as they came.
fn course(outs: &[Out]) -> Vec<String> {
    outs.iter()
        .filter_map(|out| match out {
            Out::Text { text, .. } => Some(text.clone()),
            Out::Event(gst::EventType::CustomDownstream, event) => Some(event.structure().unwrap().name().to_string()),
            _ => None,
        })
        .collect()
}

pub fn subtitles(outs: &[Out]) -> Vec<Structure> {
    let structures = outs.iter().filter_map(|out| match out {
        Out::Event(gst::EventType::CustomDownstream, event) => Some(event.structure().unwrap().to_owned()),
        _ => None,
    });
    structures.filter(|structure| structure.name() == SUBTITLE).collect()
}

fn words_of(subtitle: &Structure) -> Vec<Structure> {
    let words = subtitle.get::<gst::Array>("words").unwrap();
    words.iter().map(|word| word.get::<Structure>().unwrap()).collect()
}

fn times(structure: &Structure) -> (f64, f64) {
    let time = |name| in_seconds(structure.get::<ClockTime>(name).unwrap());
    (time("start-time"), time("end-time"))
}

#[test]
fn each_text_is_announced_before_it_comes_and_concluded_after() {
    let mut listener = Listener::plain();
    let outs = said(&mut listener, 0.0);
    let [first, second] = lines().try_into().unwrap();
    assert_eq!(course(&outs), [SUBTITLE, &first, SUBTITLE, &second, FINAL]);
    for (subtitle, out) in subtitles(&outs).iter().zip(outs.iter().filter(|out| matches!(out, Out::Text { .. }))) {
        let Out::Text { text, .. } = out else { continue };
        assert_eq!(subtitle.get::<&str>("text").unwrap(), text);
        let ((start, end), (start_s, end_s)) = (times(subtitle), out.span().unwrap());
        assert!((start - start_s).abs() < 1e-9 && (end - end_s).abs() < 1e-9, "{subtitle:?}");
        assert!(subtitle.get::<bool>("final").unwrap());
        assert_eq!(subtitle.get::<&str>("language").unwrap(), "en");
        let confidence = subtitle.get::<f64>("confidence").unwrap();
        assert!(confidence > 0.5 && confidence <= 1.0, "{confidence}");
        assert_eq!(subtitle.get::<Option<&str>>("speaker").unwrap(), None);
        assert!(words_of(subtitle).is_empty(), "nobody asked for words");
    }
    listener.no_error();
}

#[test]
fn the_bus_hears_the_same() {
    let mut listener = Listener::plain();
    let announced = subtitles(&said(&mut listener, 0.0));
    let mut heard = Vec::new();
    while let Some(message) = listener.bus.pop_filtered(&[gst::MessageType::Element]) {
        heard.extend(message.structure().filter(|structure| structure.name() == SUBTITLE).map(ToOwned::to_owned));
    }
    assert_eq!(heard, announced);
    assert_eq!(heard.len(), 2);
}

#[test]
fn times_are_running_times() {
    let mut listener = Listener::idle();
    listener.play(crate::listener::PLAIN);
    listener.segment(100.0);
    let outs = said(&mut listener, 100.0);
    let spans: Vec<_> = outs.iter().filter(|out| matches!(out, Out::Text { .. })).filter_map(Out::span).collect();
    assert_eq!(spans.len(), 2);
    for (subtitle, (start_s, end_s)) in subtitles(&outs).iter().zip(spans) {
        let (start, end) = times(subtitle);
        assert!((start + 100.0 - start_s).abs() < 1e-6 && (end + 100.0 - end_s).abs() < 1e-6, "{start} to {end}");
    }
}

#[test]
fn words_are_listed_if_asked_for() {
    let mut listener = Listener::idle();
    listener.element.set_property("word-times", true);
    listener.play(crate::listener::PLAIN);
    let outs = said(&mut listener, 0.0);
    assert_eq!(words(&outs), lines());
    for (subtitle, line) in subtitles(&outs).iter().zip(lines()) {
        let words = words_of(subtitle);
        let texts: Vec<_> = words.iter().map(|word| word.get::<&str>("text").unwrap()).collect();
        assert_eq!(texts, line.split(' ').collect::<Vec<_>>());
        let mut before = 0.0;
        for word in &words {
            let (start, end) = times(word);
            assert!(before <= start && start <= end, "{words:?}");
            before = end;
            assert!((0.0..=1.0).contains(&word.get::<f64>("confidence").unwrap()));
        }
    }
}

#[test]
fn a_buffer_for_each_word_if_asked_for() {
    let mut listener = Listener::idle();
    listener.element.set_property_from_str("granularity", "word");
    listener.play(crate::listener::PLAIN);
    let outs = said(&mut listener, 0.0);
    assert_eq!(words(&outs).join(" "), lines().join(" "));
    assert_eq!(words(&outs).len(), 5);
    crate::listener::assert_covered(&outs, 0.0, 7.0);
    let concluded = course(&outs);
    assert_eq!(concluded.iter().filter(|name| *name == FINAL).count(), 1);
    assert_eq!(concluded.last().unwrap(), FINAL);
    for (subtitle, text) in subtitles(&outs).iter().zip(words(&outs)) {
        assert_eq!((subtitle.get::<&str>("text").unwrap(), words_of(subtitle).len()), (text, 1));
    }
}

/// Words of scripts without spaces have one in front where the text has.
#[test]
fn words_put_together_are_the_text() {
    const CHINESE: [(&str, &str); 3] = [("Ġeins", "ä½ł"), ("Ġzwei", "Ġå¥½"), ("<|de|>", "<|zh|>")];
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = [std::path::Path::new(MODEL), folder.path()];
    for file in ["config.json", "model.bin"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let vocabulary = std::fs::read_to_string(from.join("vocabulary.json")).unwrap();
    let renamed = |text: String, (from, to): (&str, &str)| text.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    std::fs::write(to.join("vocabulary.json"), CHINESE.into_iter().fold(vocabulary, renamed)).unwrap();
    let texts = ["segment", "word"].map(|granularity| {
        let mut listener = Listener::idle();
        listener.element.set_property("model", to.to_str().unwrap());
        listener.element.set_property("language-code", "zh");
        listener.element.set_property_from_str("granularity", granularity);
        listener.play(crate::listener::PLAIN);
        listener.speak(&beeps(&[Phrase { timbre: Timbre::German, ..Phrase::new(0.6, &[0, 1, 0]) }], 4.0), 0.0);
        let outs = listener.finish();
        let told: Vec<String> = subtitles(&outs).iter().map(|subtitle| subtitle.get("text").unwrap()).collect();
        assert_eq!(words(&outs), told);
        told.concat()
    });
    assert_eq!(texts, ["你 好你"; 2]);
}

#[test]
fn granularity_may_change_while_playing() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&phrases(), 31.0), 0.0);
    let mut outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 20.0));
    assert_eq!(words(&outs), lines());
    listener.element.set_property_from_str("granularity", "word");
    listener.speak(&beeps(&phrases(), 7.0), 31.0);
    outs = listener.finish();
    assert_eq!(words(&outs).len(), 5, "{:?}", words(&outs));
}

#[test]
fn buffers_carry_the_confidence_and_the_words() {
    let metas = Arc::new(Mutex::new(Vec::new()));
    let mut listener = Listener::idle();
    listener.element.set_property("word-times", true);
    let kept = metas.clone();
    listener.element.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer().unwrap();
        let meta = gst::meta::CustomMeta::from_buffer(buffer, "WhisperNpuSubtitleMeta").unwrap();
        kept.lock().unwrap().push(meta.structure().to_owned());
        gst::PadProbeReturn::Ok
    });
    listener.play(crate::listener::PLAIN);
    let announced = subtitles(&said(&mut listener, 0.0));
    let metas = metas.lock().unwrap();
    assert_eq!(metas.len(), announced.len());
    for (meta, subtitle) in metas.iter().zip(announced) {
        assert_eq!(meta.get::<f64>("confidence"), subtitle.get::<f64>("confidence"));
        assert_eq!(words_of(meta), words_of(&subtitle));
    }
}

#[test]
fn upstream_hears_what_was_said_in_its_audio() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut listener = Listener::idle();
    let kept = told.clone();
    listener.element.static_pad("sink").unwrap().add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        let structure = info.event().and_then(|event| event.structure().map(ToOwned::to_owned));
        kept.lock().unwrap().extend(structure.filter(|structure| structure.name() == "rstranscribe/new-item"));
        gst::PadProbeReturn::Ok
    });
    listener.play(crate::listener::PLAIN);
    let announced = subtitles(&said(&mut listener, 0.0));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), announced.len());
    for (item, subtitle) in told.iter().zip(announced) {
        assert_eq!(item.get::<&str>("content"), subtitle.get::<&str>("text"));
        let (start, end) = times(&subtitle);
        assert_eq!(item.get::<ClockTime>("running-time").unwrap(), seconds(start));
        assert_eq!(item.get::<ClockTime>("duration").unwrap(), seconds(end - start));
        assert_eq!(item.get::<Option<&str>>("speaker").unwrap(), None);
    }
}
