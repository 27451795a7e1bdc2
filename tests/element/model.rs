//! The model: loaded in the background, shared, kept, changed, and its failures told.

use gst::prelude::*;
use gstwhispernpu::scheduler::{Engine, Placement};

use crate::{
    alone::in_own_process,
    beeps::{
        MODEL, OTHER_MODEL,
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, assert_heard, words},
};

fn progress(listener: &Listener) -> gst::ProgressType {
    match listener.message(gst::MessageType::Progress).view() {
        gst::MessageView::Progress(progress) => {
            assert_eq!(progress.get().1, "loading");
            progress.get().0
        }
        _ => unreachable!(),
    }
}

#[test]
fn loading_is_told_and_so_is_the_device() {
    let listener = Listener::idle();
    assert_eq!(listener.element.property::<Option<String>>("active-device"), None);
    listener.element.set_state(gst::State::Ready).unwrap();
    assert_eq!(progress(&listener), gst::ProgressType::Start);
    assert_eq!(progress(&listener), gst::ProgressType::Complete);
    let message = listener.message(gst::MessageType::Element);
    let device = message.structure().unwrap();
    assert_eq!(device.name(), "whispernpu/device");
    assert_eq!(device.get::<String>("device").unwrap(), "cpu");
    assert_eq!(device.get::<String>("precision").unwrap(), "int8");
    assert!(!device.get::<String>("instruction-set").unwrap().is_empty());
    assert!(!device.get::<bool>("voice-activity").unwrap(), "it was turned off");
    assert_eq!(device.get::<String>("model").unwrap(), MODEL);
    assert_eq!(listener.element.property::<Option<String>>("active-device").as_deref(), Some("cpu"));
}

#[test]
fn precision_and_threads_are_taken_and_the_text_is_the_same() {
    for precision in ["f32", "bf16", "int8"] {
        let mut listener = Listener::idle();
        listener.element.set_property_from_str("precision", precision);
        listener.element.set_property("threads", 1_u32);
        listener.play(PLAIN);
        let message = listener.message(gst::MessageType::Element);
        assert_eq!(message.structure().unwrap().get::<String>("precision").unwrap(), precision);
        listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE), 0.0);
        assert_heard(&listener.finish(), &[(Low, 1.0), (High, 3.0)]);
    }
}

#[test]
fn a_missing_model_is_an_error_and_no_hang() {
    let listener = Listener::idle();
    listener.element.set_property("model", "no-such-model");
    assert!(listener.element.set_state(gst::State::Playing).is_err());
    assert!(listener.error().contains("no-such-model"));
    assert_eq!(listener.element.property::<Option<String>>("active-device"), None);
}

#[test]
fn the_right_model_after_a_missing_one_works() {
    let mut listener = Listener::idle();
    listener.element.set_property("model", "no-such-model");
    assert!(listener.element.set_state(gst::State::Ready).is_err());
    listener.element.set_state(gst::State::Null).unwrap();
    listener.element.set_property("model", MODEL);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    assert_heard(&listener.finish(), &[(Low, 1.0)]);
}

#[test]
fn a_changed_model_takes_effect_with_the_next_ready() {
    let listener = Listener::idle();
    for model in [MODEL, OTHER_MODEL, MODEL] {
        listener.element.set_property("model", model);
        listener.element.set_state(gst::State::Ready).unwrap();
        let message = listener.message(gst::MessageType::Element);
        assert_eq!(message.structure().unwrap().get::<String>("model").unwrap(), model);
        listener.element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn a_model_is_kept_across_null() {
    let listener = Listener::idle();
    listener.element.set_state(gst::State::Ready).unwrap();
    assert_eq!(progress(&listener), gst::ProgressType::Start);
    assert_eq!(progress(&listener), gst::ProgressType::Complete);
    listener.element.set_state(gst::State::Null).unwrap();
    listener.element.set_state(gst::State::Ready).unwrap();
    listener.message(gst::MessageType::Element);
    listener.message(gst::MessageType::Element);
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Progress]).is_none(), "it was loaded again");
}

#[test]
fn every_start_of_loading_has_its_end() {
    let name = "model::every_start_of_loading_has_its_end";
    in_own_process(name, &[], || {
        let listener = Listener::idle();
        listener.element.set_state(gst::State::Ready).unwrap();
        assert_eq!(progress(&listener), gst::ProgressType::Start);
        listener.element.set_state(gst::State::Null).unwrap();
        // The toy may be there before the stop.
        let end = progress(&listener);
        assert!(matches!(end, gst::ProgressType::Canceled | gst::ProgressType::Complete), "{end:?}");
        listener.element.set_state(gst::State::Ready).unwrap();
        let device = listener.message(gst::MessageType::Element);
        assert_eq!(device.structure().unwrap().get::<String>("model").unwrap(), MODEL);
    });
}

#[test]
fn two_elements_share_one_engine() {
    let mut listeners = [Listener::plain(), Listener::plain()];
    let engine = Engine::open(MODEL, Placement::default()).unwrap();
    let before = engine.counters().windows;
    for listener in &mut listeners {
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
        assert_heard(&listener.finish(), &[(High, 1.0)]);
    }
    assert!(engine.counters().windows >= before + 2);
}

#[test]
fn the_language_may_change_while_playing() {
    let mut listener = Listener::idle();
    listener.element.set_property("model", OTHER_MODEL);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 20.0));
    assert_eq!(words(&outs), [Low.word()]);
    listener.element.set_property("language-code", "de-AT");
    listener.speak(&beeps(&[(Low, 3.0)], 5.0, PLAIN_RATE), 31.0);
    let outs = listener.finish();
    assert_eq!(words(&outs), [Low.german_word()]);
    let tags: Vec<_> = outs
        .iter()
        .filter_map(|out| match out {
            Out::Event(_, event) => match event.view() {
                gst::EventView::Tag(tag) => Some(tag.tag().get::<gst::tags::LanguageCode>()?.get().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(tags, ["de"]);
}

#[test]
fn what_the_model_cannot_do_is_an_error_when_it_is_asked_for() {
    for (property, value) in [("language-code", "klingon"), ("language-code", "fr")] {
        let mut listener = Listener::idle();
        listener.element.set_property_from_str(property, value);
        listener.play(PLAIN);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.event(gst::event::Eos::new());
        let sentence = listener.error();
        assert!(sentence.len() > 20, "{property}={value}: {sentence}");
    }
}
