//! Live text: when it is final, what is told before it is, and what happens when it comes too late.

use std::sync::{Arc, Condvar, Mutex};

use gst::{ClockTime, prelude::*};

use crate::{
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, Pace, assert_covered, in_seconds, words},
    subtitles::subtitles,
};

/// A live element that nothing was sent to.
fn live(policy: &str, partials: bool) -> Listener {
    let mut listener = Listener::paced(Pace::Live);
    listener.element.set_property_from_str("commit-policy", policy);
    listener.element.set_property("partials", partials);
    listener.play(PLAIN);
    listener
}

/// Holds texts up.
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn before(pad: &gst::Pad) -> Self {
        let gate = Arc::<(Mutex<bool>, Condvar)>::default();
        let held = gate.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            let mut is_open = held.0.lock().unwrap();
            while !*is_open {
                is_open = held.1.wait(is_open).unwrap();
            }
            gst::PadProbeReturn::Ok
        });
        Self(gate)
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// A live element of which downstream takes the first text, of 8 s, when the gate opens.
fn held_up() -> (Listener, Gate) {
    let mut listener = Listener::paced(Pace::Live);
    let gate = Gate::before(&listener.element.static_pad("src").unwrap());
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 8.0, PLAIN_RATE), 0.0);
    listener.take_until(is_text);
    (listener, gate)
}

fn is_text(out: &Out) -> bool {
    matches!(out, Out::Text { .. })
}

fn is_final(subtitle: &gst::Structure) -> bool {
    subtitle.get::<bool>("final").unwrap()
}

#[test]
fn words_are_final_while_somebody_speaks() {
    for policy in ["local-agreement", "align-att"] {
        let mut listener = live(policy, false);
        // As time would, in steps: what has come by then is heard before anything is written.
        for step in 0..10 {
            let samples = beeps(&[(Low, 1.0), (High, 2.0), (Low, 3.0), (High, 4.0)], 5.0, PLAIN_RATE);
            let half = PLAIN_RATE as usize / 2;
            listener.speak(&samples[step * half..][..half], step as f64 / 2.0);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let early = listener.take_until(is_text);
        let late = listener.finish();
        assert_eq!([words(&early), words(&late)].concat().join(" "), "do so do so", "{policy}");
        assert_covered(&[early, late].concat(), 0.0, 5.0);
    }
}

#[test]
fn at_a_pause_nothing_is_final_before_it() {
    let mut listener = live("segment", false);
    listener.speak(&beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE), 0.0);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(words(&listener.take()), [""; 0]);
    assert_eq!(words(&listener.finish()).join(" "), "do so");
}

#[test]
fn partials_are_told_and_never_pushed() {
    let mut listener = live("segment", true);
    listener.speak(&beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE), 0.0);
    // The first may be told before all of it has come.
    let is_whole = |subtitle: &gst::Structure| !is_final(subtitle) && subtitle.get::<&str>("text") == Ok("do so");
    let early = listener.take_until(|out| subtitles(std::slice::from_ref(out)).iter().any(is_whole));
    assert!(!early.iter().any(is_text));
    let partials = subtitles(&early);
    let partial = partials.last().unwrap();
    assert!(in_seconds(partial.get::<ClockTime>("end-time").unwrap()) <= 3.0);
    let late = listener.finish();
    let finals: Vec<_> = subtitles(&late).into_iter().filter(is_final).collect();
    let texts: Vec<_> = finals.iter().map(|subtitle| subtitle.get::<String>("text").unwrap()).collect();
    assert_eq!(texts, words(&late));
    assert_eq!(texts.join(" "), "do so");
    let told = std::iter::from_fn(|| listener.bus.pop_filtered(&[gst::MessageType::Element]));
    let told = told.filter_map(|message| message.structure().map(ToOwned::to_owned));
    let kinds: Vec<bool> =
        told.filter(|said| said.name() == "whispernpu/subtitle").map(|said| is_final(&said)).collect();
    assert!(kinds.contains(&false) && kinds.ends_with(&vec![true; finals.len()]), "{kinds:?}");
}

#[test]
fn what_is_told_is_taken_back_when_it_is_skipped_or_no_longer_wanted() {
    for is_wanted in [true, false] {
        let mut listener = live("segment", true);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        let is_partial = |out: &Out| subtitles(std::slice::from_ref(out)).iter().any(|subtitle| !is_final(subtitle));
        listener.take_until(is_partial);
        match is_wanted {
            true => listener.set_time(60.0),
            false => listener.element.set_property("partials", false),
        }
        listener.speak(&beeps(&[], 0.5, PLAIN_RATE), 3.0);
        let outs = listener.take_until(is_partial);
        assert_eq!(subtitles(&outs)[0].get::<&str>("text").unwrap(), "");
    }
}

#[test]
fn a_line_that_is_skipped_ends() {
    let mut listener = live("align-att", false);
    let samples = beeps(&[(Low, 1.0), (High, 2.0), (Low, 3.0)], 4.0, PLAIN_RATE);
    for (index, half) in samples.chunks(PLAIN_RATE as usize / 2).enumerate() {
        listener.speak(half, index as f64 / 2.0);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let is_end = |out: &Out| match out {
        Out::Event(gst::EventType::CustomDownstream, event) => {
            event.structure().is_some_and(|structure| structure.name() == "rstranscribe/final-transcript")
        }
        _ => false,
    };
    let outs = listener.take_until(is_text);
    assert!(!outs.iter().any(is_end));
    listener.set_time(60.0);
    listener.speak(&beeps(&[], 1.0, PLAIN_RATE), 4.0);
    listener.take_until(is_end);
    listener.message(gst::MessageType::Qos);
    assert!(!listener.finish().iter().any(is_end), "it has ended");
}

#[test]
fn who_is_late_tells_nothing_that_may_change() {
    // Late for the longest delay, or for the latency of 8 s.
    for (longest_ms, late_s, is_told) in
        [(10_000_u32, 0.0, true), (10_000, 5.0, false), (120_000, 5.0, true), (120_000, 8.5, false)]
    {
        let mut listener = live("segment", true);
        listener.element.set_property("max-delay", longest_ms);
        let gate = Gate::before(&listener.element.static_pad("src").unwrap());
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.segment(10.0);
        listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 10.0);
        listener.set_time(late_s);
        gate.open();
        listener.take_until(is_text);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let partials = listener.finish();
        assert_eq!(words(&partials).join(" "), "so", "{late_s} s late");
        assert_eq!(!subtitles(&partials).iter().all(is_final), is_told, "{late_s} s late");
        assert_eq!(listener.stats().get::<f64>("skipped-seconds").unwrap(), 0.0);
    }
}

#[test]
fn without_partials_all_that_is_told_is_final() {
    let mut listener = live("align-att", false);
    listener.speak(&beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE), 0.0);
    assert!(subtitles(&listener.finish()).iter().all(is_final));
}

#[test]
fn what_is_too_late_is_skipped_and_what_follows_is_not() {
    let (mut listener, gate) = held_up();
    listener.element.set_property("max-delay", 10_000_u32);
    listener.speak(&beeps(&[(High, 2.0)], 12.0, PLAIN_RATE), 8.0);
    listener.set_time(60.0);
    listener.speak(&beeps(&[(Low, 3.0)], 5.0, PLAIN_RATE), 20.0);
    gate.open();
    let outs = listener.finish();
    assert_eq!(words(&outs), [Low.word()], "{outs:#?}");
    assert!(outs.iter().any(|out| matches!(out, Out::Text { discont: true, .. })));
    let skipped_s = listener.stats().get::<f64>("skipped-seconds").unwrap();
    assert!(skipped_s > 10.0, "{skipped_s} s");
    let warning = listener.warning();
    assert!(warning.contains("queue") && !warning.contains("model"), "{warning}");
    listener.message(gst::MessageType::Qos);
    listener.no_error();
}

#[test]
fn what_is_dropped_while_downstream_blocks_is_told_at_once_with_its_times() {
    let (mut listener, gate) = held_up();
    listener.speak_in_time(&vec![0.0; 62 * PLAIN_RATE as usize], 8.0);
    let warning = listener.warning();
    assert!(warning.contains("downstream held up text for 60."), "{warning}");
    let message = listener.message(gst::MessageType::Qos);
    let gst::MessageView::Qos(qos) = message.view() else { unreachable!() };
    let (_, running_time, stream_time, timestamp, duration) = qos.get();
    let from = Some(gst::ClockTime::from_seconds(8));
    assert_eq!([running_time, stream_time, timestamp], [from; 3]);
    assert!(duration.is_some_and(|duration| duration.seconds() == 10), "{duration:?}");
    gate.open();
    listener.finish();
    listener.no_error();
    // What follows has nothing to do with it, though its running times are the same.
    listener.element.set_state(gst::State::Null).unwrap();
    while listener.bus.pop().is_some() {}
    listener.element.set_base_time(gst::ClockTime::from_seconds(100));
    listener.set_time(100.0);
    listener.play(PLAIN);
    for index in 0..8 {
        listener.set_time(101.0 + f64::from(index));
        listener.send_at(&beeps(&[], 1.0, PLAIN_RATE), f64::from(index)).unwrap();
    }
    listener.set_time(160.0);
    listener.speak(&beeps(&[], 0.1, PLAIN_RATE), 8.0);
    let warning = listener.warning();
    assert!(warning.contains("transcription is slower"), "{warning}");
}

#[test]
fn what_is_dropped_in_paused_is_not_blamed_on_the_machine() {
    let (mut listener, gate) = held_up();
    listener.element.set_state(gst::State::Paused).unwrap();
    listener.speak(&vec![0.0; 62 * PLAIN_RATE as usize], 8.0);
    let warning = listener.warning();
    assert!(warning.contains("not in PLAYING"), "{warning}");
    gate.open();
}

/// What came to `unsynced_src`: types of events, and lines.
struct Unsynced {
    pad: gst::Pad,
    events: Arc<Mutex<Vec<gst::EventType>>>,
    lines: Arc<Mutex<String>>,
}

impl Unsynced {
    fn of(listener: &Listener) -> Self {
        let (events, lines) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<String>>::default());
        let (came, kept) = (events.clone(), lines.clone());
        let pad = gst::Pad::builder(gst::PadDirection::Sink)
            .event_function(move |_, _, event| {
                came.lock().unwrap().push(event.type_());
                true
            })
            .chain_function(move |_, _, buffer| {
                let line = buffer.map_readable().unwrap();
                kept.lock().unwrap().push_str(std::str::from_utf8(&line).unwrap());
                // Whatever it answers is no matter to the text.
                Err(gst::FlowError::Error)
            })
            .build();
        pad.set_active(true).unwrap();
        listener.element.static_pad("unsynced_src").unwrap().link(&pad).unwrap();
        Self { pad, events, lines }
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        self.lines.lock().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn whoever_wants_it_unsynced_gets_lines_of_json() {
    let mut listener = live("segment", true);
    let unsynced = Unsynced::of(&listener);
    listener.speak(&beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    assert_eq!(words(&outs).join(" "), "do so");
    let lines = unsynced.lines();
    let finals: Vec<_> = lines.iter().filter(|line| line["final"] == true).collect();
    assert_eq!(finals.iter().map(|line| line["text"].as_str().unwrap()).collect::<Vec<_>>(), words(&outs));
    assert!(finals[0]["start-time"].as_f64().unwrap() < 1.15 && finals[0]["language"] == "en");
    assert_eq!(finals[0]["words"][0]["text"], "do");
    assert_eq!(unsynced.pad.current_caps().unwrap().to_string(), "application/x-json");
    listener.no_error();
}

#[test]
fn the_unsynced_stream_begins_and_ends() {
    use gst::EventType;
    let mut listener = Listener::paced(Pace::Live);
    let unsynced = Unsynced::of(&listener);
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.finish();
    let mut events = unsynced.events.lock().unwrap();
    let count = events.len();
    events.retain(|event| *event != EventType::Gap);
    assert_eq!(*events, [EventType::StreamStart, EventType::Caps, EventType::Segment, EventType::Eos]);
    assert!(events.len() < count, "the time before the text is told");
}

#[test]
fn unsynced_lines_have_the_times_of_the_events() {
    let mut listener = live("segment", false);
    listener.element.set_property("lateness", 1500_u32);
    let unsynced = Unsynced::of(&listener);
    // A text that comes in time, and one that stands where time was over.
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    listener.event(gst::event::Gap::builder(ClockTime::from_seconds(3)).duration(ClockTime::from_seconds(10)).build());
    listener.speak(&beeps(&[(High, 1.0)], 3.0, PLAIN_RATE), 8.0);
    let outs = listener.finish();
    let seconds = |subtitle: &gst::Structure, name| in_seconds(subtitle.get::<ClockTime>(name).unwrap());
    let told: Vec<_> =
        subtitles(&outs).iter().map(|said| [seconds(said, "start-time"), seconds(said, "end-time")]).collect();
    assert!(told.len() == 2 && (told[1][0] - 13.0).abs() < 1e-6, "{told:?}");
    let lines = unsynced.lines();
    let lines: Vec<_> =
        lines.iter().map(|line| ["start-time", "end-time"].map(|name| line[name].as_f64().unwrap())).collect();
    assert_eq!(lines, told);
}

#[test]
fn lateness_moves_running_times() {
    let mut listener = live("segment", false);
    listener.element.set_property("lateness", 1500_u32);
    listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    let (start_s, _) = outs.iter().find(|out| is_text(out)).and_then(Out::span).unwrap();
    assert!(start_s < 1.15);
    let sink = listener.element.static_pad("src").unwrap().peer().unwrap();
    let segment = sink.sticky_event::<gst::event::Segment>(0).unwrap();
    let segment = segment.segment().downcast_ref::<ClockTime>().unwrap();
    assert_eq!(segment.to_running_time(ClockTime::from_seconds(1)), Some(ClockTime::from_mseconds(2500)));
}
