//! Any raw audio is heard alike.

use crate::{
    beeps::{
        Tone::{High, Low, Middle},
        beeps,
    },
    listener::{Listener, assert_covered, assert_heard},
};

const SAID: [(crate::beeps::Tone, f64); 3] = [(Low, 0.5), (Middle, 1.5), (High, 2.5)];
const LENGTH_S: f64 = 3.5;

type Encode = fn(f32) -> Vec<u8>;

const FORMATS: [(&str, Encode); 11] = [
    ("S8", |x| ((x * 127.0) as i8).to_le_bytes().to_vec()),
    ("U8", |x| vec![(x * 127.0 + 128.0) as u8]),
    ("S16LE", |x| ((x * 32767.0) as i16).to_le_bytes().to_vec()),
    ("S16BE", |x| ((x * 32767.0) as i16).to_be_bytes().to_vec()),
    ("U16LE", |x| ((x * 32767.0 + 32768.0) as u16).to_le_bytes().to_vec()),
    ("S24LE", |x| ((x * 8_388_607.0) as i32).to_le_bytes()[..3].to_vec()),
    ("S24_32LE", |x| ((x * 8_388_607.0) as i32).to_le_bytes().to_vec()),
    ("S32LE", |x| ((x * 2_147_483_000.0) as i32).to_le_bytes().to_vec()),
    ("F32LE", |x| x.to_le_bytes().to_vec()),
    ("F32BE", |x| x.to_be_bytes().to_vec()),
    ("F64LE", |x| f64::from(x).to_le_bytes().to_vec()),
];

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
fn every_format_at_every_rate_in_every_layout() {
    for (format, encode) in FORMATS {
        for rate in [8000, 44_100, 48_000] {
            for (channels, mask) in [(1, None), (2, Some(0x3)), (6, Some(0x3f))] {
                check(format, encode, rate, channels, mask, false);
            }
        }
    }
}

#[test]
fn whispers_own_format() {
    check("F32LE", FORMATS[8].1, 16_000, 1, None, false);
}

#[test]
fn planes() {
    for (channels, mask) in [(1, None), (2, Some(0x3)), (6, Some(0x3f))] {
        check("S16LE", FORMATS[2].1, 44_100, channels, mask, true);
        check("F32LE", FORMATS[8].1, 16_000, channels, mask, true);
    }
}

#[test]
fn channels_without_positions() {
    check("S16LE", FORMATS[2].1, 48_000, 6, Some(0), false);
    check("F32LE", FORMATS[8].1, 16_000, 2, Some(0), false);
    check("S16LE", FORMATS[2].1, 16_000, 63, Some(0), false);
}

#[test]
fn unusual_rates() {
    for rate in [6000, 11_025, 22_050, 96_000, 192_000] {
        check("S16LE", FORMATS[2].1, rate, 1, None, false);
    }
}
