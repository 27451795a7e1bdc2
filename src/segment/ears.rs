//! What tells speech from silence in one stream.

use std::ops::Range;
use std::sync::Arc;

use super::voice::{CHUNK_SAMPLES, Level, Listener, Speech, Thresholds, Voice};
use super::voiced::Voiced;

/// The detector, and what it found in the window that is open.
pub(super) struct Ears {
    listener: Listener,
    level: Level,
    /// Samples on their way to the listener.
    loud: Vec<f32>,
    /// Of the chunks that were heard last.
    pub probabilities: Vec<f32>,
    pub voiced: Voiced,
    pub speech: Speech,
    /// Pauses within the window that is open.
    pub pauses: Vec<Range<u64>>,
    /// Where the open window begins.
    pub window: Option<u64>,
}

impl Ears {
    /// At a stream's beginning.
    pub fn new(thresholds: Thresholds, voice: &Arc<Voice>) -> Self {
        Self {
            listener: voice.listener(),
            level: Level::default(),
            loud: Vec::new(),
            probabilities: Vec::new(),
            voiced: Voiced::new(thresholds),
            speech: Speech::new(thresholds),
            pauses: Vec::new(),
            window: None,
        }
    }

    /// Hears what follows, whole chunks of it.
    pub fn hear(&mut self, samples: &[f32]) {
        self.probabilities.clear();
        self.loud.clear();
        self.loud.extend_from_slice(samples);
        self.loud.chunks_mut(CHUNK_SAMPLES).for_each(|chunk| self.level.raise(chunk));
        self.listener.push(&self.loud, &mut self.probabilities);
        self.probabilities.iter().for_each(|&probability| self.voiced.push(probability));
    }

    /// Hears the rest of the stream.
    pub fn finish(&mut self, samples: &[f32]) {
        self.hear(samples);
        let heard = self.probabilities.len();
        self.listener.finish(&mut self.probabilities);
        self.probabilities[heard..].iter().for_each(|&probability| self.voiced.push(probability));
    }

    /// The longest pause of the open window within these places.
    pub fn longest_pause(&self, search: Range<u64>) -> Option<Range<u64>> {
        let open = self.speech.open();
        let open_pause = (!open.is_speech).then_some(open.start_samples..open.end_samples);
        let within = |pause: &Range<u64>| pause.start.max(search.start)..pause.end.min(search.end);
        let pauses = self.pauses.iter().cloned().chain(open_pause).map(|pause| within(&pause));
        pauses.filter(|pause| pause.start < pause.end).max_by_key(|pause| pause.end - pause.start)
    }
}
