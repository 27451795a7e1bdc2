//! 512 samples → the probability that they are speech.
//!
//! Magnitudes of four frames; four convolutions over time with ReLU, which leave one position; an LSTM cell, whose state is
//! all that is remembered from chunk to chunk (with the 64 samples of context); a logistic unit.

use gemm_common::pulp::{Arch, Simd, WithSimd};

use super::matrix::Matrix;
use super::spectrum::{self, BINS, FRAME_SAMPLES, Spectrum};
use super::weights::Weights;
use super::{CHUNK_SAMPLES, CONTEXT_SAMPLES};

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

/// The weights, packed for [`Network::probability`].
pub(super) struct Network {
    arch: Arch,
    spectrum: Spectrum,
    // With more rows in a group the sums hide better how long one takes, but beyond these the compiler no longer keeps
    // them in registers.
    first: Matrix<16>,
    second: Matrix<16>,
    third: Matrix<64>,
    fourth: Matrix<64>,
    gates: Matrix<64>,
    output: [f32; WIDTH],
    output_bias: f32,
}

/// What is remembered of a stream, and buffers.
///
/// Values over time are (position, channel). Those that a padded convolution reads have a position of zeros at both ends.
pub(super) struct State {
    samples: [f32; INPUT_SAMPLES],
    magnitudes: [f32; (FRAMES + 2) * BINS],
    first: [f32; (FRAMES + 2) * CONVOLUTIONS[0].1],
    second: [f32; FRAMES / 2 * CONVOLUTIONS[1].1],
    third: [f32; CONVOLUTIONS[2].1],
    /// The cell's input, then its former output.
    cell_input: [f32; 2 * WIDTH],
    gates: [f32; 4 * WIDTH],
    cell: [f32; WIDTH],
    spectrum: spectrum::Scratch,
}

/// One chunk's arithmetic, compiled once for each set of vector instructions. A closure would not do: it is compiled apart,
/// for the instructions that all processors have.
struct Step<'a> {
    network: &'a Network,
    state: &'a mut State,
}

impl WithSimd for Step<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        self.network.run(self.state)
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
            gates: Matrix::new(&weights.gate_bias, 2 * WIDTH, |row, column| match column.checked_sub(WIDTH) {
                None => weights.from_input[row * WIDTH + column],
                Some(column) => weights.from_hidden[row * WIDTH + column],
            }),
            output,
            output_bias: weights.output_bias,
        }
    }

    /// The state before a stream's first sample.
    pub fn state(&self) -> State {
        State {
            samples: [0.0; INPUT_SAMPLES],
            magnitudes: [0.0; (FRAMES + 2) * BINS],
            first: [0.0; (FRAMES + 2) * CONVOLUTIONS[0].1],
            second: [0.0; FRAMES / 2 * CONVOLUTIONS[1].1],
            third: [0.0; CONVOLUTIONS[2].1],
            cell_input: [0.0; 2 * WIDTH],
            gates: [0.0; 4 * WIDTH],
            cell: [0.0; WIDTH],
            spectrum: self.spectrum.scratch(),
        }
    }

    /// The probability that the chunk, which was written to [`State::chunk`], is speech.
    pub fn probability(&self, state: &mut State) -> f32 {
        self.arch.dispatch(Step { network: self, state })
    }

    #[inline(always)]
    fn run(&self, state: &mut State) -> f32 {
        state.mirror();
        let frames = state.magnitudes[BINS..].chunks_exact_mut(BINS).take(FRAMES);
        for (index, magnitudes) in frames.enumerate() {
            self.spectrum.run(&state.samples[index * HOP_SAMPLES..][..FRAME_SAMPLES], magnitudes, &mut state.spectrum);
        }
        let inner = CONVOLUTIONS[0].1..(FRAMES + 1) * CONVOLUTIONS[0].1;
        self.first.multiply::<FRAMES>(&state.magnitudes, BINS, &mut state.first[inner.clone()]);
        rectify(&mut state.first[inner]);
        self.second.multiply::<{ FRAMES / 2 }>(&state.first, 2 * CONVOLUTIONS[0].1, &mut state.second);
        rectify(&mut state.second);
        self.third.multiply::<1>(&state.second, 0, &mut state.third);
        rectify(&mut state.third);
        self.fourth.multiply::<1>(&state.third, 0, &mut state.cell_input[..WIDTH]);
        rectify(&mut state.cell_input[..WIDTH]);
        self.gates.multiply::<1>(&state.cell_input, 0, &mut state.gates);
        state.step_cell();
        state.keep_context();
        let hidden = &state.cell_input[WIDTH..];
        let logit: f32 = hidden.iter().zip(&self.output).map(|(h, w)| h.max(0.0) * w).sum();
        sigmoid(logit + self.output_bias)
    }
}

impl State {
    /// Back to before the first sample. The padding and the buffers that each chunk overwrites stay.
    pub fn reset(&mut self) {
        self.samples.fill(0.0);
        self.cell_input.fill(0.0);
        self.cell.fill(0.0);
    }

    /// Where the next chunk of samples goes, CHUNK_SAMPLES long.
    pub fn chunk(&mut self) -> &mut [f32] {
        &mut self.samples[CONTEXT_SAMPLES..][..CHUNK_SAMPLES]
    }

    /// Continues behind the chunk with its mirror image, in which the last sample is not repeated.
    fn mirror(&mut self) {
        let end = CONTEXT_SAMPLES + CHUNK_SAMPLES;
        for offset in 0..MIRRORED_SAMPLES {
            self.samples[end + offset] = self.samples[end - 2 - offset];
        }
    }

    fn keep_context(&mut self) {
        self.samples.copy_within(CHUNK_SAMPLES..CHUNK_SAMPLES + CONTEXT_SAMPLES, 0);
    }

    #[inline(always)]
    fn step_cell(&mut self) {
        let (input, gates) = self.gates.split_at(WIDTH);
        let (forget, gates) = gates.split_at(WIDTH);
        let (candidate, output) = gates.split_at(WIDTH);
        let hidden = &mut self.cell_input[WIDTH..];
        for index in 0..WIDTH {
            let kept = sigmoid(forget[index]) * self.cell[index];
            self.cell[index] = kept + sigmoid(input[index]) * tanh(candidate[index]);
            hidden[index] = sigmoid(output[index]) * tanh(self.cell[index]);
        }
    }
}

/// A convolution's weights (out, in, 3) and bias as a matrix for inputs (position, channel), of the taps that meet input.
fn convolution<const ROWS: usize>(
    (weights, bias): &(Vec<f32>, Vec<f32>),
    channels: usize,
    taps: std::ops::Range<usize>,
) -> Matrix<ROWS> {
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
    1.0 / (1.0 + (-x).exp())
}

/// Within 1e-7; the standard library's is several times slower, for the sake of relative precision near 0.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}
