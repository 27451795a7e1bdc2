//! Live pipelines: the latency is answered, and nobody is kept waiting.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::{
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_covered, assert_heard, init, words},
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
    let unsynced = listener.element.static_pad("unsynced_src").unwrap();
    assert_eq!(latency(&unsynced).unwrap(), latency(&listener.element.static_pad("src").unwrap()).unwrap());
}

/// As a mixer does that a live source is added to.
#[test]
fn an_upstream_that_becomes_live_is_waited_for_no_longer() {
    let mut listener = Listener::paced(Pace::Live);
    listener.harness.set_live(false);
    listener.play(PLAIN);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    assert_eq!(words(&listener.take()), [""; 0], "a file's window is longer");
    listener.harness.set_live(true);
    assert!(listener.harness.push_upstream_event(gst::event::Latency::new(gst::ClockTime::from_seconds(8))));
    listener.speak_in_time(&beeps(&[(High, 1.0)], 8.0, PLAIN_RATE), 2.0);
    let mut outs = listener.take_until(|out| matches!(out, Out::Text { start_s, .. } if *start_s > 2.5));
    assert_heard(&outs, &[(Low, 1.0), (High, 3.0)]);
    outs.extend(listener.finish());
    assert_covered(&outs, 0.0, 10.0);
    listener.no_error();
}

#[test]
fn whether_all_is_drained_is_not_for_downstream_to_say() {
    let mut listener = Listener::plain_paced(Pace::Live);
    let asked = Arc::<Mutex<u32>>::default();
    let counted = asked.clone();
    listener.element.static_pad("src").unwrap().add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, _| {
        *counted.lock().unwrap() += 1;
        gst::PadProbeReturn::Ok
    });
    listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    let upstream = listener.element.static_pad("sink").unwrap().peer().unwrap();
    *asked.lock().unwrap() = 0;
    assert!(upstream.peer_query(&mut gst::query::Drain::new()));
    assert_eq!(*asked.lock().unwrap(), 0, "who waits for text to be taken keeps upstream waiting");
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
fn without_a_clock_no_time_passes_in_paused() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    for property in ["latency", "max-delay"] {
        listener.element.set_property(property, 1500_u32);
    }
    listener.play(PLAIN);
    listener.message(gst::MessageType::Element);
    listener.speak(&beeps(&[(Low, 0.5)], 0.9, PLAIN_RATE), 0.0);
    listener.element.set_state(gst::State::Paused).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    listener.element.set_state(gst::State::Playing).unwrap();
    assert_eq!(words(&listener.finish()), [Low.word()]);
    assert_eq!(listener.stats().get::<f64>("skipped-seconds").unwrap(), 0.0);
}

#[test]
fn a_changed_latency_is_told() {
    let listener = Listener::plain();
    listener.element.set_property("latency", 4000_u32);
    listener.message(gst::MessageType::Latency);
}

#[test]
fn a_stretch_of_audio_keeps_the_latency_that_it_began_with() {
    let mut listener = Listener::plain_paced(Pace::Live);
    let minimum = |listener: &Listener| latency(&listener.element.static_pad("src").unwrap()).unwrap().1.seconds();
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 1.0);
    listener.take_until(|out| out.span().is_some());
    listener.element.set_property("latency", 4000_u32);
    assert_eq!(minimum(&listener), 8);
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Latency]).is_none());
    assert_heard(&listener.finish(), &[(Low, 2.0)]);
    listener.message(gst::MessageType::Latency);
    assert_eq!(minimum(&listener), 4);
}

#[test]
fn text_leaves_within_the_latency() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    listener.element.set_property("latency", 4000_u32);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 3.1, PLAIN_RATE), 0.0);
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 1.2));
    assert_eq!(words(&outs), [Low.word()]);
}

#[test]
fn the_longest_delay_is_told() {
    let mut listener = Listener::idle();
    listener.harness.set_live(true);
    let clock = gst_check::TestClock::with_start_time(gst::ClockTime::from_seconds(10));
    listener.element.set_clock(Some(&clock)).unwrap();
    listener.element.set_base_time(gst::ClockTime::ZERO);
    let delay = |element: &gst::Element| element.property::<u32>("max-observed-delay");
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    listener
        .element
        .connect_notify(Some("max-observed-delay"), move |element, _| kept.lock().unwrap().push(delay(element)));
    assert_eq!(delay(&listener.element), 0);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    let ends = outs.iter().filter(|out| matches!(out, Out::Text { .. })).filter_map(Out::span).map(|(_, end_s)| end_s);
    let first_end_s = ends.reduce(f64::min).unwrap();
    let expected = ((10.0 - first_end_s) * 1e3) as u32;
    assert!(delay(&listener.element).abs_diff(expected) <= 1, "{} ms, not {expected}", delay(&listener.element));
    assert_eq!(*told.lock().unwrap(), [delay(&listener.element)], "the second text is less late");
}

#[test]
fn a_file_has_no_delay() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.finish();
    assert_eq!(listener.element.property::<u32>("max-observed-delay"), 0);
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
