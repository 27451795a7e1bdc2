//! Seeks, as upstream passes them on: flushes, new segments, other rates.

use gst::{ClockTime, prelude::*};

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{
        Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_covered, assert_heard, events, in_seconds, seconds, words,
    },
};

fn is_segment(out: &Out) -> bool {
    matches!(out, Out::Event(gst::EventType::Segment, _))
}

fn segment(rate: f64, start_s: f64) -> gst::Event {
    let mut segment = gst::FormattedSegment::<ClockTime>::new();
    segment.set_rate(rate);
    segment.set_start(seconds(start_s));
    segment.set_time(seconds(start_s));
    gst::event::Segment::new(&segment)
}

#[test]
fn a_flushing_seek_goes_on_where_it_leads() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        listener.speak(&beeps(&[(Low, 1.0)], 1.3, PLAIN_RATE), 0.0);
        assert!(listener.event(gst::event::FlushStart::new()));
        assert!(listener.event(gst::event::FlushStop::new(true)));
        listener.take();
        assert!(listener.event(segment(1.0, 60.0)));
        listener.speak(&beeps(&[(High, 1.0), (Middle, 2.4)], 4.0, PLAIN_RATE), 60.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(High, 61.0), (Middle, 62.4)]);
        assert_covered(&outs, 60.0, 64.0);
        listener.no_error();
    }
}

#[test]
fn a_seek_without_flush_writes_what_was_heard_before() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        listener.take_until(is_segment);
        // The beep is cut short by the seek, but long enough to be a word.
        listener.speak(&beeps(&[(Low, 0.9)], 1.2, PLAIN_RATE), 0.0);
        assert!(listener.event(segment(1.0, 60.0)));
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 60.0);
        let outs = listener.finish();
        let at = outs.iter().position(is_segment).unwrap();
        let (before, after) = outs.split_at(at);
        assert_heard(before, &[(Low, 0.9)]);
        assert_covered(before, 0.0, 1.2);
        assert_heard(after, &[(High, 61.0)]);
        assert_covered(after, 60.0, 63.0);
    }
}

#[test]
fn at_another_rate_texts_keep_their_timestamps_and_are_announced_in_running_time() {
    for pace in Pace::BOTH {
        for rate in [0.5, 2.0] {
            let mut listener = Listener::paced(pace);
            listener.play(PLAIN);
            listener.take_until(is_segment);
            assert!(listener.event(segment(rate, 10.0)));
            listener.speak(&beeps(&[(Low, 0.5), (High, 3.0)], 5.0, PLAIN_RATE), 10.0);
            let outs = listener.finish();
            assert_heard(&outs, &[(Low, 10.5), (High, 13.0)]);
            assert_covered(&outs, 10.0, 15.0);
            let announced = outs.iter().filter_map(|out| match out {
                Out::Event(gst::EventType::CustomDownstream, event) => {
                    event.structure().filter(|structure| structure.name() == "whispernpu/subtitle")
                }
                _ => None,
            });
            let texts = outs.iter().filter(|out| matches!(out, Out::Text { .. })).filter_map(Out::span);
            for (subtitle, (start_s, end_s)) in announced.zip(texts) {
                for (field, at_s) in [("start-time", start_s), ("end-time", end_s)] {
                    let running_s = in_seconds(subtitle.get::<ClockTime>(field).unwrap());
                    assert!((running_s - (at_s - 10.0) / rate).abs() < 1e-6, "{field} is {running_s} s at rate {rate}");
                }
            }
        }
    }
}

#[test]
fn what_plays_backwards_has_no_text() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        let mut backwards = gst::FormattedSegment::<ClockTime>::new();
        backwards.set_rate(-1.0);
        backwards.set_stop(seconds(4.0));
        listener.event(gst::event::Segment::new(&backwards));
        let samples = beeps(&[(Low, 1.0), (High, 3.0)], 4.0, PLAIN_RATE);
        for (index, piece) in samples.chunks(PLAIN_RATE as usize / 2).enumerate().rev() {
            listener.send_at(piece, index as f64 * 0.5).unwrap();
        }
        let mut outs = listener.take_until(|out| matches!(out, Out::Gap { .. }));
        assert!(listener.event(segment(1.0, 0.0)));
        listener.speak(&samples, 0.0);
        outs.extend(listener.finish());
        assert_heard(&outs, &[(Low, 1.0), (High, 3.0)]);
        assert!(listener.warning().contains("plays backwards"));
        assert!(listener.bus.pop_filtered(&[gst::MessageType::Warning]).is_none());
        listener.no_error();
    }
}

#[test]
fn a_seek_is_passed_upstream_and_its_number_comes_back() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        let seek =
            gst::event::Seek::new(1.0, flags, gst::SeekType::Set, seconds(5.0), gst::SeekType::None, ClockTime::NONE);
        let number = seek.seqnum();
        assert!(listener.harness.push_upstream_event(seek));
        let seen = std::iter::from_fn(|| listener.harness.try_pull_upstream_event());
        assert!(seen.into_iter().any(|event| event.type_() == gst::EventType::Seek && event.seqnum() == number));
        listener.event(gst::event::FlushStart::builder().seqnum(number).build());
        listener.event(gst::event::FlushStop::builder(true).seqnum(number).build());
        let mut times = gst::FormattedSegment::<ClockTime>::new();
        times.set_start(seconds(5.0));
        listener.take();
        listener.event(gst::event::Segment::builder(&times).seqnum(number).build());
        listener.speak(&beeps(&[(Low, 0.5)], 2.0, PLAIN_RATE), 5.0);
        assert!(listener.event(gst::event::Eos::builder().seqnum(number).build()));
        let outs = listener.take_until(|out| matches!(out, Out::Event(gst::EventType::Eos, _)));
        assert_heard(&outs, &[(Low, 5.5)]);
        assert!(events(&outs).contains(&gst::EventType::Segment));
        // What tells of the stream may have been underway before the seek.
        let has_own = |kind| matches!(kind, gst::EventType::StreamStart | gst::EventType::Caps);
        for out in &outs {
            if let Out::Event(kind, event) = out
                && !has_own(*kind)
            {
                assert_eq!(event.seqnum(), number, "{event:?}");
            }
        }
    }
}

#[test]
fn the_same_segment_again_cuts_no_word() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        assert!(listener.event(segment(1.0, 0.0)));
        let samples = beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE);
        let (before, after) = samples.split_at((2.16 * f64::from(PLAIN_RATE)) as usize);
        listener.speak(before, 0.0);
        assert!(listener.event(segment(1.0, 0.0)));
        listener.speak(after, 2.16);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 2.0)]);
        assert_covered(&outs, 0.0, 3.0);
    }
}

#[test]
fn the_same_segment_again_may_go_back() {
    let mut listener = Listener::paced(Pace::File);
    listener.play(PLAIN);
    for _ in 0..2 {
        assert!(listener.event(segment(1.0, 0.0)));
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    }
    let outs = listener.finish();
    let second = outs.iter().rposition(is_segment).unwrap();
    assert_heard(&outs[second..], &[(Low, 1.0)]);
    assert_covered(&outs[second..], 0.0, 3.0);
}

#[test]
fn the_same_segment_again_may_go_ahead() {
    for with_gap in [false, true] {
        let mut listener = Listener::paced(Pace::File);
        listener.play(PLAIN);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        if with_gap {
            listener.event(gst::event::Gap::builder(seconds(3.0)).duration(seconds(57.0)).build());
        }
        assert!(listener.event(segment(1.0, 0.0)));
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 60.0);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 61.0)]);
        assert_covered(&outs, 0.0, 63.0);
    }
}

/// As a loop of segment seeks does, here without timestamps.
#[test]
fn the_same_segment_again_behind_its_end_is_another() {
    let mut listener = Listener::paced(Pace::File);
    listener.play(PLAIN);
    for _ in 0..2 {
        assert!(listener.event(segment(1.0, 0.0)));
        listener.speak_unstamped(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE)).unwrap();
        listener.event(gst::event::SegmentDone::new(seconds(3.0)));
    }
    let outs = listener.finish();
    let second = outs.iter().rposition(is_segment).unwrap();
    assert_heard(&outs[second..], &[(Low, 1.0)]);
}

#[test]
fn a_segment_that_stops_later_has_its_texts_at_their_times() {
    let mut listener = Listener::paced(Pace::File);
    listener.play(PLAIN);
    let mut segment = gst::FormattedSegment::<ClockTime>::new();
    segment.set_stop(seconds(3.0));
    assert!(listener.event(gst::event::Segment::new(&segment)));
    let samples = beeps(&[(Low, 1.0), (High, 4.0)], 6.0, PLAIN_RATE);
    let (before, after) = samples.split_at(3 * PLAIN_RATE as usize);
    listener.speak(before, 0.0);
    segment.set_stop(seconds(6.0));
    assert!(listener.event(gst::event::Segment::new(&segment)));
    listener.speak(after, 3.0);
    assert_heard(&listener.finish(), &[(Low, 1.0), (High, 4.0)]);
    listener.no_error();
}

#[test]
fn no_text_ends_behind_its_segment() {
    let mut listener = Listener::paced(Pace::File);
    listener.element.set_property("word-times", true);
    listener.play(PLAIN);
    let mut segment = gst::FormattedSegment::<ClockTime>::new();
    segment.set_stop(seconds(1.2));
    assert!(listener.event(gst::event::Segment::new(&segment)));
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    assert_eq!(words(&outs), [Low.word()]);
    let said = outs.iter().find_map(|out| match out {
        Out::Event(_, event) => event.structure().filter(|structure| structure.name() == "whispernpu/subtitle"),
        _ => None,
    });
    let end = said.unwrap().get::<Option<ClockTime>>("end-time").unwrap();
    assert!(end.is_some_and(|end| end <= seconds(1.2)), "{said:?}");
    assert_covered(&outs, 0.0, 1.2);
}
