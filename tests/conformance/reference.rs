//! The operations as their definitions say, in f64, one loop a sum.

use std::f64::consts::{PI, TAU};

pub fn linear(x: &[f32], w: &[f32], bias: Option<&[f32]>, rows: usize, inputs: usize, outputs: usize) -> Vec<f64> {
    let mut y = Vec::new();
    for row in 0..rows {
        for output in 0..outputs {
            let products = (0..inputs).map(|i| x[row * inputs + i] as f64 * w[output * inputs + i] as f64);
            y.push(products.sum::<f64>() + bias.map_or(0.0, |bias| bias[output] as f64));
        }
    }
    y
}

/// x·Φ(x), with the normal distribution integrated by Simpson's rule.
pub fn gelu(x: f64) -> f64 {
    const STEPS: usize = 2_000;
    let density = |t: f64| (-t * t / 2.0).exp() / TAU.sqrt();
    let h = x / STEPS as f64;
    let sum: f64 = (1..STEPS).map(|i| density(i as f64 * h) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    x * (0.5 + h / 3.0 * (density(0.0) + sum + density(x)))
}

pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let width = weight.len();
    let mut y = Vec::new();
    for row in x.chunks(width) {
        let mean = row.iter().map(|&x| x as f64).sum::<f64>() / width as f64;
        let variance = row.iter().map(|&x| (x as f64 - mean).powi(2)).sum::<f64>() / width as f64;
        for (i, &x) in row.iter().enumerate() {
            y.push((x as f64 - mean) / (variance + 1e-5).sqrt() * weight[i] as f64 + bias[i] as f64);
        }
    }
    y
}

/// `visible(i)` keys are seen by query row i.
pub fn attention([q, k, v]: [&[f32]; 3], width: usize, heads: usize, visible: impl Fn(usize) -> usize) -> Vec<f64> {
    let depth = width / heads;
    let rows = q.len() / width;
    let mut y = vec![0.0; rows * width];
    for row in 0..rows {
        for head in 0..heads {
            let column = head * depth;
            let score = |key: usize| {
                let products =
                    (0..depth).map(|i| q[row * width + column + i] as f64 * k[key * width + column + i] as f64);
                products.sum::<f64>() / (depth as f64).sqrt()
            };
            let weights: Vec<f64> = (0..visible(row)).map(|key| score(key).exp()).collect();
            let total: f64 = weights.iter().sum();
            for i in 0..depth {
                let values = weights.iter().enumerate().map(|(key, w)| w * v[key * width + column + i] as f64);
                y[row * width + column + i] = values.sum::<f64>() / total;
            }
        }
    }
    y
}

/// How one head weighs the keys that a query row sees, which are of the head's columns alone.
pub fn probabilities(q: &[f32], k: &[f32]) -> Vec<f64> {
    let products = |key: &[f32]| q.iter().zip(key).map(|(q, k)| *q as f64 * *k as f64).sum::<f64>();
    let powers = k.chunks(q.len()).map(|key| (products(key) / (q.len() as f64).sqrt()).exp());
    let powers: Vec<f64> = powers.collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|power| power / total).collect()
}

pub fn convolution(x: &[f32], w: &[f32], bias: &[f32], inputs: usize, stride: usize) -> Vec<f64> {
    let rows = x.len() / inputs;
    let mut y = Vec::new();
    for row in 0..rows / stride {
        for (output, bias) in bias.iter().enumerate() {
            let mut sum = *bias as f64;
            for tap in 0..3 {
                let source = (row * stride + tap) as isize - 1;
                if (0..rows as isize).contains(&source) {
                    for i in 0..inputs {
                        sum += x[source as usize * inputs + i] as f64 * w[(output * inputs + i) * 3 + tap] as f64;
                    }
                }
            }
            y.push(sum);
        }
    }
    y
}

/// Logarithms of mel spectra with a discrete Fourier transform by its definition.
pub fn log_mel(samples: &[f32], filters: &[f32], window: usize, hop: usize) -> Vec<f64> {
    let bands = window / 2 + 1;
    let mut mel = Vec::new();
    for frame in samples.windows(window).step_by(hop) {
        let hann = |n: usize| (PI * n as f64 / window as f64).sin().powi(2);
        let x: Vec<f64> = frame.iter().enumerate().map(|(n, &x)| x as f64 * hann(n)).collect();
        let power = |k: usize| {
            let angle = |n: usize| TAU * (k * n % window) as f64 / window as f64;
            let real: f64 = x.iter().enumerate().map(|(n, x)| x * angle(n).cos()).sum();
            let imaginary: f64 = x.iter().enumerate().map(|(n, x)| x * angle(n).sin()).sum();
            real * real + imaginary * imaginary
        };
        let power: Vec<f64> = (0..bands).map(power).collect();
        for filter in filters.chunks(bands) {
            let energy: f64 = filter.iter().zip(&power).map(|(w, p)| *w as f64 * p).sum();
            mel.push(energy.max(1e-10).log10());
        }
    }
    mel
}
