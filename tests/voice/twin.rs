//! The network once more, slow and obvious: every layer as its definition reads, in f64.

use crate::synthetic::Tensors;

/// Probabilities of the whole chunks of `samples`.
pub fn probabilities(tensors: &Tensors, samples: &[f32]) -> Vec<f64> {
    let mut hidden = vec![0.0; 128];
    let mut cell = vec![0.0; 128];
    let padded: Vec<f64> = [0.0; 64].into_iter().chain(samples.iter().map(|x| *x as f64)).collect();
    (0..samples.len() / 512)
        .map(|chunk| {
            let mut input = padded[chunk * 512..][..576].to_vec();
            input.extend((0..64).map(|offset| input[574 - offset]).collect::<Vec<_>>());
            let transformed = convolution(tensors, "stft_conv", &[input], 128, 0);
            let magnitudes: Vec<Vec<f64>> = (0..129)
                .map(|bin| transformed[bin].iter().zip(&transformed[bin + 129]).map(|(re, im)| re.hypot(*im)).collect())
                .collect();
            let first = rectified(convolution(tensors, "conv1", &magnitudes, 1, 1));
            let second = rectified(convolution(tensors, "conv2", &first, 2, 1));
            let third = rectified(convolution(tensors, "conv3", &second, 2, 1));
            let fourth = rectified(convolution(tensors, "conv4", &third, 1, 1));
            assert_eq!((fourth.len(), fourth[0].len()), (128, 1));
            let input: Vec<f64> = fourth.iter().map(|channel| channel[0]).collect();
            step_cell(tensors, &input, &mut hidden, &mut cell);
            let output = rectified(hidden.iter().map(|h| vec![*h]).collect());
            sigmoid(convolution(tensors, "final_conv", &output, 1, 0)[0][0])
        })
        .collect()
}

/// Channels over positions, with zeros at both ends, to channels over positions.
fn convolution(tensors: &Tensors, name: &str, input: &[Vec<f64>], stride: usize, padding: usize) -> Vec<Vec<f64>> {
    let (shape, weights) = &tensors[&format!("{name}.weight")];
    let [outputs, inputs, taps] = shape[..] else { panic!("{name} is no convolution") };
    assert_eq!(inputs, input.len(), "{name}");
    let length = input[0].len();
    let positions = (length + 2 * padding - taps) / stride + 1;
    let at = |channel: usize, padded: usize| match padded.checked_sub(padding) {
        Some(position) if position < length => input[channel][position],
        _ => 0.0,
    };
    (0..outputs)
        .map(|output| {
            let bias = tensors.get(&format!("{name}.bias")).map_or(0.0, |(_, bias)| bias[output] as f64);
            (0..positions)
                .map(|position| {
                    let mut sum = bias;
                    for channel in 0..inputs {
                        for tap in 0..taps {
                            let weight = weights[(output * inputs + channel) * taps + tap] as f64;
                            sum += weight * at(channel, position * stride + tap);
                        }
                    }
                    sum
                })
                .collect()
        })
        .collect()
}

fn step_cell(tensors: &Tensors, input: &[f64], hidden: &mut [f64], cell: &mut [f64]) {
    let part = |side: &str, vector: &[f64], row: usize| {
        let weights = &tensors[&format!("lstm_cell.weight_{side}")].1;
        let products = vector.iter().enumerate().map(|(column, x)| weights[row * 128 + column] as f64 * x);
        products.sum::<f64>() + tensors[&format!("lstm_cell.bias_{side}")].1[row] as f64
    };
    let gates: Vec<f64> = (0..512).map(|row| part("ih", input, row) + part("hh", hidden, row)).collect();
    for unit in 0..128 {
        let gate = |index: usize| gates[index * 128 + unit];
        cell[unit] = sigmoid(gate(1)) * cell[unit] + sigmoid(gate(0)) * gate(2).tanh();
        hidden[unit] = sigmoid(gate(3)) * cell[unit].tanh();
    }
}

fn rectified(mut channels: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for value in channels.iter_mut().flatten() {
        *value = value.max(0.0);
    }
    channels
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
