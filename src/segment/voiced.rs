//! Where a stream has a voice, for as long as somebody may ask.

use std::collections::VecDeque;
use std::ops::Range;

use super::voice::{CHUNK_SAMPLES, Thresholds};
use crate::mel::HOP_SAMPLES;

/// A voice sounds so long before and behind where it is heard: 30 ms, by which Silero pads speech.
const REACH_SAMPLES: u64 = 480;

/// Which chunks of a stream have a voice.
pub struct Voiced {
    thresholds: Thresholds,
    chunks: VecDeque<bool>,
    /// Chunks that were forgotten.
    forgotten: u64,
}

impl Voiced {
    /// A stream of which nothing was heard.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, chunks: VecDeque::new(), forgotten: 0 }
    }

    /// Takes the next chunk's probability of speech.
    pub fn push(&mut self, probability: f32) {
        let Thresholds { speech, silence, .. } = self.thresholds;
        let goes_on = self.chunks.back() == Some(&true) && probability >= silence;
        self.chunks.push_back(goes_on || probability >= speech);
    }

    /// Drops what is before `place`, and further from it than a voice reaches.
    pub fn forget(&mut self, place: u64) {
        let reach = REACH_SAMPLES.div_ceil(CHUNK_SAMPLES as u64);
        let unneeded = (place / CHUNK_SAMPLES as u64).saturating_sub(self.forgotten + reach);
        let unneeded = (unneeded as usize).min(self.chunks.len());
        self.chunks.drain(..unneeded);
        self.forgotten += unneeded as u64;
    }

    /// For each frame of a spectrogram of this place whether it is in a chunk that has a voice, or that near to one. What was not
    /// listened to counts as voice.
    pub fn frames(&self, place: &Range<u64>) -> Vec<bool> {
        let has_voice = |chunk: u64| {
            let index = chunk.checked_sub(self.forgotten).and_then(|index| usize::try_from(index).ok());
            index.and_then(|index| self.chunks.get(index)).copied().unwrap_or(true)
        };
        let chunk = |sample: u64| sample / CHUNK_SAMPLES as u64;
        let frames = place.clone().step_by(HOP_SAMPLES);
        frames.map(|at| (chunk(at.saturating_sub(REACH_SAMPLES))..=chunk(at + REACH_SAMPLES)).any(has_voice)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_near_a_voice_have_one() {
        // However much of a pause is transcribed with it, it has no voice.
        let mut voiced = Voiced::new(Thresholds { padding_samples: 16_000, ..Thresholds::default() });
        [0.1, 0.1, 0.1, 0.4, 0.6, 0.4, 0.1, 0.1, 0.1].into_iter().for_each(|probability| voiced.push(probability));
        let spoken = 4 * 512 - 480..6 * 512 + 480;
        for _ in 0..2 {
            let frames = voiced.frames(&(1_280..4_000));
            assert_eq!(frames.len(), 17);
            for (index, frame) in frames.into_iter().enumerate() {
                assert_eq!(frame, spoken.contains(&(1_280 + 160 * index)), "frame {index}");
            }
            voiced.forget(1_280);
            voiced.forget(1_100);
        }
        assert_eq!(voiced.forgotten, 1);
        assert_eq!(voiced.frames(&(8_000..8_200)), [true, true], "nobody knows yet");
    }
}
