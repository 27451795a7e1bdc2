//! Live sources that stop without a word: what they said is written, and time goes on.

use std::time::Duration;

use gst::prelude::*;

use crate::{
    alone::in_own_process,
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN_RATE, Pace, assert_covered, assert_heard, buffer, marks, words},
};

/// Several times as long as the element takes to look at the clock.
const A_WHILE: Duration = Duration::from_millis(700);

fn ends_after(end_s: f64) -> impl Fn(&Out) -> bool {
    move |out| out.span().is_some_and(|span| span.1 > end_s)
}

/// Checks that nothing is left to be told of before `due_s`, and that nothing was told of a time that is to come.
#[track_caller]
fn assert_up_to_date(outs: &[Out], from_s: f64, due_s: f64) {
    let (_, end_s) = outs.iter().filter_map(Out::span).next_back().unwrap();
    assert!(end_s >= due_s && end_s < due_s + 1.0, "{end_s} s instead of {due_s} s");
    assert_covered(outs, from_s, end_s);
}

#[test]
fn a_live_source_that_stops_gets_its_text_and_its_gaps() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    std::thread::sleep(A_WHILE);
    assert!(listener.take().iter().all(|out| out.span().is_none()), "it may go on");
    listener.set_time(4.0);
    let mut outs = listener.take_until(ends_after(1.9));
    assert_heard(&outs, &[(Low, 1.0)]);
    assert_covered(&outs, 0.0, 2.0);
    for now_s in [12.0, 20.0] {
        listener.set_time(now_s);
        outs.extend(listener.take_until(ends_after(now_s - 8.0)));
        assert_up_to_date(&outs, 0.0, now_s - 8.0);
    }
    let told_to_s = outs.iter().filter_map(Out::span).next_back().unwrap().1;
    listener.speak_in_time(&beeps(&[(High, 1.0)], 2.0, PLAIN_RATE), 20.0);
    let outs = listener.finish();
    assert_heard(&outs, &[(High, 21.0)]);
    assert_covered(&outs, told_to_s, 22.0);
    listener.no_error();
}

/// A live stream whose source has stopped behind a word, and whose gaps go to 12 s now.
fn stopped() -> (Listener, Vec<Out>) {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    std::thread::sleep(A_WHILE);
    listener.set_time(4.0);
    assert_heard(&listener.take_until(ends_after(1.9)), &[(Low, 1.0)]);
    listener.set_time(20.0);
    let gaps = listener.take_until(ends_after(11.9));
    (listener, gaps)
}

/// What comes first behind a stop is at its place, though it is short and nothing marks it.
#[test]
fn who_begins_again_unmarked_is_believed_at_once() {
    let (mut listener, gaps) = stopped();
    let told_to_s = gaps.iter().filter_map(Out::span).next_back().unwrap().1;
    for (index, piece) in beeps(&[(High, 1.0)], 2.0, PLAIN_RATE).chunks(PLAIN_RATE as usize / 10).enumerate() {
        listener.send_at(piece, 20.0 + index as f64 * 0.1).unwrap();
    }
    let outs = listener.finish();
    assert_heard(&outs, &[(High, 21.0)]);
    assert_covered(&outs, told_to_s, 22.0);
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "no text was moved");
    let heard_s = listener.stats().get::<f64>("audio-seconds").unwrap();
    assert!((heard_s - 4.0).abs() < 0.001, "{heard_s} s");
}

#[test]
fn who_begins_again_without_timestamps_says_it_then() {
    let (mut listener, _) = stopped();
    for (index, piece) in beeps(&[(High, 1.0)], 2.0, PLAIN_RATE).chunks(PLAIN_RATE as usize / 10).enumerate() {
        listener.set_time(20.1 + index as f64 * 0.1);
        listener.harness.push(buffer(piece, None)).unwrap();
    }
    assert_heard(&listener.finish(), &[(High, 21.0)]);
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "no text was moved");
}

#[test]
fn who_begins_again_with_the_same_segment_goes_on() {
    let (mut listener, gaps) = stopped();
    let told_to_s = gaps.iter().filter_map(Out::span).next_back().unwrap().1;
    assert!(listener.segment(0.0));
    listener.speak_in_time(&beeps(&[(High, 1.0)], 2.0, PLAIN_RATE), 20.0);
    let outs = listener.finish();
    assert_heard(&outs, &[(High, 21.0)]);
    assert_covered(&outs, told_to_s, 22.0);
}

#[test]
fn events_do_not_hide_that_a_source_has_stopped() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    let mut outs = Vec::new();
    for step in 1..=20 {
        std::thread::sleep(Duration::from_millis(50));
        listener.set_time(2.0 + 0.35 * f64::from(step));
        listener.event(gst::event::CustomDownstream::new(gst::Structure::new_empty("something")));
        outs.extend(listener.take());
    }
    std::thread::sleep(A_WHILE);
    outs.extend(listener.take());
    assert_eq!(words(&outs), [Low.word()], "at 9 s");
}

#[test]
fn no_gap_of_one_stream_is_told_in_the_next() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    listener.finish();
    listener.set_time(20.0);
    listener.event(gst::event::StreamStart::new("second"));
    std::thread::sleep(A_WHILE);
    assert!(listener.take().iter().all(|out| out.span().is_none()), "its segment is to come");
}

#[test]
fn how_long_a_source_took_to_begin_is_not_waited_for_when_it_stops() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.set_time(5.0);
    std::thread::sleep(A_WHILE);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 5.0);
    std::thread::sleep(A_WHILE);
    listener.set_time(10.0);
    let outs = listener.take_until(ends_after(6.9));
    assert_heard(&outs, &[(Low, 6.0)]);
    listener.no_error();
}

#[test]
fn a_live_source_that_does_not_begin_has_gaps() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.set_time(20.0);
    let outs = listener.take_until(ends_after(12.0));
    assert_up_to_date(&outs, 0.0, 12.0);
}

#[test]
fn a_live_source_may_send_much_at_a_time() {
    const PIECE_S: f64 = 1.5;
    let said = [(Low, 1.4), (High, 4.4), (Low, 7.4)];
    let mut listener = Listener::plain_paced(Pace::Live);
    let samples = beeps(&said, 9.0, PLAIN_RATE);
    for (index, piece) in samples.chunks((PIECE_S * f64::from(PLAIN_RATE)) as usize).enumerate() {
        listener.set_time((index + 1) as f64 * PIECE_S);
        std::thread::sleep(A_WHILE / 2);
        listener.send_at(piece, index as f64 * PIECE_S).unwrap();
    }
    let outs = listener.finish();
    assert_heard(&outs, &said);
    assert_eq!(marks(&outs), [true, false, false], "one stretch");
}

#[test]
fn nothing_is_told_of_time_that_does_not_pass() {
    let mut listener = Listener::plain_paced(Pace::Live);
    listener.speak_in_time(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    std::thread::sleep(A_WHILE);
    listener.element.set_state(gst::State::Paused).unwrap();
    listener.set_time(60.0);
    std::thread::sleep(A_WHILE);
    assert!(listener.take().iter().all(|out| out.span().is_none()), "in PAUSED");
    listener.element.set_base_time(gst::ClockTime::from_seconds(58));
    listener.element.set_state(gst::State::Playing).unwrap();
    listener.set_time(64.0);
    let outs = listener.take_until(ends_after(1.9));
    assert_heard(&outs, &[(Low, 1.0)]);
    listener.finish();
    listener.set_time(99.0);
    std::thread::sleep(A_WHILE);
    assert!(listener.take().is_empty(), "after EOS");
}

#[test]
fn a_file_that_waits_is_left_alone() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    std::thread::sleep(A_WHILE);
    assert!(listener.take().iter().all(|out| out.span().is_none()));
    assert_eq!(words(&listener.finish()), [Low.word()]);
}

/// A live element whose weights, which nobody has packed before, take seconds to load.
fn slow_to_load() -> Listener {
    let listener = Listener::paced(Pace::Live);
    listener.element.set_property("model", "base");
    listener.element.set_property("threads", 1_u32);
    listener.element.set_property_from_str("device", "npu-emulator");
    listener
}

#[test]
fn a_model_that_loads_slowly_is_not_blamed_on_timestamps() {
    let name = "stalls::a_model_that_loads_slowly_is_not_blamed_on_timestamps";
    in_own_process(name, &[("WHISPERNPU_CACHE", "off")], || {
        let mut listener = slow_to_load();
        listener.element.set_property("latency", 2000_u32);
        listener.play(crate::listener::PLAIN);
        listener.speak_in_time(&beeps(&[], 5.0, PLAIN_RATE), 0.0);
        listener.take_until(ends_after(2.5));
        assert_eq!(listener.element.property::<Option<String>>("active-device"), None, "it was loaded before");
        let warning = listener.warning();
        assert!(warning.contains("waited for the model until the time line was at"), "{warning}");
    });
}

#[test]
fn until_the_model_is_there_time_goes_on() {
    let name = "stalls::until_the_model_is_there_time_goes_on";
    in_own_process(name, &[("WHISPERNPU_CACHE", "off")], || {
        let mut listener = slow_to_load();
        listener.play(crate::listener::PLAIN);
        listener.speak_in_time(&beeps(&[], 2.0, PLAIN_RATE), 0.0);
        listener.set_time(60.0);
        let outs = listener.take_until(ends_after(52.0));
        assert_eq!(listener.element.property::<Option<String>>("active-device"), None, "it was loaded before");
        assert_up_to_date(&outs, 0.0, 52.0);
        let started = std::time::Instant::now();
        listener.element.set_state(gst::State::Null).unwrap();
        assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
    });
}
