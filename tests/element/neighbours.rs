//! Elements that share an engine: what one of them suffers is no matter to the other.

use gst::prelude::*;

use crate::{
    beeps::{
        Tone::{High, Low},
        beeps,
    },
    listener::{Listener, PLAIN, PLAIN_RATE, Pace, assert_heard},
};

/// Has one element come to grief while another one is in the middle of a sentence.
fn beside(pace: Pace, prepare: impl FnOnce(&Listener), grief: impl FnOnce(&mut Listener)) {
    let mut healthy = Listener::paced(pace);
    healthy.play(PLAIN);
    let mut failing = Listener::paced(pace);
    prepare(&failing);
    failing.play(PLAIN);
    let samples = beeps(&[(Low, 1.0), (High, 3.0)], 5.0, PLAIN_RATE);
    let (before, after) = samples.split_at(2 * PLAIN_RATE as usize);
    healthy.speak(before, 0.0);
    failing.speak(before, 0.0);
    grief(&mut failing);
    healthy.speak(after, 2.0);
    assert_heard(&healthy.finish(), &[(Low, 1.0), (High, 3.0)]);
    healthy.no_error();
}

#[test]
fn one_asks_for_what_the_model_cannot_do() {
    for pace in Pace::BOTH {
        beside(
            pace,
            |failing| failing.element.set_property("language-code", "fr"),
            |failing| {
                failing.event(gst::event::Eos::new());
                assert!(failing.error().contains("fr"));
            },
        );
    }
}

#[test]
fn downstream_of_one_fails() {
    for pace in Pace::BOTH {
        beside(
            pace,
            |failing| {
                failing.element.static_pad("src").unwrap().add_probe(gst::PadProbeType::BUFFER, |_, info| {
                    info.flow_res = Err(gst::FlowError::Error);
                    gst::PadProbeReturn::Handled
                });
            },
            |failing| {
                failing.event(gst::event::Eos::new());
                failing.error();
            },
        );
    }
}

#[test]
fn one_is_stopped_and_goes_away() {
    for pace in Pace::BOTH {
        beside(
            pace,
            |_| {},
            |failing| {
                failing.event(gst::event::Eos::new());
                failing.element.set_state(gst::State::Null).unwrap();
            },
        );
    }
}
