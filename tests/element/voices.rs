//! Live speech and silence, told apart by the installed detector.

use std::time::Duration;

use gst::prelude::*;

use crate::{
    listener::{Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_covered, words},
    toy::{Phrase, beeps},
};

const LATENCY_S: f64 = 4.0;
/// What is heard between two looks.
const STEP_S: f64 = 0.5;
/// What hearing it may take, and a window with it.
const STEP: Duration = Duration::from_millis(100);

/// A live element with the detector, for which a beep of 300 Hz is a voice.
fn listening() -> Listener {
    let mut listener = Listener::paced(Pace::Live);
    listener.element.set_property_from_str("voice-activity", "on");
    for (property, value) in [("voice-onset", 0.1_f32), ("voice-offset", 0.06)] {
        listener.element.set_property(property, value);
    }
    listener.element.set_property("voice-min-speech", 30_u32);
    listener.element.set_property("latency", (LATENCY_S * 1e3) as u32);
    listener.play(PLAIN);
    listener
}

fn speech() -> Phrase {
    Phrase::new(1.0, &[0, 0, 0])
}

/// Speaks as time goes and gives, for each step, the time at its end and what had left by then.
fn heard(listener: &mut Listener, samples: &[f32], from_s: f64) -> Vec<(f64, Vec<Out>)> {
    let step = (STEP_S * f64::from(PLAIN_RATE)) as usize;
    let steps = samples.chunks(step).enumerate().map(|(index, samples)| {
        let start_s = from_s + index as f64 * STEP_S;
        listener.speak_in_time(samples, start_s);
        std::thread::sleep(STEP);
        (start_s + STEP_S, listener.take())
    });
    steps.collect()
}

fn windows(listener: &Listener) -> u64 {
    listener.stats().get("windows").unwrap()
}

fn is_text(out: &Out) -> bool {
    matches!(out, Out::Text { .. })
}

fn all(steps: &[(f64, Vec<Out>)]) -> Vec<Out> {
    steps.iter().flat_map(|(_, outs)| outs.clone()).collect()
}

#[test]
fn silence_costs_nothing_and_time_goes_on() {
    const LENGTH_S: f64 = 10.0;
    let mut listener = listening();
    let steps = heard(&mut listener, &beeps(&[], LENGTH_S), 0.0);
    let mut told_s = 0.0;
    for (now_s, outs) in &steps {
        told_s = outs.iter().filter_map(Out::span).map(|(_, end_s)| end_s).fold(told_s, f64::max);
        assert!(told_s > now_s - LATENCY_S, "{told_s} s at {now_s} s");
    }
    let outs = all(&steps);
    assert_eq!((words(&outs), windows(&listener)), (vec![], 0));
    assert!(told_s > LENGTH_S - 2.0, "{told_s} s");
    assert_covered(&outs, 0.0, told_s);
    let gaps = outs.iter().filter(|out| matches!(out, Out::Gap { .. })).count();
    assert!(gaps as f64 <= 5.0 * LENGTH_S, "{gaps} gaps");
}

#[test]
fn what_was_said_is_written_in_the_pause_and_the_pause_costs_nothing() {
    let mut listener = listening();
    let steps = heard(&mut listener, &beeps(&[speech()], 6.0), 0.0);
    let outs = all(&steps);
    assert_eq!(words(&outs), [speech().text()]);
    let (_, end_s) = outs.iter().find(|out| is_text(out)).and_then(Out::span).unwrap();
    let (now_s, _) = steps.iter().find(|(_, outs)| outs.iter().any(is_text)).unwrap();
    assert!(now_s - end_s <= LATENCY_S, "{end_s} s is written at {now_s} s");
    assert!(listener.element.property::<u32>("max-observed-delay") <= (LATENCY_S * 1e3) as u32);
    let spent = windows(&listener);
    let silence = heard(&mut listener, &beeps(&[], 6.0), 6.0);
    assert_eq!((words(&all(&silence)), windows(&listener)), (vec![], spent));
    listener.no_error();
}

#[test]
fn what_was_said_is_written_when_the_source_stops_behind_it() {
    let mut listener = listening();
    let mut outs = all(&heard(&mut listener, &beeps(&[speech()], speech().end() + 0.05), 0.0));
    assert_eq!(words(&outs), [""; 0]);
    listener.set_time(speech().end() + LATENCY_S * 0.75);
    outs.extend(listener.take_until(is_text));
    assert_eq!(words(&outs), [speech().text()]);
    listener.no_error();
}

#[test]
fn a_word_in_front_of_a_silence_that_is_too_short_to_count_is_heard() {
    let mut listener = listening();
    listener.element.set_property("voice-min-speech", 1500_u32);
    listener.element.set_property("voice-min-silence", 2000_u32);
    let phrases = [speech(), Phrase::new(3.6, &[0, 1, 0])];
    let mut outs = all(&heard(&mut listener, &beeps(&phrases, 8.0), 0.0));
    outs.extend(listener.finish());
    assert_eq!(words(&outs).join(" "), phrases.each_ref().map(Phrase::text).join(" "));
}
