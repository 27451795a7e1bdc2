//! What is said comes out as text, once, in order and at its time.

use gst::prelude::*;

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, Out, PLAIN_RATE, Pace, assert_covered, assert_heard, events, languages, marks, words},
};

#[test]
fn eos_drains() {
    for pace in Pace::BOTH {
        let said = [(Low, 1.0), (High, 3.0)];
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&said, 5.0, PLAIN_RATE), 0.0);
        let outs = listener.finish();
        assert_heard(&outs, &said);
        assert_covered(&outs, 0.0, 5.0);
        listener.no_error();
    }
}

#[test]
fn text_needs_no_eos_once_a_window_is_full() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 31.0, PLAIN_RATE), 0.0);
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 20.0));
    assert_eq!(words(&outs), [Low.word(), High.word()]);
}

#[test]
fn long_audio_is_covered_without_holes() {
    let said: Vec<_> = (0..20).map(|index| ([Low, High][index % 2], index as f64 * 6.0 + 2.0)).collect();
    let mut listener = Listener::plain();
    listener.speak(&beeps(&said, 122.3, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    assert_heard(&outs, &said);
    assert_covered(&outs, 0.0, 122.3);
}

#[test]
fn events_come_in_the_order_that_sinks_need() {
    use gst::EventType;
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 0.5)], 2.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    let expected = [
        EventType::StreamStart,
        EventType::Caps,
        EventType::Segment,
        EventType::Tag,
        EventType::CustomDownstream,
        EventType::CustomDownstream,
        EventType::Eos,
    ];
    assert_eq!(events(&outs), expected);
    let caps = listener.element.static_pad("src").unwrap().current_caps().unwrap();
    assert_eq!(caps.to_string(), "text/x-raw, format=(string)utf8");
}

#[test]
fn the_text_is_a_stream_of_its_own_with_its_language() {
    let mut listener = Listener::idle();
    listener.start();
    let stream = gst::Stream::new(Some("talk"), None, gst::StreamType::AUDIO, gst::StreamFlags::SELECT);
    listener.event(gst::event::StreamStart::builder("talk").stream(stream).group_id(gst::GroupId::next()).build());
    listener.announce(crate::listener::PLAIN);
    listener.speak(&beeps(&[(Low, 0.5)], 2.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    assert!(events(&outs).starts_with(&[gst::EventType::StreamStart]) && events(&outs).contains(&gst::EventType::Tag));
    for out in &outs {
        let Out::Event(_, event) = out else { continue };
        match event.view() {
            gst::EventView::StreamStart(start) => {
                assert_eq!(start.stream_id(), "talk/text");
                assert_eq!(start.stream().unwrap().stream_type(), gst::StreamType::TEXT);
            }
            gst::EventView::Tag(tag) => {
                assert_eq!(tag.tag().get::<gst::tags::LanguageCode>().unwrap().get(), "en");
                assert_eq!(tag.tag().scope(), gst::TagScope::Stream);
            }
            _ => {}
        }
    }
}

#[test]
fn each_stream_is_told_its_language() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        for stream in ["first", "second"] {
            listener.event(gst::event::StreamStart::new(stream));
            listener.segment(0.0);
            listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
            let outs = listener.finish();
            assert_eq!(languages(&outs), ["en"], "{stream}");
        }
    }
}

#[test]
fn only_what_tags_say_about_the_whole_is_passed_on() {
    let mut listener = Listener::plain();
    let tag = |scope| {
        let mut tags = gst::TagList::new();
        tags.get_mut().unwrap().add::<gst::tags::Title>(&"title", gst::TagMergeMode::Append);
        tags.get_mut().unwrap().set_scope(scope);
        gst::event::Tag::new(tags)
    };
    listener.event(tag(gst::TagScope::Stream));
    listener.event(tag(gst::TagScope::Global));
    let scopes: Vec<_> = listener
        .finish()
        .iter()
        .filter_map(|out| match out {
            Out::Event(_, event) => match event.view() {
                gst::EventView::Tag(tag) => Some(tag.tag().scope()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(scopes, [gst::TagScope::Global]);
}

#[test]
fn the_first_timestamp_is_where_the_text_is() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 100.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 101.0)]);
        assert_covered(&outs, 0.0, 103.0);
    }
}

#[test]
fn what_lies_outside_the_segment_is_not_heard() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.segment(2.0);
        listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE), 0.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(High, 3.0)]);
        assert_covered(&outs, 2.0, 5.0);
    }
}

#[test]
fn a_jump_moves_the_clock_and_marks_the_text() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0), (Middle, 2.5)], 3.0, PLAIN_RATE), 0.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 60.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (Middle, 2.5), (High, 61.0)]);
        assert_covered(&outs, 0.0, 63.0);
        assert_eq!(marks(&outs), [true, false, true]);
    }
}

#[test]
fn a_short_loss_is_heard_as_silence() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 3.5);
    let outs = listener.finish();
    assert_heard(&outs, &[(Low, 1.0), (High, 4.5)]);
    assert_covered(&outs, 0.0, 6.5);
    assert_eq!(listener.stats().get::<u64>("windows").unwrap(), 1);
}

#[test]
fn a_gap_event_is_silence_when_short_and_an_end_when_long() {
    let gap = |start: u64, seconds: u64| {
        gst::event::Gap::builder(gst::ClockTime::from_seconds(start))
            .duration(gst::ClockTime::from_seconds(seconds))
            .build()
    };
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.event(gap(3, 1));
    listener.speak(&beeps(&[(Middle, 1.0)], 3.0, PLAIN_RATE), 4.0);
    listener.event(gap(7, 20));
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 26.9));
    assert_heard(&outs, &[(Low, 1.0), (Middle, 5.0)]);
    assert_covered(&outs, 0.0, 27.0);
}

#[test]
fn a_new_segment_drains_and_starts_a_new_time_line() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.segment(500.0);
        let first = listener.take_until(|out| {
            matches!(out, Out::Event(gst::EventType::Segment, event)
            if event.structure().is_some() && segment_start(event) == 500.0)
        });
        assert_heard(&first, &[(Low, 1.0)]);
        assert_covered(&first, 0.0, 3.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 500.0);
        let second = listener.finish();
        assert_heard(&second, &[(High, 501.0)]);
        assert_covered(&second, 500.0, 503.0);
    }
}

#[test]
fn segment_done_drains() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.event(gst::event::SegmentDone::new(gst::ClockTime::from_seconds(3)));
        let outs = listener.take_until(|out| matches!(out, Out::Event(gst::EventType::SegmentDone, _)));
        assert_heard(&outs, &[(Low, 1.0)]);
    }
}

#[test]
fn custom_events_pass_both_ways() {
    let mut listener = Listener::plain();
    let structure = || gst::Structure::builder("test/custom").build();
    listener.event(gst::event::CustomDownstream::new(structure()));
    listener.take_until(|out| matches!(out, Out::Event(gst::EventType::CustomDownstream, _)));
    assert!(listener.harness.push_upstream_event(gst::event::CustomUpstream::new(structure())));
    let seen = std::iter::from_fn(|| listener.harness.try_pull_upstream_event());
    assert!(seen.into_iter().any(|event| event.type_() == gst::EventType::CustomUpstream));
}

fn segment_start(event: &gst::Event) -> f64 {
    match event.view() {
        gst::EventView::Segment(segment) => {
            let times = segment.segment().downcast_ref::<gst::ClockTime>().unwrap();
            crate::listener::in_seconds(times.start().unwrap())
        }
        _ => f64::NAN,
    }
}
