//! States: every start is clean, every stop is quick, and nothing piles up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gst::prelude::*;

use crate::{
    alone::in_own_process,
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, PLAIN, PLAIN_RATE, Pace, assert_heard, init},
};

/// What a state change may take, inference or not.
const QUICK: Duration = Duration::from_millis(200);

/// Less than a tenth of a stream's audio kept from each of 200 cycles; the allocator alone keeps some megabytes.
const LEAK_BYTES: u64 = 32 << 20;

#[test]
fn ready_forgets_the_stream() {
    for pace in Pace::BOTH {
        let mut listener = Listener::plain_paced(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE), 0.0);
        listener.element.set_state(gst::State::Ready).unwrap();
        listener.take();
        listener.element.set_state(gst::State::Playing).unwrap();
        listener.event(gst::event::StreamStart::new("again"));
        listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap()));
        listener.segment(0.0);
        listener.speak(&beeps(&[(High, 2.0)], 3.0, PLAIN_RATE), 0.0);
        assert_heard(&listener.finish(), &[(High, 2.0)]);
    }
}

#[test]
fn a_stop_does_not_wait_for_the_engine() {
    let mut listener = Listener::idle();
    listener.play(PLAIN);
    listener.message(gst::MessageType::Element);
    listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    listener.element.set_state(gst::State::Ready).unwrap();
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
}

/// An application may hold either pad up, as it does to link something else behind it.
#[test]
fn a_stop_does_not_wait_for_who_holds_a_pad_up() {
    for held in ["src", "unsynced_src"] {
        let mut listener = Listener::idle();
        let pad = listener.element.static_pad(held).unwrap();
        let sink =
            gst::Pad::builder(gst::PadDirection::Sink).chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok)).build();
        if held == "unsynced_src" {
            sink.set_active(true).unwrap();
            pad.link(&sink).unwrap();
        }
        listener.play(PLAIN);
        let is_held = Arc::new(AtomicBool::new(false));
        let holds = is_held.clone();
        let probe = pad.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, move |_, _| {
            holds.store(true, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
        listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
        listener.event(gst::event::Eos::new());
        let is_in_time = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            is_held.load(Ordering::Relaxed)
        });
        assert!(is_in_time, "nothing came to {held}");
        let (done, stopped) = std::sync::mpsc::channel();
        let element = listener.element.clone();
        std::thread::spawn(move || done.send(element.set_state(gst::State::Null).is_ok()));
        let is_stopped = stopped.recv_timeout(Duration::from_secs(5));
        pad.remove_probe(probe.unwrap());
        assert_eq!(is_stopped, Ok(true), "{held}");
    }
}

#[test]
fn a_stop_does_not_wait_for_the_model() {
    let mut listener = Listener::idle();
    listener.play(PLAIN);
    listener.speak(&beeps(&[(Low, 1.0)], 31.0, PLAIN_RATE), 0.0);
    let started = Instant::now();
    listener.element.set_state(gst::State::Null).unwrap();
    assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
}

#[test]
fn a_stop_wakes_an_upstream_that_waits_for_room() {
    let mut listener = Listener::idle();
    listener.play(PLAIN);
    let element = listener.element.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        let started = Instant::now();
        element.set_state(gst::State::Ready).unwrap();
        started.elapsed()
    });
    let minute = vec![0.0; 60 * PLAIN_RATE as usize];
    let refused = (0..1_000).find_map(|index| listener.send_at(&minute, f64::from(index) * 60.0).err());
    assert_eq!(refused, Some(gst::FlowError::Flushing));
    let elapsed = stopper.join().unwrap();
    assert!(elapsed < QUICK, "{elapsed:?}");
}

#[test]
fn an_element_that_goes_away_while_it_loads_is_no_trouble() {
    init();
    for _ in 0..20 {
        let element = gst::ElementFactory::make("whispernpu")
            .property("model", crate::beeps::MODEL)
            .property_from_str("voice-activity", "off")
            .build()
            .unwrap();
        element.set_state(gst::State::Ready).unwrap();
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn two_hundred_starts_and_stops_keep_the_memory_flat() {
    in_own_process("states::two_hundred_starts_and_stops_keep_the_memory_flat", &[], || {
        let mut listener = Listener::idle();
        let mut cycle = |count: usize| {
            for _ in 0..count {
                listener.element.set_state(gst::State::Playing).unwrap();
                listener.event(gst::event::StreamStart::new("cycle"));
                listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap()));
                listener.segment(0.0);
                listener.speak(&beeps(&[(Low, 0.5)], 31.0, PLAIN_RATE), 0.0);
                listener.element.set_state(gst::State::Null).unwrap();
                while listener.harness.try_pull().is_some() || listener.harness.try_pull_event().is_some() {}
                while listener.bus.pop().is_some() {}
            }
        };
        cycle(50);
        let before = resident_bytes();
        cycle(200);
        let grown = resident_bytes().saturating_sub(before);
        assert!(grown < LEAK_BYTES, "{grown} bytes more after 200 cycles");
    });
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
