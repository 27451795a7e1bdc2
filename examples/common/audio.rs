//! A recording: a WAV or FLAC file of any rate and channel count, read as 16 kHz mono in blocks.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{decode::Decoder, resample::Resampler};

/// The rate of every sample that leaves this module.
pub const SAMPLE_RATE: u32 = 16_000;

/// An open file, read from its beginning to its end once.
pub struct Recording {
    path: PathBuf,
    decoder: Decoder,
    resampler: Option<Resampler>,
    frames_read: u64,
    ended: bool,
}

impl Recording {
    /// Opens a WAV or FLAC file, told apart by content.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        let decoder = Decoder::open(path)?;
        let rate = decoder.sample_rate();
        let resampler = if rate == SAMPLE_RATE {
            None
        } else {
            Some(Resampler::new(rate).map_err(|reason| AudioError::Unsupported { path: path.into(), reason })?)
        };
        Ok(Self { path: path.into(), decoder, resampler, frames_read: 0, ended: false })
    }

    /// Length in seconds, if the file says it.
    pub fn seconds(&self) -> Option<f64> {
        self.decoder.frames().map(|frames| frames as f64 / f64::from(self.decoder.sample_rate()))
    }

    /// The next samples in -1..=1, about a second of them and never none; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        let mut samples = Vec::new();
        while samples.is_empty() && !self.ended {
            let mono = self.decoder.next_block().map_err(|reason| self.damaged(reason))?;
            if let Some(at) = mono.iter().position(|sample| !sample.is_finite()) {
                return Err(self.damaged(format!("frame {} is not a finite number", self.frames_read + at as u64)));
            }
            self.frames_read += mono.len() as u64;
            self.ended = mono.is_empty();
            match &mut self.resampler {
                None => samples = mono,
                Some(resampler) => {
                    let done = match self.ended {
                        false => resampler.push(&mono, &mut samples),
                        true => resampler.finish(&mut samples),
                    };
                    done.map_err(|reason| AudioError::Unsupported { path: self.path.clone(), reason })?;
                }
            }
        }
        Ok((!samples.is_empty()).then_some(samples))
    }

    fn damaged(&self, reason: String) -> AudioError {
        let at_seconds = self.frames_read as f64 / f64::from(self.decoder.sample_rate());
        AudioError::Damaged { path: self.path.clone(), at_seconds, reason }
    }
}

/// Why a recording gives no samples.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AudioError {
    /// The file system refuses.
    #[error("cannot read {}: {kind}", path.display())]
    Read {
        /// The recording.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// Another container or no audio at all.
    #[error(
        "{} is neither WAV nor FLAC: expected it to begin with RIFF or fLaC, but it begins with {found:?}; \
         convert it first, for example with: gst-launch-1.0 filesrc location=FILE ! decodebin ! audioconvert ! \
         wavenc ! filesink location=FILE.wav",
        path.display()
    )]
    UnknownFormat {
        /// The recording.
        path: PathBuf,
        /// Its first bytes as far as they are text.
        found: String,
    },
    /// The right container with something in it that cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Unsupported {
        /// The recording.
        path: PathBuf,
        /// What was expected and what came.
        reason: String,
    },
    /// The samples stop or make no sense.
    #[error("{} is damaged or cut short after {at_seconds:.2} s: {reason}", path.display())]
    Damaged {
        /// The recording.
        path: PathBuf,
        /// How much of it could be read.
        at_seconds: f64,
        /// What the decoder said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn write_wav(path: &Path, spec: hound::WavSpec, seconds: f32, value: impl Fn(f32, u16) -> f32) {
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        let full_scale = 2f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
        for frame in 0..(seconds * spec.sample_rate as f32) as u32 {
            for channel in 0..spec.channels {
                let sample = value(frame as f32 / spec.sample_rate as f32, channel);
                match spec.sample_format {
                    hound::SampleFormat::Float => writer.write_sample(sample).unwrap(),
                    hound::SampleFormat::Int => writer.write_sample((sample * full_scale) as i32).unwrap(),
                }
            }
        }
        writer.finalize().unwrap();
    }

    fn spec(sample_rate: u32, channels: u16, bits: u16) -> hound::WavSpec {
        hound::WavSpec { sample_rate, channels, bits_per_sample: bits, sample_format: hound::SampleFormat::Int }
    }

    fn read(path: &Path) -> Result<Vec<f32>, AudioError> {
        let mut recording = Recording::open(path)?;
        let mut samples = Vec::new();
        while let Some(block) = recording.next_block()? {
            assert!(!block.is_empty());
            samples.extend(block);
        }
        Ok(samples)
    }

    #[test]
    fn every_sample_format_of_wav_gives_the_same_tone() {
        let folder = tempfile::tempdir().unwrap();
        let tone = |seconds: f32, _| 0.5 * (TAU * 440.0 * seconds).sin();
        let float = hound::WavSpec { sample_format: hound::SampleFormat::Float, ..spec(16_000, 1, 32) };
        for (spec, tolerance) in [
            (spec(16_000, 1, 8), 0.02),
            (spec(16_000, 1, 16), 1e-4),
            (spec(16_000, 1, 24), 1e-6),
            (spec(16_000, 1, 32), 1e-6),
            (float, 0.0),
        ] {
            let path = folder.path().join("tone.wav");
            write_wav(&path, spec, 2.3, tone);
            assert_eq!(Recording::open(&path).unwrap().seconds(), Some(2.3));
            let samples = read(&path).unwrap();
            assert_eq!(samples.len(), 36_800);
            for (index, sample) in samples.iter().enumerate() {
                let expected = tone(index as f32 / 16_000.0, 0);
                assert!((sample - expected).abs() <= tolerance, "{spec:?} at {index}: {sample}, expected {expected}");
            }
        }
    }

    #[test]
    fn channels_are_averaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("three.wav");
        write_wav(&path, spec(16_000, 3, 16), 0.1, |_, channel| [0.9, 0.0, -0.3][usize::from(channel)]);
        for sample in read(&path).unwrap() {
            assert!((sample - 0.2).abs() < 1e-4, "{sample}");
        }
    }

    #[test]
    fn flac_is_scaled_and_averaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.flac");
        // 0.25 s at 16 kHz, 24 bits: 500 Hz of amplitude 0.5 on the left, 0.1 on the right.
        std::fs::write(&path, include_bytes!("tone.flac")).unwrap();
        assert_eq!(Recording::open(&path).unwrap().seconds(), Some(0.25));
        let samples = read(&path).unwrap();
        assert_eq!(samples.len(), 4_000);
        for (index, sample) in samples.iter().enumerate() {
            let expected = 0.25 * (TAU * 500.0 * index as f32 / 16_000.0).sin() + 0.05;
            assert!((sample - expected).abs() < 1e-4, "at {index}: {sample}, expected {expected}");
        }
        std::fs::write(&path, &include_bytes!("tone.flac")[..2_000]).unwrap();
        assert!(matches!(read(&path).unwrap_err(), AudioError::Damaged { .. }));
    }

    #[test]
    fn other_rates_keep_length_pitch_and_position() {
        let folder = tempfile::tempdir().unwrap();
        // An odd block length puts the filter's centre half an input frame off.
        let rates = [(8_000, 0.01), (11_025, 0.01), (22_050, 0.01), (44_100, 0.01), (48_000, 0.01), (44_101, 0.04)];
        for (rate, tolerance) in rates {
            let path = folder.path().join("burst.wav");
            let tone = |seconds: f32| 0.5 * (TAU * 1_000.0 * seconds).sin();
            write_wav(&path, spec(rate, 2, 16), 3.0, |seconds, _| tone(seconds));
            let samples = read(&path).unwrap();
            assert_eq!(samples.len(), 48_000, "rate {rate}");
            for (index, sample) in samples.iter().enumerate().skip(4_000).take(40_000) {
                let expected = tone(index as f32 / 16_000.0);
                assert!((sample - expected).abs() < tolerance, "rate {rate} at {index}: {sample}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_clip_shorter_than_the_resampler_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("short.wav");
        write_wav(&path, spec(48_000, 1, 16), 0.01, |_, _| 0.25);
        let samples = read(&path).unwrap();
        assert_eq!(samples.len(), 160);
        assert!((samples[80] - 0.25).abs() < 0.05, "{}", samples[80]);
    }

    #[test]
    fn a_file_without_samples_gives_none() {
        let folder = tempfile::tempdir().unwrap();
        for rate in [16_000, 44_100] {
            let path = folder.path().join("empty.wav");
            write_wav(&path, spec(rate, 1, 16), 0.0, |_, _| 0.0);
            assert!(read(&path).unwrap().is_empty(), "rate {rate}");
        }
    }

    #[test]
    fn bad_files_are_named_and_explained() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.wav");
        assert!(read(&missing).unwrap_err().to_string().contains("missing.wav: entity not found"));

        let mp3 = folder.path().join("song.mp3");
        std::fs::write(&mp3, b"ID3\x03rest").unwrap();
        let message = read(&mp3).unwrap_err().to_string();
        assert!(message.contains("neither WAV nor FLAC") && message.contains("ID3"), "{message}");

        let short = folder.path().join("short.wav");
        write_wav(&short, spec(16_000, 1, 16), 2.0, |_, _| 0.1);
        let bytes = std::fs::read(&short).unwrap();
        std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(read(&short).unwrap_err(), AudioError::Damaged { .. }));

        let absurd = folder.path().join("absurd.wav");
        write_wav(&absurd, spec(400_000_000, 1, 16), 0.0, |_, _| 0.0);
        assert!(read(&absurd).unwrap_err().to_string().contains("400000000"));

        let not_a_number = folder.path().join("nan.wav");
        let float = hound::WavSpec { sample_format: hound::SampleFormat::Float, ..spec(16_000, 1, 32) };
        write_wav(&not_a_number, float, 0.1, |seconds, _| if seconds > 0.05 { f32::NAN } else { 0.0 });
        assert!(read(&not_a_number).unwrap_err().to_string().contains("not a finite number"));
    }
}
