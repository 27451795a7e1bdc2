//! One-dimensional convolution of width 3 as a product: three consecutive input rows are one row of its left matrix.

/// Kernel width of both of Whisper's convolutions.
pub const WIDTH: usize = 3;

/// Reorders one filter, (inputs, WIDTH) as checkpoints have it, to (WIDTH, inputs).
pub fn reorder(filter: &[f32], inputs: usize, reordered: &mut [f32]) {
    for input in 0..inputs {
        for tap in 0..WIDTH {
            reordered[tap * inputs + input] = filter[input * WIDTH + tap];
        }
    }
}

/// The input rows that output row `row` is made of, from a matrix of `inputs` columns with `rows` rows; `edge` is used where
/// the zero padding is among them.
pub fn neighbours<'a>(
    input: &'a [f32],
    inputs: usize,
    rows: usize,
    row: usize,
    stride: usize,
    edge: &'a mut Vec<f32>,
) -> &'a [f32] {
    let first = row * stride;
    if first > 0 && first + 1 < rows {
        return &input[(first - 1) * inputs..][..WIDTH * inputs];
    }
    edge.clear();
    edge.resize(WIDTH * inputs, 0.0);
    for (tap, edge) in edge.chunks_exact_mut(inputs).enumerate() {
        if (1..=rows).contains(&(first + tap)) {
            edge.copy_from_slice(&input[(first + tap - 1) * inputs..][..inputs]);
        }
    }
    edge
}
