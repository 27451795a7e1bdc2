//! Stages on the emulated array.

use gst::prelude::*;

use crate::{
    beeps::{
        MODEL,
        Tone::{High, Low},
        beeps,
    },
    introspection::nicks,
    listener::{Listener, PLAIN, PLAIN_RATE, assert_heard, init},
};

/// The element on the array with these stages in this precision, in PLAYING, and what it says about its devices.
fn playing(stages: &str, precision: &str) -> (Listener, gst::Structure) {
    let mut listener = Listener::idle();
    listener.element.set_property_from_str("device", "npu-emulator");
    listener.element.set_property_from_str("npu-stages", stages);
    listener.element.set_property_from_str("precision", precision);
    listener.play(PLAIN);
    let message = listener.message(gst::MessageType::Element);
    let device = message.structure().unwrap().to_owned();
    assert_eq!(device.name(), "whispernpu/device");
    (listener, device)
}

#[test]
fn words_come_from_the_array_and_the_bus_hears_which_stages_it_has() {
    for (stages, precision, taken, devices) in [
        ("mel+encoder+decoder", "auto", "bf16", ["npu-emulator"; 3]),
        ("encoder+decoder", "int8", "int8", ["cpu", "npu-emulator", "npu-emulator"]),
        ("mel+encoder", "bf16", "bf16", ["npu-emulator", "npu-emulator", "cpu"]),
    ] {
        let (mut listener, device) = playing(stages, precision);
        let named = |field: &str| device.get::<String>(field).unwrap();
        assert_eq!(named("device"), "npu-emulator", "{stages}");
        assert_eq!(["mel-device", "encoder-device", "decoder-device"].map(named), devices, "{stages}");
        assert_eq!(device.get::<String>("precision").unwrap(), taken, "{stages}");
        let active = listener.element.property::<Option<String>>("active-device");
        assert_eq!(active.as_deref(), Some("npu-emulator"), "{stages}");
        listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE), 0.0);
        assert_heard(&listener.finish(), &[(Low, 1.0), (High, 3.0)]);
        let stats = listener.stats();
        let launches = stats.get::<u64>("npu-launches").unwrap();
        assert!(launches > 0 && stats.get::<u64>("npu-kernel-calls").unwrap() > launches, "{stages}: {stats}");
        assert!(stats.get::<f64>("npu-predicted-seconds").unwrap() > 0.0, "{stages}: {stats}");
        listener.no_error();
    }
}

#[test]
fn a_precision_that_the_array_lacks_is_an_error_that_says_which_there_are() {
    let listener = Listener::idle();
    listener.element.set_property_from_str("device", "npu-emulator");
    listener.element.set_property_from_str("precision", "f32");
    // It may be told at once or a moment later.
    let _ = listener.element.set_state(gst::State::Playing);
    let sentence = listener.error();
    for word in ["npu-emulator", "f32", "bf16", "int8"] {
        assert!(sentence.contains(word), "{sentence} does not say {word}");
    }
    assert_eq!(listener.element.property::<Option<String>>("active-device"), None);
}

#[test]
fn stages_are_named_in_a_pipelines_text() {
    init();
    for (text, stages) in
        [("encoder+decoder", "encoder+decoder"), ("mel", "mel"), ("decoder+mel", "mel+decoder"), ("", "mel+encoder")]
    {
        let property = if text.is_empty() { String::new() } else { format!("npu-stages={text}") };
        let line =
            format!("audiotestsrc ! whispernpu name=speech device=npu-emulator {property} model={MODEL} ! fakesink");
        let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
        let value = pipeline.by_name("speech").unwrap().property_value("npu-stages");
        let (_, values) = gst::glib::FlagsValue::from_value(&value).unwrap();
        assert_eq!(nicks(&values), stages);
    }
    assert!(gst::parse::launch("audiotestsrc ! whispernpu npu-stages=encoder+ear ! fakesink").is_err());
}
