//! What downstream answers reaches upstream.

use std::time::Duration;

use gst::prelude::*;

use crate::{
    beeps::{MODEL, Tone::Low, beeps},
    listener::{Listener, PLAIN_RATE, buffer, init, seconds},
};

/// Makes downstream answer every text like this, then speaks until upstream hears of it.
fn answer(flow: gst::FlowError) -> gst::FlowError {
    let mut listener = Listener::plain();
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
    for flow in [gst::FlowError::Eos, gst::FlowError::Error, gst::FlowError::NotNegotiated, gst::FlowError::NotLinked] {
        assert_eq!(answer(flow), flow);
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
