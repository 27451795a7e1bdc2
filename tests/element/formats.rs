//! Any raw audio is heard alike; `src/element/converter.rs` holds every format to the same samples.

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, assert_covered, assert_heard},
};

const SAID: [(crate::beeps::Tone, f64); 3] = [(Low, 0.5), (Middle, 2.0), (High, 3.5)];
const LENGTH_S: f64 = 4.5;

type Encode = fn(f32) -> Vec<u8>;

const S16LE: Encode = |x| ((x * 32767.0) as i16).to_le_bytes().to_vec();
const F32BE: Encode = |x| x.to_be_bytes().to_vec();

/// Sends the beeps in this format and checks what is heard.
fn check(format: &str, encode: Encode, rate: u32, channels: usize, mask: Option<u64>, planar: bool) {
    let layout = if planar { "non-interleaved" } else { "interleaved" };
    let mut caps = format!("audio/x-raw,format={format},rate={rate},channels={channels},layout={layout}");
    if let Some(mask) = mask {
        caps.push_str(&format!(",channel-mask=(bitmask)0x{mask:x}"));
    }
    eprintln!("{caps}");
    let mut listener = Listener::playing(&caps);
    let info = gst_audio::AudioInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap();
    let frames: Vec<Vec<u8>> = beeps(&SAID, LENGTH_S, rate).into_iter().map(encode).collect();
    // An odd count, so that buffers do not fall on whole samples at 16 kHz.
    let step = rate as usize / 50 + 1;
    for (index, frames) in frames.chunks(step).enumerate() {
        let bytes: Vec<u8> = if planar {
            (0..channels).flat_map(|_| frames.concat()).collect()
        } else {
            frames.iter().flat_map(|frame| frame.repeat(channels)).collect()
        };
        let mut buffer = gst::Buffer::from_slice(bytes);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_nseconds((index * step) as u64 * 1_000_000_000 / u64::from(rate)));
        if planar {
            gst_audio::AudioMeta::add(writable, &info, frames.len(), &[]).unwrap();
        }
        listener.harness.push(buffer).unwrap();
    }
    let outs = listener.finish();
    assert_heard(&outs, &SAID);
    assert_covered(&outs, 0.0, LENGTH_S);
    listener.no_error();
}

#[test]
fn resampled_and_mixed_down() {
    check("S16LE", S16LE, 44_100, 2, Some(0x3), false);
}

#[test]
fn planes() {
    check("F32BE", F32BE, 48_000, 6, Some(0x3f), true);
}

#[test]
fn channels_without_positions() {
    check("S16LE", S16LE, 8000, 63, Some(0), false);
}
