//! What downstream answers reaches upstream.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use gst::prelude::*;

use crate::{
    beeps::{
        MODEL,
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_heard, buffer, init, seconds, words},
};

/// Makes downstream answer every text like this, then speaks until upstream hears of it.
fn answer(pace: Pace, flow: gst::FlowError) -> gst::FlowError {
    let mut listener = Listener::paced(pace);
    listener.play(PLAIN);
    let source = listener.element.static_pad("src").unwrap();
    source.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        info.flow_res = Err(flow);
        gst::PadProbeReturn::Handled
    });
    let samples = beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE);
    (0..100)
        .find_map(|round| {
            std::thread::sleep(Duration::from_millis(20));
            listener.send_at(&samples, f64::from(round) * 31.0).err()
        })
        .expect("upstream never hears of it")
}

#[test]
fn upstream_is_told() {
    for pace in Pace::BOTH {
        for flow in
            [gst::FlowError::Eos, gst::FlowError::Error, gst::FlowError::NotNegotiated, gst::FlowError::NotLinked]
        {
            assert_eq!(answer(pace, flow), flow);
        }
    }
}

#[test]
fn after_eos_the_bus_is_told() {
    let mut listener = Listener::plain();
    let source = listener.element.static_pad("src").unwrap();
    source.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        info.flow_res = Err(gst::FlowError::Error);
        gst::PadProbeReturn::Handled
    });
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.finish();
    listener.error();
}

#[test]
fn an_unlinked_source_pad_is_not_linked() {
    init();
    let element = gst::ElementFactory::make("whispernpu")
        .property("model", MODEL)
        .property_from_str("voice-activity", "off")
        .build()
        .unwrap();
    let mut harness = gst_check::Harness::with_element(&element, Some("sink"), None);
    harness.set_live(false);
    harness.play();
    harness.set_src_caps_str(crate::listener::PLAIN);
    let samples = beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE);
    let answer = (0..100).find_map(|round| {
        std::thread::sleep(Duration::from_millis(20));
        let mut buffer = buffer(&samples, None);
        buffer.get_mut().unwrap().set_pts(seconds(f64::from(round) * 31.0));
        harness.push(buffer).err()
    });
    assert_eq!(answer, Some(gst::FlowError::NotLinked));
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_source_pad_that_is_unlinked_for_a_while_goes_on_when_it_is_linked_again() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        let source = listener.element.static_pad("src").unwrap();
        let peer = source.peer().unwrap();
        let is_text = |out: &Out| matches!(out, Out::Text { .. });
        listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
        assert_eq!(words(&listener.take_until(is_text)), [Low.word()]);
        source.unlink(&peer).unwrap();
        let (flow, at_s) = speak_until_refused(&mut listener, 31.0);
        assert_eq!(flow, gst::FlowError::NotLinked);
        source.link(&peer).unwrap();
        listener.take();
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), at_s);
        let outs = listener.finish();
        assert_heard(&outs, &[(High, at_s + 1.0)]);
        listener.no_error();
    }
}

#[test]
fn without_timestamps_a_source_pad_that_was_unlinked_goes_on_where_it_was() {
    let mut listener = Listener::plain();
    let source = listener.element.static_pad("src").unwrap();
    let peer = source.peer().unwrap();
    let samples = beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE);
    listener.speak_unstamped(&samples).unwrap();
    listener.take_until(|out| matches!(out, Out::Text { .. }));
    source.unlink(&peer).unwrap();
    while listener.speak_unstamped(&samples).is_ok() {}
    source.link(&peer).unwrap();
    listener.speak_unstamped(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE)).unwrap();
    let outs = listener.finish();
    let start_s = outs.iter().filter(|out| matches!(out, Out::Text { .. })).find_map(Out::span).unwrap().0;
    assert!(start_s > 30.0, "{start_s} s");
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "no text was moved");
}

#[test]
fn the_same_segment_goes_on_after_downstream_had_enough_of_it() {
    let mut listener = Listener::plain();
    let source = listener.element.static_pad("src").unwrap();
    let (answered, heard) = mpsc::channel::<()>();
    let answered = std::sync::Mutex::new(Some(answered));
    source.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(_answered) = answered.lock().unwrap().take() else { return gst::PadProbeReturn::Ok };
        info.flow_res = Err(gst::FlowError::Eos);
        gst::PadProbeReturn::Handled
    });
    listener.send_at(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0).unwrap();
    assert!(heard.recv_timeout(Duration::from_secs(20)).is_err_and(|error| error == RecvTimeoutError::Disconnected));
    std::thread::sleep(Duration::from_millis(200));
    listener.take();
    listener.segment(0.0);
    listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
    assert_heard(&listener.finish(), &[(High, 1.0)]);
}

#[test]
fn a_new_segment_goes_on_after_downstream_had_enough_of_the_one_before() {
    for pace in Pace::BOTH {
        for with_stream_start in [false, true] {
            let mut listener = Listener::paced(pace);
            listener.play(PLAIN);
            let source = listener.element.static_pad("src").unwrap();
            let probe = source.add_probe(gst::PadProbeType::BUFFER, |_, info| {
                info.flow_res = Err(gst::FlowError::Eos);
                gst::PadProbeReturn::Handled
            });
            assert_eq!(speak_until_refused(&mut listener, 0.0).0, gst::FlowError::Eos);
            source.remove_probe(probe.unwrap());
            if with_stream_start {
                listener.event(gst::event::Eos::new());
                listener.event(gst::event::StreamStart::new("second"));
                listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap()));
            }
            listener.segment(0.0);
            listener.take();
            listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
            assert_heard(&listener.finish(), &[(High, 1.0)]);
            listener.no_error();
        }
    }
}

/// Speaks from this time on until upstream is answered with an error; answers with it, and with the time it came to.
fn speak_until_refused(listener: &mut Listener, from_s: f64) -> (gst::FlowError, f64) {
    let samples = beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE);
    (0..100_000)
        .map(|round| from_s + f64::from(round) * 31.0)
        .find_map(|at_s| listener.send_at(&samples, at_s).err().map(|flow| (flow, at_s)))
        .expect("upstream never hears of it")
}
