//! A flush drops the stream and keeps the model.

use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::{
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN_RATE, Pace, assert_covered, assert_heard, words},
};

fn flush(listener: &mut Listener, start_s: f64) {
    assert!(listener.event(gst::event::FlushStart::new()));
    assert!(listener.event(gst::event::FlushStop::new(true)));
    listener.take();
    assert!(listener.segment(start_s));
}

#[test]
fn what_was_heard_before_a_flush_is_not_said() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        flush(&mut listener, 0.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(High, 1.0)]);
        assert_covered(&outs, 0.0, 3.0);
    }
}

/// What is said of a stream outlives a flush, whether or not that caught it on its way.
#[test]
fn what_was_told_of_the_stream_outlives_a_flush() {
    for seconds_before in [3.0, 43.0] {
        let mut listener = Listener::plain();
        // It takes its time, so that the flush catches what is told behind it.
        listener.speak(&beeps(&[(Low, 1.0)], seconds_before, PLAIN_RATE), 0.0);
        let mut tags = gst::TagList::new();
        let writable = tags.get_mut().unwrap();
        writable.add::<gst::tags::Title>(&"A talk", gst::TagMergeMode::Append);
        writable.set_scope(gst::TagScope::Global);
        listener.event(gst::event::Tag::new(tags));
        listener.event(gst::event::CustomDownstreamSticky::new(gst::Structure::new_empty("of-the-stream")));
        assert!(listener.event(gst::event::FlushStart::new()));
        assert!(listener.event(gst::event::FlushStop::new(true)));
        assert!(listener.segment(0.0));
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.finish();
        let pad = listener.element.static_pad("src").unwrap();
        let custom = pad.sticky_event::<gst::event::CustomDownstreamSticky>(0);
        assert!(custom.is_some_and(|event| event.structure().unwrap().name() == "of-the-stream"), "{seconds_before}");
        let title = (0..)
            .map_while(|index| pad.sticky_event::<gst::event::Tag>(index))
            .find_map(|event| event.tag().get::<gst::tags::Title>().map(|title| title.get().to_owned()));
        assert_eq!(title.as_deref(), Some("A talk"), "{seconds_before}");
    }
}

#[test]
fn seeking_again_and_again_goes_on_with_the_same_model() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.message(gst::MessageType::Element);
        for round in 0..20 {
            let start_s = f64::from(round) * 10.0;
            flush(&mut listener, start_s);
            listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), start_s);
            let outs = listener.finish();
            assert_heard(&outs, &[(High, start_s + 1.0)]);
        }
        assert!(
            listener
                .bus
                .pop_filtered(&[gst::MessageType::Progress, gst::MessageType::Element])
                .is_none_or(|message| !matches!(message.view(), gst::MessageView::Progress(progress)
                if progress.get().0 == gst::ProgressType::Start))
        );
        listener.no_error();
    }
}

#[test]
fn a_flush_does_not_wait_for_the_engine() {
    let mut listener = Listener::idle();
    listener.play(crate::listener::PLAIN);
    listener.message(gst::MessageType::Element);
    listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
    let started = Instant::now();
    flush(&mut listener, 0.0);
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
}

/// A seek that an application makes from a pad probe, a signal or a sink's streaming thread flushes in the task's own thread.
#[test]
fn the_task_itself_may_flush() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        let sink = listener.element.static_pad("sink").unwrap();
        let source = listener.element.static_pad("src").unwrap();
        source.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            sink.send_event(gst::event::FlushStart::new());
            sink.send_event(gst::event::FlushStop::new(true));
            gst::PadProbeReturn::Remove
        });
        listener.speak(&beeps(&[(Low, 1.0), (Low, 3.0)], 31.0, PLAIN_RATE), 0.0);
        listener.take_until(|out| matches!(out, Out::Event(gst::EventType::FlushStop, _)));
        listener.segment(100.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 100.0);
        let outs = listener.finish();
        assert_eq!(words(&outs), [High.word()]);
    }
}
