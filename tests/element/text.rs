//! What is said comes out as text, once, in order and at its time.

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, Out, PLAIN_RATE, assert_covered, assert_heard, events, words},
};

#[test]
fn eos_drains() {
    let said = [(Low, 1.0), (High, 3.0)];
    let mut listener = Listener::plain();
    listener.speak(&beeps(&said, 5.0, PLAIN_RATE), 0.0);
    let outs = listener.finish();
    assert_heard(&outs, &said);
    assert_covered(&outs, 0.0, 5.0);
    listener.no_error();
}
