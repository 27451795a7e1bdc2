//! Samples → the probability of speech, chunk by chunk, and from that the stretches of speech and the pauses.
//!
//! The network is Silero's voice activity detector, version 6, for 16 kHz. [`Voice`] is its weights, [`Listener`] the
//! state of one stream, [`Speech`] makes stretches of the probabilities. Read `network.rs` for the arithmetic.

mod error;
mod level;
mod matrix;
mod network;
mod spectrum;
mod speech;
mod weights;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

pub use error::VoiceError;
pub use level::Level;
pub use speech::{Speech, Stretch, Thresholds};

use crate::lock::lock;
use crate::model;
use network::{MOST_CHUNKS, Network, State};
use weights::Weights;

/// Samples for which one probability is given: 32 ms.
pub const CHUNK_SAMPLES: usize = 512;

/// Samples before a chunk that the network sees too.
const CONTEXT_SAMPLES: usize = 64;
/// Where `scripts/get-model silero-vad` puts the weights within a model folder.
const FILE: &str = "silero-vad/silero_vad_16k.safetensors";
/// Samples are held to this, a thousand times full scale: sums of such ones stay finite all through the network.
const LOUDEST: f32 = 1_000.0;

/// What [`Voice::open`] opened and somebody still uses.
static OPEN: Mutex<Vec<Weak<Voice>>> = Mutex::new(Vec::new());

/// The network's weights, read-only.
pub struct Voice {
    /// The file that they are from, without symbolic links.
    path: PathBuf,
    network: Network,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Voice").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is remembered of one stream.
pub struct Listener {
    voice: Arc<Voice>,
    state: Box<State>,
    /// How much of the chunk has come.
    filled_samples: usize,
}

/// Where the weights are installed: in the first folder of [`model::folders`] that has them.
pub fn find() -> Result<PathBuf, VoiceError> {
    find_in(model::folders())
}

fn find_in(folders: Vec<PathBuf>) -> Result<PathBuf, VoiceError> {
    let found = folders.iter().map(|folder| folder.join(FILE)).find(|path| path.exists());
    found.ok_or_else(|| VoiceError::NotInstalled { file: FILE.into(), searched: folders })
}

impl Voice {
    /// Reads and checks the weights, 1.2 MB; all users of a file share one copy of them.
    pub fn open(path: &Path) -> Result<Arc<Self>, VoiceError> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut open = lock(&OPEN);
        open.retain(|voice| voice.strong_count() > 0);
        if let Some(voice) = open.iter().filter_map(Weak::upgrade).find(|voice| voice.path == path) {
            return Ok(voice);
        }
        let network = Network::new(&Weights::open(&path)?);
        let voice = Arc::new(Self { path, network });
        open.push(Arc::downgrade(&voice));
        Ok(voice)
    }

    /// A listener at the beginning of a stream.
    pub fn listener(self: &Arc<Self>) -> Listener {
        Listener { voice: self.clone(), state: Box::new(self.network.state()), filled_samples: 0 }
    }
}

impl Listener {
    /// Hears 16 kHz samples, however many, and adds one probability to `probabilities` for each chunk that they complete.
    ///
    /// A sample that is not finite counts as silence.
    pub fn push(&mut self, mut samples: &[f32], probabilities: &mut Vec<f32>) {
        while !samples.is_empty() {
            let chunks =
                if self.filled_samples == 0 && samples.len() >= MOST_CHUNKS * CHUNK_SAMPLES { MOST_CHUNKS } else { 1 };
            for chunk in 0..chunks {
                let free = &mut self.state.chunk(chunk)[self.filled_samples..];
                let (now, later) = samples.split_at(free.len().min(samples.len()));
                for (place, sample) in free.iter_mut().zip(now) {
                    *place = if sample.is_finite() { sample.clamp(-LOUDEST, LOUDEST) } else { 0.0 };
                }
                self.filled_samples = (self.filled_samples + now.len()) % CHUNK_SAMPLES;
                samples = later;
            }
            if self.filled_samples == 0 {
                probabilities.extend_from_slice(&self.voice.network.probabilities(&mut self.state, chunks)[..chunks]);
            }
        }
    }

    /// Ends the stream: a chunk that has begun is filled up with zeros. The listener is then at the beginning of another.
    pub fn finish(&mut self, probabilities: &mut Vec<f32>) {
        if self.filled_samples > 0 {
            self.state.chunk(0)[self.filled_samples..].fill(0.0);
            probabilities.push(self.voice.network.probabilities(&mut self.state, 1)[0]);
        }
        self.reset();
    }

    /// Forgets all that was heard, as a seek asks for.
    pub fn reset(&mut self) {
        self.state.reset();
        self.filled_samples = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_has_the_weights_counts() {
        let (empty, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = full.path().join(FILE);
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(find_in(vec![empty.path().into(), full.path().into()]).unwrap(), file);
        let error = find_in(vec![empty.path().into()]).unwrap_err().to_string();
        assert!(error.contains("scripts/get-model silero-vad"), "{error}");
        assert!(error.contains(empty.path().to_str().unwrap()), "{error}");
        assert!(find_in(vec![]).unwrap_err().to_string().contains("WHISPERNPU_MODEL_PATH"));
    }
}
