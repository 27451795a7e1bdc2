//! Any sample rate to 16 kHz, block by block, without the filter's delay.

use rubato::{
    Fft, FixedSync, Indexing, Resampler as _, WindowFunction, audioadapter_buffers::direct::InterleavedSlice,
};

use super::audio::SAMPLE_RATE;

/// Rates outside of this are taken for a broken header: the filter's memory grows with the rate.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// A longer filter is steeper; this one passes 7.8 kHz of a 48 kHz recording.
const CHUNK_FRAMES: usize = 4_096;

/// A mono resampler and the input that does not fill a chunk yet.
pub struct Resampler {
    filter: Fft<f32>,
    pending: Vec<f32>,
    received: u64,
    delivered: u64,
    delay_left: usize,
}

impl Resampler {
    /// From `rate` to 16 kHz.
    pub fn new(rate: u32) -> Result<Self, String> {
        if !RATES.contains(&rate) {
            return Err(format!(
                "expected a sample rate of {} to {} Hz, but it has {rate}",
                RATES.start(),
                RATES.end()
            ));
        }
        let (from, to) = (rate as usize, SAMPLE_RATE as usize);
        let filter = Fft::new_custom(from, to, CHUNK_FRAMES, 1, 1, WindowFunction::BlackmanHarris2, FixedSync::Both)
            .map_err(|error| error.to_string())?;
        let delay_left = filter.output_delay();
        Ok(Self { filter, pending: Vec::new(), received: 0, delivered: 0, delay_left })
    }

    /// Takes samples and appends what is ready to `output`.
    pub fn push(&mut self, input: &[f32], output: &mut Vec<f32>) -> Result<(), String> {
        self.received += input.len() as u64;
        self.pending.extend_from_slice(input);
        let chunk = self.filter.input_frames_next();
        let whole = self.pending.len() / chunk * chunk;
        let pending = std::mem::take(&mut self.pending);
        for frames in pending[..whole].chunks_exact(chunk) {
            self.process(frames, output)?;
        }
        self.pending = pending[whole..].to_vec();
        Ok(())
    }

    /// Appends the rest, so that all output lasts as long as all input.
    pub fn finish(&mut self, output: &mut Vec<f32>) -> Result<(), String> {
        let ratio = self.filter.resample_ratio();
        let expected = (self.received as f64 * ratio).round() as u64;
        let mut last = std::mem::take(&mut self.pending);
        while self.delivered < expected {
            last.resize(self.filter.input_frames_next(), 0.0);
            self.process(&last, output)?;
            last.clear();
        }
        output.truncate(output.len() - (self.delivered - expected) as usize);
        self.delivered = expected;
        Ok(())
    }

    fn process(&mut self, frames: &[f32], output: &mut Vec<f32>) -> Result<(), String> {
        let mut chunk = vec![0.0; self.filter.output_frames_next()];
        let capacity = chunk.len();
        let input = InterleavedSlice::new(frames, 1, frames.len()).map_err(|error| error.to_string())?;
        let mut target = InterleavedSlice::new_mut(&mut chunk, 1, capacity).map_err(|error| error.to_string())?;
        let (_, written) = self
            .filter
            .process_into_buffer(&input, &mut target, None::<&Indexing>)
            .map_err(|error| error.to_string())?;
        let skipped = self.delay_left.min(written);
        self.delay_left -= skipped;
        output.extend_from_slice(&chunk[skipped..written]);
        self.delivered += (written - skipped) as u64;
        Ok(())
    }
}
