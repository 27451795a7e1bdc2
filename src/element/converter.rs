//! Any raw audio to mono float samples at 16 kHz: a wrapper over GStreamer's audio converter, which gstreamer-audio does not
//! bind.
#![allow(unsafe_code)]

use std::{ops::Range, ptr};

use gst::glib::translate::{IntoGlibPtr, ToGlibPtr};
use gst_audio::{AudioBufferRef, AudioConverterConfig, AudioInfo, AudioLayout, ffi};

use super::{errors::Fault, latency::SAMPLE_RATE};

/// Silence is made in pieces of so many frames, which need little memory.
const SILENT_FRAMES: usize = 4096;

/// A conversion in progress: the resampler keeps the last frames.
#[derive(Debug)]
pub(super) struct Converter {
    raw: ptr::NonNull<ffi::GstAudioConverter>,
    info: AudioInfo,
}

// SAFETY: a GstAudioConverter is plain memory without thread affinity; `&mut self` keeps its users apart.
unsafe impl Send for Converter {}

impl Converter {
    /// Prepares the conversion of audio as `info` describes it.
    pub fn new(info: AudioInfo) -> Result<Self, Fault> {
        let unsupported = |reason: &str| Fault::Caps {
            caps: info.to_caps().map_or_else(|_| format!("{info:?}"), |caps| caps.to_string()),
            reason: reason.to_owned(),
        };
        let mut config = AudioConverterConfig::new();
        config.set_resampler_method(gst_audio::AudioResamplerMethod::Kaiser);
        // SAFETY: the pointer is valid as long as `info`, and the structure is plain data.
        let mut input = unsafe { *info.to_glib_none().0 };
        if info.channels() > 1 && info.is_unpositioned() {
            // Without positions the converter knows no way to mix down: every channel counts the same then, and it must
            // not see that they have none.
            config.set_mix_matrix(&[vec![1.0 / info.channels() as f32; info.channels() as usize]]);
            input.flags &= !ffi::GST_AUDIO_FLAG_UNPOSITIONED;
        }
        let output = AudioInfo::builder(gst_audio::AUDIO_FORMAT_F32, SAMPLE_RATE, 1)
            .build()
            .map_err(|_| unsupported("no mono output"))?;
        // SAFETY: as above.
        let mut output = unsafe { *output.to_glib_none().0 };
        let config: gst::Structure = config.into();
        // SAFETY: both infos outlive the call; the converter takes ownership of the structure.
        let raw = unsafe {
            ffi::gst_audio_converter_new(
                ffi::GST_AUDIO_CONVERTER_FLAG_NONE,
                &mut input,
                &mut output,
                config.into_glib_ptr(),
            )
        };
        let raw = ptr::NonNull::new(raw).ok_or_else(|| unsupported("GStreamer's converter refuses it"))?;
        Ok(Self { raw, info })
    }

    /// The format that comes in.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Appends the samples of these frames of `audio` to `samples`; the resampler holds the last few back.
    pub fn convert(
        &mut self,
        audio: &AudioBufferRef<&gst::BufferRef>,
        frames: Range<usize>,
        samples: &mut Vec<f32>,
    ) -> Result<(), Fault> {
        let (planes, stride) = self.planes();
        let mut pointers = Vec::with_capacity(planes as usize);
        for plane in 0..planes {
            let bytes = audio
                .plane_data(plane)
                .ok()
                .and_then(|data| data.get(frames.start * stride..frames.end * stride))
                .ok_or_else(|| Fault::Buffer {
                    format: format!("{} frames in {} plane(s) of {:?}", frames.end, planes, self.info.format()),
                    reason: "it is too short".to_owned(),
                })?;
            pointers.push(bytes.as_ptr().cast_mut().cast());
        }
        self.run(&mut pointers, frames.len(), samples);
        Ok(())
    }

    /// Appends the samples of so many silent frames. They are given to the converter: what it takes instead of no input is silent in part only,
    /// as `gst_audio_format_fill_silence` is told samples for bytes (GStreamer 1.22).
    pub fn silence(&mut self, frames: usize, samples: &mut Vec<f32>) {
        let (planes, stride) = self.planes();
        let mut silent = vec![0; frames.min(SILENT_FRAMES) * stride];
        self.info.format_info().fill_silence(&mut silent);
        let mut pointers = vec![silent.as_mut_ptr().cast(); planes as usize];
        for start in (0..frames).step_by(SILENT_FRAMES) {
            self.run(&mut pointers, SILENT_FRAMES.min(frames - start), samples);
        }
    }

    /// How many planes a buffer has, and how many bytes a frame takes of each.
    fn planes(&self) -> (u32, usize) {
        match self.info.layout() {
            AudioLayout::Interleaved => (1, self.info.bpf() as usize),
            _ => (self.info.channels(), (self.info.width() / 8) as usize),
        }
    }

    /// Appends what the resampler still holds back, and forgets it.
    pub fn drain(&mut self, samples: &mut Vec<f32>) {
        // SAFETY: the pointer is the live converter.
        let held_frames = unsafe { ffi::gst_audio_converter_get_max_latency(self.raw.as_ptr()) };
        self.silence(held_frames, samples);
        // SAFETY: as above, and nobody else uses it.
        unsafe { ffi::gst_audio_converter_reset(self.raw.as_ptr()) };
    }

    /// `planes` are one pointer (interleaved) or one a channel, each to `frames` readable frames.
    fn run(&mut self, planes: &mut [gst::glib::ffi::gpointer], frames: usize, samples: &mut Vec<f32>) {
        if frames == 0 {
            return;
        }
        // SAFETY: the pointer is the live converter.
        let count = unsafe { ffi::gst_audio_converter_get_out_frames(self.raw.as_ptr(), frames) };
        let start = samples.len();
        samples.resize(start + count, 0.0);
        let mut output = [samples[start..].as_mut_ptr().cast()];
        // SAFETY: `planes` are as promised above and not written to, as IN_WRITABLE is not given; `output` has room for the
        // `count` mono float samples that the converter has announced for `frames`.
        unsafe {
            ffi::gst_audio_converter_samples(
                self.raw.as_ptr(),
                ffi::GST_AUDIO_CONVERTER_FLAG_NONE,
                planes.as_mut_ptr(),
                frames,
                output.as_mut_ptr(),
                count,
            );
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: the pointer is the live converter, and this is its last use.
        unsafe { ffi::gst_audio_converter_free(self.raw.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH_S: usize = 1;
    const HERTZ: f64 = 400.0;

    type Encode = fn(f64) -> Vec<u8>;

    const FORMATS: [(&str, Encode); 11] = [
        ("S8", |x| ((x * 127.0).round() as i8).to_le_bytes().to_vec()),
        ("U8", |x| vec![(x * 127.0 + 128.0).round() as u8]),
        ("S16LE", |x| ((x * 32767.0) as i16).to_le_bytes().to_vec()),
        ("S16BE", |x| ((x * 32767.0) as i16).to_be_bytes().to_vec()),
        ("U16LE", |x| ((x * 32767.0 + 32768.0) as u16).to_le_bytes().to_vec()),
        ("S24LE", |x| ((x * 8_388_607.0) as i32).to_le_bytes()[..3].to_vec()),
        ("S24_32LE", |x| ((x * 8_388_607.0) as i32).to_le_bytes().to_vec()),
        ("S32LE", |x| ((x * 2_147_483_647.0) as i32).to_le_bytes().to_vec()),
        ("F32LE", |x| (x as f32).to_le_bytes().to_vec()),
        ("F32BE", |x| (x as f32).to_be_bytes().to_vec()),
        ("F64LE", |x| x.to_le_bytes().to_vec()),
    ];

    fn tone(index: usize, rate: u32) -> f64 {
        0.5 * (std::f64::consts::TAU * HERTZ * index as f64 / f64::from(rate)).sin()
    }

    /// One second of the tone in this format, converted in odd pieces.
    fn converted(caps: &str, encode: Encode) -> Vec<f32> {
        gst::init().unwrap();
        let info = AudioInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap();
        let mut converter = Converter::new(info).unwrap();
        let mut samples = hear(&mut converter, encode);
        converter.drain(&mut samples);
        samples
    }

    fn hear(converter: &mut Converter, encode: Encode) -> Vec<f32> {
        let info = converter.info().clone();
        let (rate, channels) = (info.rate(), info.channels() as usize);
        let frames: Vec<Vec<u8>> = (0..rate as usize * LENGTH_S).map(|index| encode(tone(index, rate))).collect();
        let planar = info.layout() == AudioLayout::NonInterleaved;
        let bytes: Vec<u8> = if planar {
            (0..channels).flat_map(|_| frames.concat()).collect()
        } else {
            frames.iter().flat_map(|frame| frame.repeat(channels)).collect()
        };
        let mut buffer = gst::Buffer::from_slice(bytes);
        if planar {
            gst_audio::AudioMeta::add(buffer.get_mut().unwrap(), &info, frames.len(), &[]).unwrap();
        }
        let audio = AudioBufferRef::from_buffer_ref_readable(&buffer, &info).unwrap();
        let mut samples = Vec::new();
        for start in (0..frames.len()).step_by(997) {
            converter.convert(&audio, start..frames.len().min(start + 997), &mut samples).unwrap();
        }
        samples
    }

    #[track_caller]
    fn check(caps: &str, encode: Encode, tolerance: f64) {
        let samples = converted(caps, encode);
        let expected = SAMPLE_RATE as usize * LENGTH_S;
        // The resampler may round the last sample away; the position puts it back.
        assert!(samples.len() + 1 >= expected, "{caps}: {} samples", samples.len());
        // The filter sees silence before the first sample and behind the last one.
        for (index, sample) in samples.iter().enumerate().take(expected - 200).skip(200) {
            let difference = (f64::from(*sample) - tone(index, SAMPLE_RATE)).abs();
            assert!(difference < tolerance, "{caps}: sample {index} is {difference} off");
        }
    }

    /// 8 bits are coarse; and GStreamer's resampler delays by up to a quarter of a sample, at a slope of 0.079 a sample.
    fn tolerance(format: &str, rate: u32) -> f64 {
        let quantisation = if format.ends_with('8') { 0.01 } else { 0.0005 };
        let delay = if rate == SAMPLE_RATE { 0.0 } else { 0.079 / 4.0 };
        quantisation + delay
    }

    /// No sample is lost, moved or scaled: not by format, rate, channels or layout.
    #[test]
    fn every_format_at_every_rate_in_every_layout() {
        for (format, encode) in FORMATS {
            for rate in [8000, 16_000, 44_100, 48_000] {
                for (channels, mask) in [(1, 0x4), (2, 0x3), (2, 0), (6, 0)] {
                    for layout in ["interleaved", "non-interleaved"] {
                        let caps = format!(
                            "audio/x-raw,format={format},rate={rate},channels={channels},layout={layout},\
                             channel-mask=(bitmask)0x{mask:x}"
                        );
                        check(&caps, encode, tolerance(format, rate));
                    }
                }
            }
        }
    }

    /// GStreamer's converter, given no input, hands back most of what it was given before.
    #[test]
    fn what_was_lost_is_silent_in_every_format() {
        gst::init().unwrap();
        for (format, encode) in FORMATS {
            for (rate, channels, layout) in
                [(16_000, 1, "interleaved"), (48_000, 2, "interleaved"), (44_100, 3, "non-interleaved")]
            {
                let caps = format!(
                    "audio/x-raw,format={format},rate={rate},channels={channels},layout={layout},channel-mask=(bitmask)0"
                );
                let mut converter =
                    Converter::new(AudioInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap()).unwrap();
                let mut samples = hear(&mut converter, encode);
                converter.silence(rate as usize / 2, &mut samples);
                converter.drain(&mut samples);
                let silent = &samples[SAMPLE_RATE as usize * LENGTH_S + 200..];
                assert!(silent.len() > 7_000, "{caps}: {} samples", silent.len());
                let loudest = silent.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
                assert!(loudest < 0.001, "{caps}: {loudest}");
            }
        }
    }

    #[test]
    fn surround_is_mixed_down() {
        let caps = "audio/x-raw,format=F32LE,rate=48000,channels=6,layout=interleaved,channel-mask=(bitmask)0x3f";
        let samples = converted(caps, FORMATS[8].1);
        let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        assert!((0.2..=1.0).contains(&loudest), "{loudest}");
    }
}
