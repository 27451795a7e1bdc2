//! Live pipelines: the latency is answered, and nobody is kept waiting.

use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::{
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, PLAIN, PLAIN_RATE, assert_heard, init, words},
};

fn latency(pad: &gst::Pad) -> Option<(bool, gst::ClockTime, Option<gst::ClockTime>)> {
    let mut query = gst::query::Latency::new();
    pad.query(&mut query).then(|| query.result())
}

#[test]
fn a_live_pipeline_waits_for_the_text() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    listener.harness.set_upstream_latency(gst::ClockTime::from_mseconds(100));
    listener.element.set_property("latency", 5000_u32);
    listener.play(PLAIN);
    let (is_live, minimum, _) = latency(&listener.element.static_pad("src").unwrap()).unwrap();
    assert!(is_live);
    assert_eq!(minimum, gst::ClockTime::from_mseconds(5100));
}

#[test]
fn a_file_waits_for_nothing() {
    let listener = Listener::plain();
    let (is_live, minimum, _) = latency(&listener.element.static_pad("src").unwrap()).unwrap();
    assert!(!is_live);
    assert_eq!(minimum, gst::ClockTime::ZERO);
}

#[test]
fn the_latency_is_known_before_anything_came() {
    init();
    let element = gst::ElementFactory::make("whispernpu").build().unwrap();
    element.set_state(gst::State::Paused).unwrap();
    assert!(latency(&element.static_pad("src").unwrap()).is_some(), "nothing linked");

    let source = gst::ElementFactory::make("fakesrc").property("is-live", true).build().unwrap();
    let pipeline = gst::Pipeline::new();
    element.set_state(gst::State::Null).unwrap();
    pipeline.add_many([&source, &element]).unwrap();
    source.link(&element).unwrap();
    pipeline.set_state(gst::State::Paused).unwrap();
    let (is_live, minimum, _) = latency(&element.static_pad("src").unwrap()).unwrap();
    assert!(is_live);
    assert_eq!(minimum, gst::ClockTime::from_seconds(8));
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_changed_latency_is_told() {
    let listener = Listener::plain();
    listener.element.set_property("latency", 4000_u32);
    listener.message(gst::MessageType::Latency);
}

#[test]
fn text_leaves_within_the_latency() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    listener.element.set_property("latency", 4000_u32);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 3.1, PLAIN_RATE), 0.0);
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 2.0));
    assert_eq!(words(&outs), [Low.word()]);
}

#[test]
fn a_live_source_is_never_kept_waiting() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    listener.play(PLAIN);
    let started = Instant::now();
    for second in 0..120 {
        listener.send_at(&beeps(&[(High, 0.1)], 1.0, PLAIN_RATE), f64::from(second)).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    if listener.stats().get::<f64>("skipped-seconds").unwrap() > 0.0 {
        listener.message(gst::MessageType::Warning);
    }
}

#[test]
fn a_live_stream_goes_on_after_a_flush() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    listener.play(PLAIN);
    listener.event(gst::event::FlushStart::new());
    listener.event(gst::event::FlushStop::new(true));
    listener.segment(0.0);
    listener.take();
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    assert_heard(&listener.finish(), &[(Low, 1.0)]);
}
