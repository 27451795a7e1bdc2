//! Nothing that GStreamer counts is left behind.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use gst::prelude::*;

use crate::{alone::in_own_process, beeps::MODEL, listener::init};

/// Nothing that is given back at all is given back later.
const PATIENCE: Duration = Duration::from_secs(5);

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
        // Threads that have been told to stop give their objects back a moment later.
        let deadline = Instant::now() + PATIENCE;
        let (mut created, mut left) = (0, HashMap::new());
        loop {
            let activity = leaks.emit_by_name::<Option<gst::Structure>>("activity-get-checkpoint", &[]).unwrap();
            for object in objects(&activity, "objects-created-list") {
                created += 1;
                *left.entry(object).or_insert(0) += 1;
            }
            for object in objects(&activity, "objects-removed-list") {
                *left.entry(object).or_insert(0) -= 1;
            }
            left.retain(|_, count| *count != 0);
            if left.values().all(|count| *count < 0) || Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(created > 100, "the tracer saw only {created} objects");
        left.retain(|_, count| *count > 0);
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

/// Type and address of each object in one of the tracer's lists; an address may be used again.
fn objects(activity: &gst::Structure, list: &str) -> Vec<(String, String)> {
    let list = activity.get::<gst::List>(list).unwrap();
    let entries = list.iter().map(|entry| entry.get::<gst::Structure>().unwrap());
    entries.map(|entry| (entry.get("type-name").unwrap(), entry.get("address").unwrap())).collect()
}
