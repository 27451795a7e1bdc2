//! Any raw audio to mono float samples at 16 kHz: a wrapper over GStreamer's audio converter, which gstreamer-audio does not
//! bind.
#![allow(unsafe_code)]

use std::{ops::Range, ptr};

use gst::glib::translate::{IntoGlibPtr, ToGlibPtr};
use gst_audio::{AudioBufferRef, AudioConverterConfig, AudioInfo, AudioLayout, ffi};

use super::{errors::Fault, latency::SAMPLE_RATE};

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
        let interleaved = self.info.layout() == AudioLayout::Interleaved;
        let stride = if interleaved { self.info.bpf() } else { self.info.width() / 8 } as usize;
        let planes = if interleaved { 1 } else { self.info.channels() };
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
        self.run(pointers.as_mut_ptr(), frames.len(), samples);
        Ok(())
    }

    /// Appends the samples of so many silent frames.
    pub fn silence(&mut self, frames: usize, samples: &mut Vec<f32>) {
        self.run(ptr::null_mut(), frames, samples);
    }

    /// Appends what the resampler still holds back, and forgets it.
    pub fn drain(&mut self, samples: &mut Vec<f32>) {
        // SAFETY: the pointer is the live converter.
        let held_frames = unsafe { ffi::gst_audio_converter_get_max_latency(self.raw.as_ptr()) };
        self.silence(held_frames, samples);
        // SAFETY: as above, and nobody else uses it.
        unsafe { ffi::gst_audio_converter_reset(self.raw.as_ptr()) };
    }

    /// `input` is null for silence, or points to one readable plane pointer (interleaved) or one a channel, each with
    /// `frames` frames.
    fn run(&mut self, input: *mut gst::glib::ffi::gpointer, frames: usize, samples: &mut Vec<f32>) {
        if frames == 0 {
            return;
        }
        // SAFETY: the pointer is the live converter.
        let count = unsafe { ffi::gst_audio_converter_get_out_frames(self.raw.as_ptr(), frames) };
        let start = samples.len();
        samples.resize(start + count, 0.0);
        let mut output = [samples[start..].as_mut_ptr().cast()];
        // SAFETY: `input` is as promised above and not written to, as IN_WRITABLE is not given; `output` has room for the
        // `count` mono float samples that the converter has announced for `frames`.
        unsafe {
            ffi::gst_audio_converter_samples(
                self.raw.as_ptr(),
                ffi::GST_AUDIO_CONVERTER_FLAG_NONE,
                input,
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
