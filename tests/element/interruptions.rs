//! What comes in the middle of something else.

use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::{
    beeps::{
        LENGTH_S,
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_heard, words},
};

/// What a stop or a flush may take, inference or not.
const QUICK: Duration = Duration::from_millis(200);

/// Nothing in these tests takes as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listener whose window is being encoded, which takes the emulated array long.
fn encoding(pace: Pace) -> Listener {
    let mut listener = Listener::paced(pace);
    listener.element.set_property_from_str("device", "npu-emulator");
    listener.element.set_property_from_str("npu-stages", "encoder");
    listener.element.set_property("latency", 60_000_u32);
    listener.play(PLAIN);
    listener.message(gst::MessageType::Element);
    let before = launches(&listener);
    listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
    let started = Instant::now();
    while launches(&listener) == before {
        assert!(started.elapsed() < PATIENCE, "nothing is encoded");
        std::thread::yield_now();
    }
    listener
}

fn launches(listener: &Listener) -> u64 {
    listener.stats().get("npu-launches").unwrap()
}

/// Checks that `interrupt` does not wait for the window that is being encoded.
#[track_caller]
fn assert_quick(pace: Pace, interrupt: impl FnOnce(&mut Listener)) -> Listener {
    let mut listener = encoding(pace);
    let started = Instant::now();
    interrupt(&mut listener);
    let elapsed = started.elapsed();
    assert_eq!(listener.stats().get::<u64>("windows").unwrap(), 0, "the window was done before");
    assert!(elapsed < QUICK, "{pace:?}: {elapsed:?}");
    listener
}

#[test]
fn to_ready_while_a_window_is_encoded() {
    for pace in Pace::BOTH {
        let mut listener = assert_quick(pace, |listener| {
            listener.element.set_state(gst::State::Ready).unwrap();
        });
        listener.take();
        listener.play(PLAIN);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 0.0);
        assert_heard(&listener.finish(), &[(High, 1.0)]);
        listener.no_error();
    }
}

#[test]
fn a_seek_while_a_window_is_encoded() {
    for pace in Pace::BOTH {
        let mut listener = assert_quick(pace, |listener| {
            listener.event(gst::event::FlushStart::new());
            listener.event(gst::event::FlushStop::new(true));
        });
        listener.take();
        listener.segment(60.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 60.0);
        assert_heard(&listener.finish(), &[(High, 61.0)]);
        listener.no_error();
    }
}

#[test]
fn a_pause_while_a_window_is_encoded_keeps_the_text() {
    for pace in Pace::BOTH {
        let mut listener = assert_quick(pace, |listener| {
            listener.element.set_state(gst::State::Paused).unwrap();
            if pace == Pace::Live {
                // As a pipeline does, whose clock runs on.
                listener.set_time(600.0);
                std::thread::sleep(QUICK / 4);
                listener.element.set_base_time(gst::ClockTime::from_seconds(600));
            }
            listener.element.set_state(gst::State::Playing).unwrap();
        });
        assert_eq!(words(&listener.finish()), [Low.word()]);
        assert_eq!(listener.stats().get::<f64>("skipped-seconds").unwrap(), 0.0);
    }
}

#[test]
fn the_element_goes_away_while_a_window_is_encoded() {
    for pace in Pace::BOTH {
        drop(assert_quick(pace, |listener| {
            listener.element.set_state(gst::State::Null).unwrap();
        }));
    }
}

#[test]
fn eos_within_a_word_writes_it_to_where_it_was_cut() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        let samples = beeps(&[(Low, 1.0), (High, 3.0)], 3.0 + LENGTH_S, PLAIN_RATE);
        let heard_s = 3.0 + LENGTH_S * 2.0 / 3.0;
        listener.speak(&samples[..(heard_s * f64::from(PLAIN_RATE)) as usize], 0.0);
        let outs = listener.finish();
        assert_eq!(words(&outs), [Low, High].map(|tone| tone.word()));
        let (start_s, end_s) =
            outs.iter().rev().find(|out| matches!(out, Out::Text { .. })).and_then(Out::span).unwrap();
        assert!((start_s - 3.0).abs() < 0.1 && (end_s - heard_s).abs() < 0.15, "{start_s} to {end_s} s");
        assert!(matches!(outs.last(), Some(Out::Event(gst::EventType::Eos, _))));
    }
}

#[test]
fn what_may_change_while_playing_changes_without_a_break() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.element.set_property("latency", 4000_u32);
        listener.play(PLAIN);
        let changes =
            [("language-code", "de"), ("task", "translate"), ("granularity", "word"), ("language-code", "auto")];
        let expected = [Middle.german_word(), Middle.word(), Middle.word(), Middle.word()];
        // A window is 30 s of a file, and 3 s of a live stream.
        let length_s = if pace == Pace::File { 31.0 } else { 6.0 };
        listener.speak(&beeps(&[(Low, 0.5)], length_s, PLAIN_RATE), 0.0);
        let is_text = |out: &Out| matches!(out, Out::Text { .. });
        assert_eq!(words(&listener.take_until(is_text)), [Low.word()]);
        for (index, ((property, value), expected)) in changes.into_iter().zip(expected).enumerate() {
            listener.element.set_property_from_str(property, value);
            let from_s = length_s * (index + 1) as f64;
            listener.speak(&beeps(&[(Middle, 2.5)], length_s, PLAIN_RATE), from_s);
            let outs = listener.take_until(is_text);
            assert_eq!(words(&outs), [expected], "{pace:?}: {property}={value}");
        }
        listener.no_error();
    }
}

#[test]
fn properties_that_change_all_the_time_do_no_harm() {
    for pace in Pace::BOTH {
        let mut listener = Listener::paced(pace);
        listener.play(PLAIN);
        let element = listener.element.clone();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let outs = std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0_u32.. {
                    if is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    element.set_property("word-times", round % 2 == 0);
                    element.set_property("latency", 4000 + round % 1000);
                    element.property::<gst::Structure>("stats");
                    std::thread::yield_now();
                }
            });
            listener.speak(&beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE), 0.0);
            let outs = listener.finish();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            outs
        });
        assert_heard(&outs, &[(Low, 1.0), (High, 3.0)]);
        listener.no_error();
    }
}

#[test]
fn a_window_that_takes_too_long_is_given_up_and_the_next_is_not() {
    let mut listener = encoding(Pace::Live);
    listener.set_time(90.0);
    let warning = listener.warning();
    assert!(warning.contains("smaller model") && !warning.contains("queue"), "{warning}");
    let skipped = listener.message(gst::MessageType::Qos);
    assert!(matches!(skipped.view(), gst::MessageView::Qos(qos) if qos.get().0));
    let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 30.9));
    assert_eq!(words(&outs), [""; 0]);
    listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 31.0);
    let outs = listener.finish();
    assert_eq!(words(&outs), [High.word()], "{outs:#?}");
    assert!((listener.stats().get::<f64>("skipped-seconds").unwrap() - 31.0).abs() < 0.1);
    listener.no_error();
}
