//! The spectrogram of one stream, made as its samples come.

use std::ops::Range;

use super::front::{FRAMES_AT_A_TIME, Frames};
use super::{FRAME_SAMPLES, HOP_SAMPLES, WINDOW_FRAMES};
use crate::device::DeviceError;

/// Samples of a frame before its centre.
const HALF_SAMPLES: usize = FRAME_SAMPLES / 2;
/// Samples that are taken at a time, so that they are still in the cache when their frames are computed.
const PIECE_SAMPLES: usize = FRAMES_AT_A_TIME * HOP_SAMPLES;

/// The logarithms of a stream's mel spectra, those of frame k around sample k·HOP_SAMPLES.
///
/// The first frames see what the stream begins with mirrored at its first sample, the last ones silence behind its last, and
/// all others their own samples, as in openai/whisper `audio.py`, where the spectrogram is of the whole recording with silence
/// behind it. How many samples come at a time makes no difference, down to the last bit.
pub struct Spectrogram {
    frames: Frames,
    /// (frames, bins)
    mel: Vec<f32>,
    /// Number of the first frame in `mel`.
    first_frame: u64,
    /// Samples from the first one of the next frame on.
    pending: Vec<f32>,
    heard_samples: u64,
    /// Whether the beginning was mirrored.
    has_begun: bool,
    has_ended: bool,
}

impl Spectrogram {
    pub(super) fn new(frames: Frames) -> Self {
        Self {
            frames,
            mel: Vec::new(),
            first_frame: 0,
            pending: Vec::new(),
            heard_samples: 0,
            has_begun: false,
            has_ended: false,
        }
    }

    /// Takes more samples, 16 kHz mono, and computes the frames that they complete.
    ///
    /// Errors: a device fault.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        for piece in samples.chunks(PIECE_SAMPLES) {
            self.heard_samples += piece.len() as u64;
            self.take(piece)?;
        }
        Ok(())
    }

    /// Says that no more samples come: the frames that still see some are computed.
    ///
    /// Errors: a device fault.
    pub fn end(&mut self) -> Result<(), DeviceError> {
        if self.has_ended || self.heard_samples == 0 {
            return Ok(());
        }
        self.has_ended = true;
        let last = (self.heard_samples + HALF_SAMPLES as u64 - 1) / HOP_SAMPLES as u64;
        let silence = last * HOP_SAMPLES as u64 + HALF_SAMPLES as u64 - self.heard_samples;
        self.take(&vec![0.0; silence as usize])
    }

    /// The logarithms (frames, bins) of the frames around the samples of `place`, which begins at a frame's centre and is at most
    /// WINDOW_SAMPLES long; at the stream's end also of those behind it that see some of its samples. None if a frame is still
    /// to come. Panics if one was forgotten.
    pub fn window(&self, place: &Range<u64>) -> Option<&[f32]> {
        let made = self.first_frame + (self.mel.len() / self.frames.bins) as u64;
        let first = place.start / HOP_SAMPLES as u64;
        let end = if self.has_ended && place.end >= self.heard_samples {
            made
        } else {
            place.end.div_ceil(HOP_SAMPLES as u64)
        };
        let count = (end - first).min(WINDOW_FRAMES as u64) as usize;
        let first = (first - self.first_frame) as usize;
        self.mel.get(first * self.frames.bins..(first + count) * self.frames.bins)
    }

    /// Drops the frames before the one at `place`. It moves what stays, so it waits until that is worth it.
    pub fn forget(&mut self, place: u64) {
        let unneeded = (place / HOP_SAMPLES as u64).saturating_sub(self.first_frame);
        let length = (unneeded as usize * self.frames.bins).min(self.mel.len());
        if length > self.mel.len() / 2 {
            self.mel.drain(..length);
            self.first_frame += (length / self.frames.bins) as u64;
        }
    }

    fn take(&mut self, samples: &[f32]) -> Result<(), DeviceError> {
        self.pending.extend_from_slice(samples);
        if !self.has_begun {
            if self.pending.len() <= HALF_SAMPLES {
                return Ok(());
            }
            self.has_begun = true;
            let mirrored: Vec<f32> = self.pending[1..=HALF_SAMPLES].iter().rev().copied().collect();
            self.pending.splice(..0, mirrored);
        }
        let frames = self.frames.extend(&mut self.mel, &self.pending)?;
        self.pending.drain(..frames * HOP_SAMPLES);
        Ok(())
    }
}
