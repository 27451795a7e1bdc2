//! The log-mel front end as two products: a Fourier transform, whose power is filtered.
//!
//! Samples and the transform's factors have more digits than bf16 has. Both are split into a part that bf16 holds and the rest,
//! and of the four products of parts the three that count are summed: (a + a′)·(b + b′) ≈ a·b + a′·b + a·b′. What is left out is
//! 2^−18 of the greatest frequency, 108 dB below it.

use std::f64::consts::TAU;

use half::bf16;

use super::columns::Columns;
use super::object::TILE_COLUMNS;

/// Frequencies of a tile: half of it are real parts, half imaginary ones.
const TILE_FREQUENCIES: usize = TILE_COLUMNS / 2;

/// Columns of a frame: its samples, what bf16 leaves of them, and its samples again.
pub fn split(window_samples: usize) -> Columns {
    Columns::plain(3 * window_samples)
}

/// Writes a frame as [`split`] says.
pub fn split_row(samples: &[f32], row: &mut Vec<f32>) {
    row.clear();
    row.extend(samples.iter().map(|sample| leading(*sample)));
    row.extend(samples.iter().map(|sample| sample - leading(*sample)));
    row.extend(samples.iter().map(|sample| leading(*sample)));
}

/// Columns of a transform's results, (tiles, real and imaginary, 32).
pub fn parts(frequencies: usize) -> Columns {
    Columns::plain(frequencies.div_ceil(TILE_FREQUENCIES) * TILE_COLUMNS)
}

/// The factors of a Fourier transform under a Hann window.
pub struct Transform {
    window_samples: usize,
}

/// The transform of windows of this length.
pub fn transform(window_samples: usize) -> Transform {
    Transform { window_samples }
}

impl Transform {
    /// Writes the factors of a column of [`parts`] for the columns of [`split`].
    pub fn row(&self, column: usize, out: &mut [f32]) {
        let frequency = column / TILE_COLUMNS * TILE_FREQUENCIES + column % TILE_FREQUENCIES;
        let is_imaginary = column % TILE_COLUMNS >= TILE_FREQUENCIES;
        let length = self.window_samples;
        if frequency > length / 2 {
            return out.fill(0.0);
        }
        for sample in 0..length {
            let hann = 0.5 - 0.5 * (TAU * sample as f64 / length as f64).cos();
            let phase = TAU * (sample * frequency % length) as f64 / length as f64;
            let factor = (hann * if is_imaginary { phase.sin() } else { phase.cos() }) as f32;
            out[sample] = leading(factor);
            out[length + sample] = leading(factor);
            out[2 * length + sample] = factor - leading(factor);
        }
    }
}

/// What bf16 holds of a number.
fn leading(value: f32) -> f32 {
    bf16::from_f32(value).to_f32()
}
