//! WAV and FLAC decoders: a file's frames come out as the mean of their channels, at the file's own rate.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use super::audio::AudioError;

const WAV_BLOCK_FRAMES: usize = 16_384;

/// A decoder that stands somewhere in its file.
pub enum Decoder {
    /// RIFF WAVE with integer or float samples.
    Wav(hound::WavReader<BufReader<File>>),
    /// Native FLAC; the second field is the buffer that its blocks are decoded into.
    Flac(claxon::FlacReader<File>, Vec<i32>),
}

impl Decoder {
    /// Opens the file and reads its header.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        let unsupported = |reason: String| AudioError::Unsupported { path: path.into(), reason };
        let decoder = match &first_bytes(path)? {
            b"RIFF" => hound::WavReader::open(path).map(Self::Wav).map_err(|error| unsupported(error.to_string()))?,
            b"fLaC" => {
                let reader = claxon::FlacReader::open(path).map_err(|error| unsupported(error.to_string()))?;
                Self::Flac(reader, Vec::new())
            }
            other => {
                let found = String::from_utf8_lossy(other).into_owned();
                return Err(AudioError::UnknownFormat { path: path.into(), found });
            }
        };
        if decoder.channels() == 0 {
            return Err(unsupported("expected at least one channel, but it has none".into()));
        }
        Ok(decoder)
    }

    /// Frames in a second.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Wav(reader) => reader.spec().sample_rate,
            Self::Flac(reader, _) => reader.streaminfo().sample_rate,
        }
    }

    /// Length in frames, if the header has it.
    pub fn frames(&self) -> Option<u64> {
        match self {
            Self::Wav(reader) => Some(u64::from(reader.duration())),
            Self::Flac(reader, _) => reader.streaminfo().samples,
        }
    }

    /// The next frames, none at the end; an error is what the decoder says of the file.
    pub fn next_block(&mut self) -> Result<Vec<f32>, String> {
        match self {
            Self::Wav(reader) => wav_block(reader).map_err(|error| error.to_string()),
            Self::Flac(reader, buffer) => flac_block(reader, buffer).map_err(|error| error.to_string()),
        }
    }

    fn channels(&self) -> u32 {
        match self {
            Self::Wav(reader) => u32::from(reader.spec().channels),
            Self::Flac(reader, _) => reader.streaminfo().channels,
        }
    }
}

fn first_bytes(path: &Path) -> Result<[u8; 4], AudioError> {
    let failed = |error: std::io::Error| AudioError::Read { path: path.into(), kind: error.kind() };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(4).read_to_end(&mut bytes).map_err(failed)?;
    bytes.resize(4, b' ');
    Ok([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn wav_block(reader: &mut hound::WavReader<BufReader<File>>) -> hound::Result<Vec<f32>> {
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let wanted = WAV_BLOCK_FRAMES * channels;
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().take(wanted).collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let scale = full_scale(u32::from(spec.bits_per_sample)).recip();
            let samples = reader.samples::<i32>().take(wanted);
            samples.map(|sample| sample.map(|sample| sample as f32 * scale)).collect::<Result<_, _>>()?
        }
    };
    Ok(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect())
}

fn flac_block(reader: &mut claxon::FlacReader<File>, buffer: &mut Vec<i32>) -> claxon::Result<Vec<f32>> {
    let scale = full_scale(reader.streaminfo().bits_per_sample).recip();
    let Some(block) = reader.blocks().read_next_or_eof(std::mem::take(buffer))? else {
        return Ok(Vec::new());
    };
    let scale = scale / block.channels() as f32;
    let mut mono = vec![0.0; block.duration() as usize];
    for channel in 0..block.channels() {
        for (sum, sample) in mono.iter_mut().zip(block.channel(channel)) {
            *sum += *sample as f32 * scale;
        }
    }
    *buffer = block.into_buffer();
    Ok(mono)
}

/// The magnitude of the most negative sample.
fn full_scale(bits: u32) -> f32 {
    2f32.powi(bits as i32 - 1)
}
