//! Mel filter bank on Slaney's scale with Slaney's normalisation (Auditory Toolbox, Malcolm Slaney, 1998), as
//! `librosa.filters.mel` makes it for openai/whisper.

use super::{FRAME_SAMPLES, SAMPLE_RATE};

/// Triangular filters (bins, FRAME_SAMPLES / 2 + 1), row-major, each of unit area per hertz, from 0 to 8000 Hz.
pub fn filter_bank(bins: usize) -> Vec<f32> {
    let highest_mel = hertz_to_mel(SAMPLE_RATE as f64 / 2.0);
    let edges: Vec<f64> = (0..bins + 2).map(|i| mel_to_hertz(highest_mel * i as f64 / (bins + 1) as f64)).collect();
    let mut filters = Vec::with_capacity(bins * (FRAME_SAMPLES / 2 + 1));
    for edge in edges.windows(3) {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        for k in 0..=FRAME_SAMPLES / 2 {
            let frequency = (k * SAMPLE_RATE) as f64 / FRAME_SAMPLES as f64;
            let rising = (frequency - low) / (centre - low);
            let falling = (high - frequency) / (high - centre);
            filters.push((rising.min(falling).max(0.0) * 2.0 / (high - low)) as f32);
        }
    }
    filters
}

/// Linear below 1 kHz, 15 mel; logarithmic above, 27 steps for a factor of 6.4.
const LINEAR_HERTZ_PER_MEL: f64 = 200.0 / 3.0;
const BREAK_HERTZ: f64 = 1000.0;
const BREAK_MEL: f64 = BREAK_HERTZ / LINEAR_HERTZ_PER_MEL;

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

fn hertz_to_mel(hertz: f64) -> f64 {
    if hertz < BREAK_HERTZ { hertz / LINEAR_HERTZ_PER_MEL } else { BREAK_MEL + (hertz / BREAK_HERTZ).ln() / log_step() }
}

fn mel_to_hertz(mel: f64) -> f64 {
    if mel < BREAK_MEL { mel * LINEAR_HERTZ_PER_MEL } else { BREAK_HERTZ * (log_step() * (mel - BREAK_MEL)).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_has_unit_area() {
        for bins in [80, 128] {
            let width = FRAME_SAMPLES / 2 + 1;
            let bank = filter_bank(bins);
            assert_eq!(bank.len(), bins * width);
            // Narrow filters are sampled coarsely at 40 Hz a step, so only the wide ones show their area.
            for filter in bank.chunks_exact(width).skip(bins * 3 / 4) {
                let area: f32 = filter.iter().sum::<f32>() * (SAMPLE_RATE / FRAME_SAMPLES) as f32;
                assert!((area - 1.0).abs() < 0.05, "area {area}");
            }
        }
    }

    #[test]
    fn the_scale_is_its_own_inverse() {
        for hertz in [0.0, 440.0, 999.0, 1000.0, 4321.0, 8000.0] {
            assert!((mel_to_hertz(hertz_to_mel(hertz)) - hertz).abs() < 1e-9);
        }
    }
}
