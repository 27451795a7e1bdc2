//! Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450), epsilon 1e-5 as in PyTorch.

use rayon::prelude::*;

const EPSILON: f32 = 1e-5;

/// Normalises each row of `input` (rows, weight.len()) into `output`.
pub fn layer_norm(input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
    let width = weight.len();
    let one_row = |(input, output): (&[f32], &mut [f32])| {
        let mean = input.iter().sum::<f32>() / width as f32;
        let variance = input.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width as f32;
        let scale = 1.0 / (variance + EPSILON).sqrt();
        for (((y, x), w), b) in output.iter_mut().zip(input).zip(weight).zip(bias) {
            *y = (x - mean) * scale * w + b;
        }
    };
    if input.len() <= width {
        one_row((input, output));
    } else {
        let rows = input.par_chunks_exact(width).zip(output.par_chunks_exact_mut(width));
        rows.with_min_len(16).for_each(one_row);
    }
}

#[cfg(test)]
mod tests {
    use super::layer_norm;

    #[test]
    fn rows_get_mean_zero_and_variance_one_then_weight_and_bias() {
        for (rows, width) in [(1, 2), (1, 384), (3, 7), (40, 65)] {
            let input: Vec<f32> = (0..rows * width).map(|i| (i as f32 * 0.91).sin() * 3.0 + 2.0).collect();
            let weight: Vec<f32> = (0..width).map(|i| 1.0 + i as f32 * 0.01).collect();
            let bias: Vec<f32> = (0..width).map(|i| i as f32 * 0.1).collect();
            let mut output = vec![f32::NAN; rows * width];
            layer_norm(&input, &weight, &bias, &mut output);
            for row in 0..rows {
                let x: Vec<f64> = input[row * width..][..width].iter().map(|&x| x as f64).collect();
                let mean = x.iter().sum::<f64>() / width as f64;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
                for i in 0..width {
                    let expected = (x[i] - mean) / (variance + 1e-5).sqrt() * weight[i] as f64 + bias[i] as f64;
                    assert!((output[row * width + i] as f64 - expected).abs() < 1e-4, "{rows}x{width} at {row},{i}");
                }
            }
        }
    }
}
