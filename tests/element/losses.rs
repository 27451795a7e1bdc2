//! Audio that is not all there, or changes its form on the way.

use gst::ClockTime;

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, PLAIN, PLAIN_RATE, Pace, assert_covered, assert_heard, buffer, bytes, marks, seconds},
};

fn playing(pace: Pace) -> Listener {
    let mut listener = Listener::paced(pace);
    listener.play(PLAIN);
    listener
}

/// Sends samples as what comes after a loss.
fn send_discont(listener: &mut Listener, samples: &[f32], pts_s: f64) {
    let mut buffer = buffer(samples, Some(pts_s));
    let writable = buffer.get_mut().unwrap();
    writable.set_flags(gst::BufferFlags::DISCONT | gst::BufferFlags::RESYNC);
    listener.harness.push(buffer).unwrap();
}

#[test]
fn a_mark_on_a_buffer_without_sound_counts() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
        send_discont(&mut listener, &[], 2.5);
        // Alone and unmarked it would not be believed.
        listener.send_at(&beeps(&[(High, 0.2)], 0.9, PLAIN_RATE), 2.5).unwrap();
        assert_heard(&listener.finish(), &[(Low, 1.0), (High, 2.7)]);
        listener.no_error();
    }
}

#[test]
fn gap_events_stand_for_silence() {
    let gap =
        |start_s: f64, length_s: f64| gst::event::Gap::builder(seconds(start_s)).duration(seconds(length_s)).build();
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
        for index in 0..10 {
            assert!(listener.event(gap(2.0 + f64::from(index) * 0.1, 0.1)));
        }
        listener.speak(&beeps(&[(Middle, 0.5)], 2.0, PLAIN_RATE), 3.0);
        assert!(listener.event(gap(5.0, 30.0)));
        let outs = listener.take_until(|out| out.span().is_some_and(|(_, end_s)| end_s > 34.9));
        assert_heard(&outs, &[(Low, 1.0), (Middle, 3.5)]);
        assert_covered(&outs, 0.0, 35.0);
        listener.speak(&beeps(&[(High, 1.0)], 2.0, PLAIN_RATE), 35.0);
        assert_heard(&listener.finish(), &[(High, 36.0)]);
    }
}

#[test]
fn without_timestamps_a_long_gap_counts_too() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak_unstamped(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE)).unwrap();
        listener.event(gst::event::Gap::builder(seconds(2.0)).duration(seconds(5.0)).build());
        listener.speak_unstamped(&beeps(&[(High, 1.0)], 2.0, PLAIN_RATE)).unwrap();
        assert_heard(&listener.finish(), &[(Low, 1.0), (High, 8.0)]);
    }
}

#[test]
fn after_a_short_loss_the_sentence_and_its_clock_go_on() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
        send_discont(&mut listener, &beeps(&[(High, 0.5)], 2.0, PLAIN_RATE), 2.3);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 2.8)]);
        assert_covered(&outs, 0.0, 4.3);
    }
}

#[test]
fn after_a_long_loss_a_new_stretch_begins_at_its_own_time() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
        send_discont(&mut listener, &beeps(&[(High, 1.0)], 2.0, PLAIN_RATE), 12.5);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 13.5)]);
        assert_covered(&outs, 0.0, 14.5);
        assert_eq!(marks(&outs), [true, true]);
    }
}

#[test]
fn many_lost_packets_do_not_let_the_times_drift() {
    for pace in Pace::BOTH {
        let said: Vec<_> = (0..4).map(|index| ([Low, High][index % 2], 0.5 + 3.0 * index as f64)).collect();
        let samples = beeps(&said, 12.0, PLAIN_RATE);
        let mut listener = playing(pace);
        let step = PLAIN_RATE as usize / 50;
        let mut was_lost = false;
        for (index, samples) in samples.chunks(step).enumerate() {
            // One in seven of the packets that hold silence.
            let is_lost = index % 7 == 3 && samples.iter().all(|sample| *sample == 0.0);
            if !is_lost {
                let mut buffer = buffer(samples, Some(index as f64 / 50.0));
                if was_lost {
                    buffer.get_mut().unwrap().set_flags(gst::BufferFlags::DISCONT);
                }
                listener.harness.push(buffer).unwrap();
            }
            was_lost = is_lost;
        }
        let outs = listener.finish();
        assert_heard(&outs, &said);
        assert_covered(&outs, 0.0, 12.0);
        assert_eq!(marks(&outs).iter().filter(|mark| **mark).count(), 1, "nothing was lost for long");
    }
}

#[test]
fn the_format_may_change_within_a_word() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
        let caps = "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved,channel-mask=(bitmask)0x3";
        assert!(listener.event(gst::event::Caps::new(&caps.parse().unwrap())));
        let rest: Vec<f32> = beeps(&[(High, 1.0)], 2.0, 48_000).into_iter().flat_map(|sample| [sample; 2]).collect();
        // Half of the beep in this format, the other half in the one before.
        let middle = (48_000.0 * 1.15) as usize * 2;
        let mut buffer = gst::Buffer::from_slice(bytes(&rest[..middle]));
        buffer.get_mut().unwrap().set_pts(ClockTime::from_seconds(2));
        listener.harness.push(buffer).unwrap();
        assert!(listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap())));
        let rest = &beeps(&[(High, 1.0)], 2.0, PLAIN_RATE)[(f64::from(PLAIN_RATE) * 1.15) as usize..];
        listener.send_at(rest, 3.15).unwrap();
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 3.0)]);
        assert_covered(&outs, 0.0, 4.0);
        assert_eq!(marks(&outs), [true, false], "one stretch");
    }
}

#[test]
fn a_gap_that_is_none_cuts_no_word() {
    for pace in Pace::BOTH {
        let mut listener = playing(pace);
        let samples = beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE);
        let (before, after) = samples.split_at((1.16 * f64::from(PLAIN_RATE)) as usize);
        listener.speak(before, 0.0);
        for (start_s, length) in [
            (1.16, None),
            (1.1605, Some(0.0005)),
            (1.159, Some(0.001)),
            (0.3, Some(0.5)),
            (0.5, None),
            (1.0, Some(0.1)),
        ] {
            let gap = gst::event::Gap::new(seconds(start_s), length.map(seconds));
            assert!(listener.event(gap));
        }
        listener.speak(after, 1.16);
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 2.0)]);
        assert_covered(&outs, 0.0, 3.0);
        assert_eq!(marks(&outs), [true, false], "one stretch");
    }
}

#[test]
fn a_source_whose_clock_is_fast_says_each_word_once() {
    for pace in Pace::BOTH {
        let said = [(Low, 1.0), (High, 4.0), (Low, 6.0), (High, 8.0)];
        let mut listener = playing(pace);
        for (index, samples) in beeps(&said, 10.0, PLAIN_RATE).chunks(320).enumerate() {
            listener.send_at(samples, index as f64 * 0.0198).unwrap();
        }
        let outs = listener.finish();
        assert_heard(&outs, &said.map(|(tone, at_s)| (tone, at_s * 0.99)));
        assert_eq!(marks(&outs), [true, false, false, false], "one stretch");
    }
}

#[test]
fn what_overlaps_is_heard_once() {
    let mut listener = playing(Pace::File);
    let samples = beeps(&[(Low, 1.0)], 3.0, PLAIN_RATE);
    let at = |seconds: f64| (seconds * f64::from(PLAIN_RATE)) as usize;
    listener.speak(&samples[..at(1.2)], 0.0);
    send_discont(&mut listener, &samples[at(1.1)..at(1.15)], 1.1);
    send_discont(&mut listener, &samples[at(1.1)..], 1.1);
    let outs = listener.finish();
    assert_heard(&outs, &[(Low, 1.0)]);
    assert_covered(&outs, 0.0, 3.0);
    assert_eq!(listener.stats().get::<u64>("windows").unwrap(), 1);
}

/// What a source says again in many small buffers, of which it marks the first.
#[test]
fn what_overlaps_in_small_buffers_is_heard_once() {
    for (overlap_s, buffer_s) in [(0.14, 0.02), (0.16, 0.01), (0.19, 0.05)] {
        let mut listener = playing(Pace::File);
        let samples = beeps(&[(Low, 1.0), (High, 2.0)], 3.0, PLAIN_RATE);
        let at = |seconds: f64| (seconds * f64::from(PLAIN_RATE)) as usize;
        listener.speak(&samples[..at(1.2)], 0.0);
        let again_s = 1.2 - overlap_s;
        for (index, piece) in samples[at(again_s)..].chunks(at(buffer_s)).enumerate() {
            let pts_s = again_s + index as f64 * buffer_s;
            if index == 0 {
                send_discont(&mut listener, piece, pts_s);
            } else {
                listener.send_at(piece, pts_s).unwrap();
            }
        }
        let outs = listener.finish();
        assert_heard(&outs, &[(Low, 1.0), (High, 2.0)]);
        let heard_s = listener.stats().get::<f64>("audio-seconds").unwrap();
        assert!((heard_s - 3.0).abs() < 0.002, "{heard_s} s of 3 s");
    }
}
