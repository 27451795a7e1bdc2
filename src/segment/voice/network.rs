//! 512 samples → the probability that they are speech.
//!
//! Magnitudes of four frames; four convolutions over time with ReLU, which leave one position; an LSTM cell, whose state is
//! all that is remembered from chunk to chunk (with the 64 samples of context); a logistic unit.

use gemm_common::pulp::{Arch, Simd, WithSimd};

use super::matrix::Matrix;
use super::spectrum::{self, BINS, FRAME_SAMPLES, Spectrum};
use super::weights::Weights;
use super::{CHUNK_SAMPLES, CONTEXT_SAMPLES};
use crate::math::exp;

/// Channels in and out of the convolutions, all three positions wide.
pub(super) const CONVOLUTIONS: [(usize, usize); 4] = [(BINS, 128), (128, 64), (64, 64), (64, WIDTH)];
/// Width of the LSTM cell.
pub(super) const WIDTH: usize = 128;

/// Distance of two frames.
const HOP_SAMPLES: usize = 128;
/// Samples at the end of a chunk that are mirrored behind it.
const MIRRORED_SAMPLES: usize = 64;
const INPUT_SAMPLES: usize = CONTEXT_SAMPLES + CHUNK_SAMPLES + MIRRORED_SAMPLES;
const FRAMES: usize = (INPUT_SAMPLES - FRAME_SAMPLES) / HOP_SAMPLES + 1;
/// Chunks that can be taken together. All but the cell's own part is then computed for all of them, and its weights are read
/// once.
pub(super) const MOST_CHUNKS: usize = 4;

/// Positions of a chunk's frames with one of zeros at both ends.
const PADDED: usize = FRAMES + 2;

/// The weights, packed for [`Network::probability`].
pub(super) struct Network {
    arch: Arch,
    spectrum: Spectrum,
    first: Matrix,
    second: Matrix,
    third: Matrix,
    fourth: Matrix,
    /// Of the cell's input.
    gates: Matrix,
    /// Of its former output.
    recurrence: Matrix,
    output: [f32; WIDTH],
    output_bias: f32,
}

/// What is remembered of a stream, and buffers.
///
/// Values over time are (chunk, position, channel). Those that a padded convolution reads have a position of zeros at both
/// ends of each chunk.
pub(super) struct State {
    samples: [[f32; INPUT_SAMPLES]; MOST_CHUNKS],
    magnitudes: [f32; MOST_CHUNKS * PADDED * BINS],
    first: [f32; MOST_CHUNKS * PADDED * CONVOLUTIONS[0].1],
    second: [f32; MOST_CHUNKS * FRAMES / 2 * CONVOLUTIONS[1].1],
    third: [f32; MOST_CHUNKS * CONVOLUTIONS[2].1],
    cell_input: [f32; MOST_CHUNKS * WIDTH],
    gates: [f32; MOST_CHUNKS * 4 * WIDTH],
    cell: [f32; WIDTH],
    hidden: [f32; WIDTH],
    spectrum: spectrum::Scratch,
    /// The vectors of a product side by side.
    scratch: [f32; MOST_CHUNKS * FRAMES * 3 * BINS],
}

/// The arithmetic of some chunks, compiled once for each set of vector instructions. A closure would not do: it is compiled apart,
/// for the instructions that all processors have.
struct Step<'a> {
    network: &'a Network,
    state: &'a mut State,
    chunks: usize,
}

impl WithSimd for Step<'_> {
    type Output = [f32; MOST_CHUNKS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; MOST_CHUNKS] {
        const POSITIONS: usize = MOST_CHUNKS * FRAMES;
        let mut probabilities = [0.0; MOST_CHUNKS];
        if self.chunks == MOST_CHUNKS {
            self.network.run::<S, MOST_CHUNKS, { POSITIONS / 2 }, POSITIONS>(simd, self.state, &mut probabilities);
        } else {
            self.network.run::<S, 1, { FRAMES / 2 }, FRAMES>(simd, self.state, &mut probabilities[..1]);
        }
        probabilities
    }
}

impl Network {
    pub fn new(weights: &Weights) -> Self {
        let [first, second, third, fourth] = &weights.convolutions;
        let mut output = [0.0; WIDTH];
        output.copy_from_slice(&weights.output);
        Self {
            arch: Arch::new(),
            spectrum: Spectrum::new(),
            first: convolution(first, CONVOLUTIONS[0].0, 0..3),
            second: convolution(second, CONVOLUTIONS[1].0, 0..3),
            // Two positions come in and one goes out: what is left of the former is padding.
            third: convolution(third, CONVOLUTIONS[2].0, 1..3),
            // One position comes in, with padding on both sides.
            fourth: convolution(fourth, CONVOLUTIONS[3].0, 1..2),
            gates: Matrix::new(&weights.gate_bias, WIDTH, |row, column| weights.from_input[row * WIDTH + column]),
            recurrence: Matrix::new(&[0.0; 4 * WIDTH], WIDTH, |row, column| weights.from_hidden[row * WIDTH + column]),
            output,
            output_bias: weights.output_bias,
        }
    }

    /// The state before a stream's first sample.
    pub fn state(&self) -> State {
        State {
            samples: [[0.0; INPUT_SAMPLES]; MOST_CHUNKS],
            magnitudes: [0.0; MOST_CHUNKS * PADDED * BINS],
            first: [0.0; MOST_CHUNKS * PADDED * CONVOLUTIONS[0].1],
            second: [0.0; MOST_CHUNKS * FRAMES / 2 * CONVOLUTIONS[1].1],
            third: [0.0; MOST_CHUNKS * CONVOLUTIONS[2].1],
            cell_input: [0.0; MOST_CHUNKS * WIDTH],
            gates: [0.0; MOST_CHUNKS * 4 * WIDTH],
            cell: [0.0; WIDTH],
            hidden: [0.0; WIDTH],
            spectrum: self.spectrum.scratch(),
            scratch: [0.0; MOST_CHUNKS * FRAMES * 3 * BINS],
        }
    }

    /// The probabilities that the chunks, which were written to [`State::chunk`], are speech: MOST_CHUNKS or one.
    pub fn probabilities(&self, state: &mut State, chunks: usize) -> [f32; MOST_CHUNKS] {
        self.arch.dispatch(Step { network: self, state, chunks })
    }

    /// `HALVES` and `POSITIONS` are half as many and as many as the chunks have frames.
    #[inline(always)]
    fn run<S: Simd, const CHUNKS: usize, const HALVES: usize, const POSITIONS: usize>(
        &self,
        simd: S,
        state: &mut State,
        probabilities: &mut [f32],
    ) {
        state.complete(CHUNKS);
        for chunk in 0..CHUNKS {
            let magnitudes = &mut state.magnitudes[(chunk * PADDED + 1) * BINS..];
            for (index, magnitudes) in magnitudes.chunks_exact_mut(BINS).take(FRAMES).enumerate() {
                let frame = &state.samples[chunk][index * HOP_SAMPLES..][..FRAME_SAMPLES];
                self.spectrum.run(frame, magnitudes, &mut state.spectrum);
            }
        }
        let [(_, first), (_, second), (_, third), _] = CONVOLUTIONS;
        let padded = |n: usize| n / FRAMES * PADDED + n % FRAMES;
        let State {
            magnitudes, first: one, second: two, third: three, cell_input, gates, cell, hidden, scratch, ..
        } = &mut *state;
        self.first.multiply::<S, POSITIONS, 1>(
            simd,
            magnitudes,
            |n| padded(n) * BINS,
            one,
            |n| (padded(n) + 1) * first,
            scratch,
        );
        for chunk in one.chunks_exact_mut(PADDED * first).take(CHUNKS) {
            rectify(&mut chunk[first..][..FRAMES * first]);
        }
        self.second.multiply::<S, HALVES, 2>(simd, one, |n| padded(2 * n) * first, two, |n| n * second, scratch);
        rectify(&mut two[..HALVES * second]);
        self.third.multiply::<S, CHUNKS, 4>(simd, two, |n| n * FRAMES / 2 * second, three, |n| n * third, scratch);
        rectify(&mut three[..CHUNKS * third]);
        self.fourth.multiply::<S, CHUNKS, 4>(simd, three, |n| n * third, cell_input, |n| n * WIDTH, scratch);
        rectify(&mut cell_input[..CHUNKS * WIDTH]);
        self.gates.multiply::<S, CHUNKS, 4>(simd, cell_input, |n| n * WIDTH, gates, |n| n * 4 * WIDTH, scratch);
        for (gates, probability) in gates.chunks_exact_mut(4 * WIDTH).zip(probabilities) {
            self.recurrence.multiply_add::<S, 4>(simd, hidden, gates);
            step_cell(gates, cell, hidden);
            let logit: f32 = hidden.iter().zip(&self.output).map(|(h, w)| h.max(0.0) * w).sum();
            *probability = sigmoid(logit + self.output_bias);
        }
        state.keep_context(CHUNKS);
    }
}

impl State {
    /// Back to before the first sample. The padding and the buffers that each chunk overwrites stay.
    pub fn reset(&mut self) {
        self.samples[0].fill(0.0);
        self.hidden.fill(0.0);
        self.cell.fill(0.0);
    }

    /// Where a chunk of samples goes, CHUNK_SAMPLES long, below MOST_CHUNKS.
    pub fn chunk(&mut self, index: usize) -> &mut [f32] {
        &mut self.samples[index][CONTEXT_SAMPLES..][..CHUNK_SAMPLES]
    }

    /// Puts before each chunk but the first the end of the one before, and behind each its mirror image, in which the last
    /// sample is not repeated.
    fn complete(&mut self, chunks: usize) {
        let end = CONTEXT_SAMPLES + CHUNK_SAMPLES;
        for chunk in 0..chunks {
            let samples = &mut self.samples[chunk];
            for offset in 0..MIRRORED_SAMPLES {
                samples[end + offset] = samples[end - 2 - offset];
            }
        }
        for next in 1..chunks {
            let (before, after) = self.samples.split_at_mut(next);
            after[0][..CONTEXT_SAMPLES].copy_from_slice(&before[next - 1][CHUNK_SAMPLES..end]);
        }
    }

    /// The end of the last of so many chunks becomes what is before the next first one.
    fn keep_context(&mut self, chunks: usize) {
        let mut context = [0.0; CONTEXT_SAMPLES];
        context.copy_from_slice(&self.samples[chunks - 1][CHUNK_SAMPLES..][..CONTEXT_SAMPLES]);
        self.samples[0][..CONTEXT_SAMPLES].copy_from_slice(&context);
    }
}

#[inline(always)]
fn step_cell(gates: &[f32], cell: &mut [f32; WIDTH], hidden: &mut [f32; WIDTH]) {
    let (input, gates) = gates.split_at(WIDTH);
    let (forget, gates) = gates.split_at(WIDTH);
    let (candidate, output) = gates.split_at(WIDTH);
    for index in 0..WIDTH {
        let kept = sigmoid(forget[index]) * cell[index];
        cell[index] = kept + sigmoid(input[index]) * tanh(candidate[index]);
        hidden[index] = sigmoid(output[index]) * tanh(cell[index]);
    }
}

/// A convolution's weights (out, in, 3) and bias as a matrix for inputs (position, channel), of the taps that meet input.
fn convolution((weights, bias): &(Vec<f32>, Vec<f32>), channels: usize, taps: std::ops::Range<usize>) -> Matrix {
    Matrix::new(bias, taps.len() * channels, |row, column| {
        weights[(row * channels + column % channels) * 3 + taps.start + column / channels]
    })
}

#[inline(always)]
fn rectify(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Within 1e-7; the standard library's is several times slower, for the sake of relative precision near 0.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}
