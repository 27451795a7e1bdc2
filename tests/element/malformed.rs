//! Streams that no well-behaved element would send: each gives the right text or a clear error, and none a crash or a hang.

use crate::{
    beeps::{
        Tone::{self, High, Low, Middle},
        beeps,
    },
    listener::{Listener, Out, PLAIN, PLAIN_RATE, assert_covered, assert_heard, buffer, bytes, events, seconds, words},
};

const SAID: [(Tone, f64); 2] = [(Low, 1.0), (High, 3.0)];
const LENGTH_S: f64 = 5.0;

fn speech() -> Vec<f32> {
    beeps(&SAID, LENGTH_S, PLAIN_RATE)
}

#[track_caller]
fn assert_said(mut listener: Listener) {
    let outs = listener.finish();
    assert_heard(&outs, &SAID);
    assert_covered(&outs, 0.0, LENGTH_S);
    listener.no_error();
}

/// Sends caps and checks that data is refused after it; the source posts the message then.
fn refuse_caps(caps: &str) {
    let mut listener = Listener::idle();
    listener.start();
    listener.event(gst::event::StreamStart::new("stream"));
    listener.event(gst::event::Caps::new(&caps.parse().unwrap()));
    listener.segment(0.0);
    assert_eq!(listener.send_at(&speech(), 0.0), Err(gst::FlowError::NotNegotiated), "{caps}");
}

#[test]
fn caps_of_something_else() {
    refuse_caps("video/x-raw,format=RGB,width=16,height=16,framerate=1/1");
    refuse_caps("audio/mpeg,mpegversion=1");
}

#[test]
fn caps_that_name_no_format() {
    refuse_caps("audio/x-raw,format=WHAT,rate=16000,channels=1,layout=interleaved");
    refuse_caps("audio/x-raw,format=F32LE,rate=0,channels=1,layout=interleaved");
    refuse_caps("audio/x-raw,format=F32LE,rate=16000,channels=0,layout=interleaved");
}

#[test]
fn more_channels_than_anybody_mixes() {
    refuse_caps("audio/x-raw,format=F32LE,rate=16000,channels=64,layout=interleaved,channel-mask=(bitmask)0");
    refuse_caps("audio/x-raw,format=F32LE,rate=16000,channels=2000000000,layout=interleaved,channel-mask=(bitmask)0");
}

#[test]
fn a_rate_that_would_take_all_memory() {
    refuse_caps("audio/x-raw,format=F32LE,rate=2147483647,channels=1,layout=interleaved");
}

#[test]
fn no_caps() {
    let mut listener = Listener::idle();
    listener.start();
    listener.event(gst::event::StreamStart::new("stream"));
    listener.segment(0.0);
    assert_eq!(listener.send_at(&speech(), 0.0), Err(gst::FlowError::NotNegotiated));
    assert!(listener.error().contains("audio/x-raw"));
}

#[test]
fn no_segment() {
    let mut listener = Listener::plain();
    listener.event(gst::event::FlushStart::new());
    listener.event(gst::event::FlushStop::new(true));
    assert_eq!(listener.send_at(&speech(), 0.0), Err(gst::FlowError::Error));
    assert!(listener.error().contains("SEGMENT"));
}

#[test]
fn a_segment_of_bytes() {
    let mut listener = Listener::plain();
    listener.event(gst::event::Segment::new(&gst::FormattedSegment::<gst::format::Bytes>::new()));
    assert!(listener.error().contains("bytes"));
    assert_eq!(listener.send_at(&speech(), 0.0), Err(gst::FlowError::Error));
    listener.no_error();
}

#[test]
fn eos_at_once() {
    let mut listener = Listener::plain();
    assert!(words(&listener.finish()).is_empty());
    listener.no_error();
}

#[test]
fn eos_before_caps() {
    let mut listener = Listener::idle();
    listener.start();
    listener.event(gst::event::StreamStart::new("stream"));
    assert!(words(&listener.finish()).is_empty());
    listener.no_error();
}

#[test]
fn audio_after_eos() {
    let mut listener = Listener::plain();
    listener.speak(&speech(), 0.0);
    assert_heard(&listener.finish(), &SAID);
    assert_eq!(listener.send_at(&speech(), LENGTH_S), Err(gst::FlowError::Eos));
}

#[test]
fn a_second_stream_after_eos() {
    let mut listener = Listener::plain();
    listener.speak(&speech(), 0.0);
    assert_heard(&listener.finish(), &SAID);
    listener.event(gst::event::StreamStart::new("second"));
    listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap()));
    listener.segment(0.0);
    listener.speak(&speech(), 0.0);
    assert_said(listener);
}

#[test]
fn buffers_without_samples() {
    let mut listener = Listener::plain();
    for (index, samples) in speech().chunks(PLAIN_RATE as usize / 50).enumerate() {
        listener.send_at(&[], index as f64 / 50.0).unwrap();
        listener.send_at(samples, index as f64 / 50.0).unwrap();
    }
    listener.harness.push(gst::Buffer::new()).unwrap();
    assert_said(listener);
}

#[test]
fn buffers_of_one_sample() {
    let mut listener = Listener::plain();
    for (index, sample) in speech().into_iter().enumerate() {
        listener.send_at(&[sample], index as f64 / f64::from(PLAIN_RATE)).unwrap();
    }
    assert_said(listener);
}

#[test]
fn buffers_of_one_sample_that_are_resampled() {
    let mut listener = Listener::playing("audio/x-raw,format=F32LE,rate=44100,channels=1,layout=interleaved");
    for sample in beeps(&SAID, LENGTH_S, 44_100) {
        listener.harness.push(buffer(&[sample], None)).unwrap();
    }
    assert_said(listener);
}

#[test]
fn a_buffer_of_ten_minutes() {
    let said: Vec<_> = (0..60).map(|index| ([Low, High][index % 2], index as f64 * 10.0 + 2.0)).collect();
    let mut listener = Listener::plain();
    listener.send_at(&beeps(&said, 600.0, PLAIN_RATE), 0.0).unwrap();
    let outs = listener.finish();
    assert_heard(&outs, &said);
    assert_covered(&outs, 0.0, 600.0);
}

#[test]
fn buffers_that_end_within_a_frame() {
    let caps = "audio/x-raw,format=F32LE,rate=16000,channels=2,layout=interleaved,channel-mask=(bitmask)0x3";
    let mut listener = Listener::playing(caps);
    let frames: Vec<f32> = speech().into_iter().flat_map(|sample| [sample, sample]).collect();
    for bytes in bytes(&frames).chunks(320 * 8) {
        let mut bytes = bytes.to_vec();
        bytes.extend([1, 2, 3]);
        listener.harness.push(gst::Buffer::from_slice(bytes)).unwrap();
    }
    listener.harness.push(gst::Buffer::from_slice([1_u8, 2, 3])).unwrap();
    assert_said(listener);
}

#[test]
fn planes_that_nobody_described() {
    let caps = "audio/x-raw,format=F32LE,rate=16000,channels=2,layout=non-interleaved,channel-mask=(bitmask)0x3";
    let mut listener = Listener::playing(caps);
    assert_eq!(listener.send_at(&speech(), 0.0), Err(gst::FlowError::Error));
    assert!(listener.error().contains("buffer"));
}

#[test]
fn no_timestamps() {
    let mut listener = Listener::plain();
    for samples in speech().chunks(320) {
        listener.harness.push(buffer(samples, None)).unwrap();
    }
    assert_said(listener);
}

#[test]
fn only_the_first_timestamp() {
    let mut listener = Listener::plain();
    for (index, samples) in speech().chunks(320).enumerate() {
        listener.harness.push(buffer(samples, (index == 0).then_some(7.0))).unwrap();
    }
    assert_heard(&listener.finish(), &[(Low, 8.0), (High, 10.0)]);
}

#[test]
fn timestamps_that_tremble() {
    let mut listener = Listener::plain();
    for (index, samples) in speech().chunks(320).enumerate() {
        let jitter_s = [0.0, 0.03, -0.02, 0.015][index % 4];
        listener.send_at(samples, (index as f64 / 50.0 + jitter_s).max(0.0)).unwrap();
    }
    assert_said(listener);
}

/// As a source has them that stamps what comes from a network when it comes.
#[test]
fn timestamps_of_when_it_came() {
    for (length, delays_s) in [(1_600, [0.0, 0.25, 0.12, 0.0, 0.21]), (320, [0.1, 0.4, 0.02, 0.3, 0.2])] {
        let mut listener = Listener::plain();
        let mut came_s = 0.0_f64;
        for (index, samples) in speech().chunks(length).enumerate() {
            let due_s = (index * length) as f64 / f64::from(PLAIN_RATE);
            // Ten that come late, all at a time.
            let stall_s = if index % 50 / 10 == 1 { 0.2 } else { 0.0 };
            came_s = came_s.max(due_s + delays_s[index % 5] + stall_s);
            listener.send_at(samples, if index == 0 { 0.0 } else { came_s }).unwrap();
        }
        let outs = listener.finish();
        assert_eq!(words(&outs), SAID.map(|(tone, _)| tone.word()), "{length}");
        listener.no_error();
    }
}

#[test]
fn one_wrong_timestamp() {
    for wrong_s in [0.0, 3.5, 63.0, 3603.0] {
        let mut listener = Listener::plain();
        for (index, samples) in speech().chunks(320).enumerate() {
            let pts_s = index as f64 / 50.0;
            // Within the second word.
            listener.send_at(samples, if index == 155 { wrong_s } else { pts_s }).unwrap();
        }
        assert_said(listener);
    }
}

#[test]
fn timestamps_that_run_backwards() {
    let mut listener = Listener::plain();
    listener.speak(&speech(), 100.0);
    listener.speak(&beeps(&[(Middle, 1.0)], 3.0, PLAIN_RATE), 50.0);
    let outs = listener.finish();
    assert_eq!(words(&outs), [Low, High, Middle].map(Tone::word));
    let ends: Vec<_> = outs.iter().filter_map(Out::span).collect();
    assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-9), "{ends:?}");
    let warning = listener.warning();
    assert!(warning.contains("need a new segment"), "{warning}");
}

#[test]
fn one_timestamp_for_all() {
    let mut listener = Listener::plain();
    for samples in speech()[PLAIN_RATE as usize..].chunks(320).take(25) {
        listener.send_at(samples, 0.0).unwrap();
    }
    let outs = listener.finish();
    let ends: Vec<_> = outs.iter().filter_map(Out::span).collect();
    assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-9), "{ends:?}");
    listener.no_error();
}

#[test]
fn timestamps_at_the_end_of_time() {
    let mut listener = Listener::plain();
    let mut last = buffer(&speech(), None);
    last.get_mut().unwrap().set_pts(gst::ClockTime::MAX);
    listener.harness.push(last).unwrap();
    listener.finish();
    listener.no_error();
}

#[test]
fn audio_outside_the_segment() {
    let mut listener = Listener::plain();
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(seconds(50.0));
    segment.set_stop(seconds(60.0));
    listener.event(gst::event::Segment::new(&segment));
    listener.speak(&speech(), 0.0);
    listener.speak(&speech(), 70.0);
    assert!(words(&listener.finish()).is_empty());
}

#[test]
fn audio_that_runs_backwards_on_purpose() {
    let mut listener = Listener::plain();
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_rate(-1.0);
    segment.set_stop(seconds(10.0));
    listener.event(gst::event::Segment::new(&segment));
    for second in (0..10).rev() {
        listener.send_at(&vec![0.0; PLAIN_RATE as usize], f64::from(second)).unwrap();
    }
    listener.finish();
    listener.no_error();
}

#[test]
fn another_rate_in_the_middle() {
    let mut listener = Listener::plain();
    listener.speak(&beeps(&[(Low, 1.0)], 2.0, PLAIN_RATE), 0.0);
    let caps = "audio/x-raw,format=F32LE,rate=44100,channels=1,layout=interleaved";
    listener.event(gst::event::Caps::new(&caps.parse().unwrap()));
    listener.send_at(&beeps(&[(High, 1.0)], 3.0, 44_100), 2.0).unwrap();
    assert_said(listener);
}

#[test]
fn another_format_in_the_middle_of_a_word() {
    let mut listener = Listener::plain();
    let speech = speech();
    let (first, second) = speech.split_at(PLAIN_RATE as usize * 5 / 4);
    listener.speak(first, 0.0);
    let caps = "audio/x-raw,format=F64LE,rate=16000,channels=2,layout=interleaved,channel-mask=(bitmask)0x3";
    listener.event(gst::event::Caps::new(&caps.parse().unwrap()));
    let bytes: Vec<u8> = second.iter().flat_map(|x| f64::from(*x).to_le_bytes().repeat(2)).collect();
    listener.harness.push(gst::Buffer::from_slice(bytes)).unwrap();
    assert_said(listener);
}

#[test]
fn the_same_caps_again_and_again() {
    let mut listener = Listener::plain();
    for (index, samples) in speech().chunks(320).enumerate() {
        listener.event(gst::event::Caps::new(&PLAIN.parse().unwrap()));
        listener.send_at(samples, index as f64 / 50.0).unwrap();
    }
    let outs = listener.finish();
    assert_heard(&outs, &SAID);
    assert_eq!(events(&outs).iter().filter(|kind| **kind == gst::EventType::Caps).count(), 1);
}

#[test]
fn samples_that_are_no_numbers() {
    let mut listener = Listener::plain();
    let mut samples = speech();
    for (index, damage) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e20].into_iter().enumerate() {
        samples[100 * (index + 1)] = damage;
    }
    listener.speak(&samples, 0.0);
    assert_eq!(listener.stats().get::<u64>("damaged-samples").unwrap(), 5);
    listener.message(gst::MessageType::Warning);
    assert!(listener.bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "it warns more than once");
    assert_said(listener);
}

#[test]
fn nothing_but_nan() {
    let mut listener = Listener::playing("audio/x-raw,format=F32LE,rate=44100,channels=1,layout=interleaved");
    listener.send_at(&vec![f32::NAN; 44_100 * 3], 0.0).unwrap();
    let outs = listener.finish();
    assert!(words(&outs).is_empty());
    assert_covered(&outs, 0.0, 3.0);
}

#[test]
fn rates_beyond_hearing() {
    for rate in [1, 7, 100, 3000, 767_999, 768_000] {
        let caps = format!("audio/x-raw,format=F32LE,rate={rate},channels=1,layout=interleaved");
        let mut listener = Listener::playing(&caps);
        listener.send_at(&vec![0.0; rate as usize * 2], 0.0).unwrap();
        let outs = listener.finish();
        assert_covered(&outs, 0.0, 2.0);
        listener.no_error();
    }
}

#[test]
fn a_flush_that_only_stops() {
    let mut listener = Listener::plain();
    listener.event(gst::event::FlushStop::new(true));
    listener.segment(0.0);
    listener.take();
    listener.speak(&speech(), 0.0);
    assert_said(listener);
}

#[test]
fn a_gap_without_a_length() {
    let mut listener = Listener::plain();
    listener.event(gst::event::Gap::new(seconds(0.0), gst::ClockTime::NONE));
    listener.speak(&speech(), 0.0);
    listener.event(gst::event::Gap::new(seconds(LENGTH_S), gst::ClockTime::NONE));
    assert_said(listener);
}
