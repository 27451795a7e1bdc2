//! Nothing that GStreamer counts is left behind.

use std::collections::HashMap;

use gst::prelude::*;

use crate::{alone::in_own_process, beeps::MODEL, listener::init};

#[test]
fn load_play_seek_eos_null_leaves_nothing_behind() {
    let name = "leaks::load_play_seek_eos_null_leaves_nothing_behind";
    in_own_process(name, &[("GST_TRACERS", "leaks")], || {
        init();
        // What a process keeps for good (factories, registries, clocks) is there after the first time.
        scenario();
        let tracers = gst::active_tracers();
        let leaks = tracers.iter().find(|tracer| tracer.type_().name() == "GstLeaksTracer").unwrap();
        leaks.emit_by_name::<()>("activity-start-tracking", &[]);
        scenario();
        let activity = leaks.emit_by_name::<Option<gst::Structure>>("activity-get-checkpoint", &[]).unwrap();
        let created = objects(&activity, "objects-created-list");
        let mut left = objects(&activity, "objects-removed-list");
        assert!(created.values().sum::<i64>() > 100, "the tracer saw only {created:?}");
        for (object, count) in created {
            *left.entry(object).or_default() -= count;
        }
        left.retain(|_, count| *count < 0);
        assert!(left.is_empty(), "{left:#?}");
    });
}

fn scenario() {
    let pipeline = gst::parse::launch(&format!(
        "audiotestsrc num-buffers=500 samplesperbuffer=4410 freq=1000 ! audio/x-raw,rate=44100 ! \
         whispernpu model={MODEL} ! fakesink sync=false"
    ))
    .unwrap();
    let bus = pipeline.bus().unwrap();
    let wait = |kind| {
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &[kind, gst::MessageType::Error])
            .filter(|message| message.type_() == kind)
            .unwrap_or_else(|| panic!("no {kind:?}"))
    };
    pipeline.set_state(gst::State::Playing).unwrap();
    wait(gst::MessageType::AsyncDone);
    let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
    pipeline.seek_simple(flags, gst::ClockTime::from_seconds(1)).unwrap();
    wait(gst::MessageType::Eos);
    pipeline.set_state(gst::State::Null).unwrap();
}

/// How often each object, by type and address, is in one of the tracer's lists: addresses are used again.
fn objects(activity: &gst::Structure, list: &str) -> HashMap<(String, String), i64> {
    let mut objects = HashMap::new();
    for entry in activity.get::<gst::List>(list).unwrap().iter() {
        let entry = entry.get::<gst::Structure>().unwrap();
        *objects.entry((entry.get("type-name").unwrap(), entry.get("address").unwrap())).or_default() += 1;
    }
    objects
}
