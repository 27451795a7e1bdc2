//! How much each token of a text looks at each position of the sound, from many heads' probabilities.

use std::ops::Range;

use super::median;

/// Mean over heads of what the rows `wanted` of `rows` look at, (wanted, `positions`): each head's probabilities over the first
/// `positions`, standardised over the rows, and smoothed over the positions.
///
/// `find_alignment` in openai/whisper `timing.py`, which computes the probabilities over these positions alone.
pub fn attention<'a, H: Fn(usize) -> &'a [f32]>(
    heads: impl Iterator<Item = H>,
    rows: usize,
    wanted: Range<usize>,
    positions: usize,
) -> Vec<f32> {
    let mut sums = vec![0.0; wanted.len() * positions];
    let (mut head_count, mut probabilities, mut smooth) = (0, vec![0.0; rows * positions], vec![0.0; positions]);
    for head in heads {
        head_count += 1;
        for (row, probabilities) in probabilities.chunks_exact_mut(positions).enumerate() {
            probabilities.copy_from_slice(&head(row)[..positions]);
            scale_to_one(probabilities);
        }
        standardise(&mut probabilities, positions);
        let wanted = &probabilities[wanted.start * positions..wanted.end * positions];
        for (row, sums) in wanted.chunks_exact(positions).zip(sums.chunks_exact_mut(positions)) {
            median::filter(row, &mut smooth);
            sums.iter_mut().zip(&smooth).for_each(|(sum, x)| *sum += x);
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= head_count as f32);
    sums
}

/// Makes the sum 1, unless it is 0.
fn scale_to_one(probabilities: &mut [f32]) {
    let sum: f32 = probabilities.iter().sum();
    if sum > 0.0 {
        probabilities.iter_mut().for_each(|x| *x /= sum);
    }
}

/// Gives each column the mean 0 and the variance 1; all zeros where its values do not differ.
fn standardise(values: &mut [f32], columns: usize) {
    let rows = (values.len() / columns) as f32;
    let (mut means, mut variances) = (vec![0.0; columns], vec![0.0; columns]);
    for row in values.chunks_exact(columns) {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / rows);
    }
    for row in values.chunks_exact(columns) {
        let differences = row.iter().zip(&means).map(|(x, mean)| x - mean);
        variances.iter_mut().zip(differences).for_each(|(variance, x)| *variance += x * x / rows);
    }
    for row in values.chunks_exact_mut(columns) {
        for ((x, mean), variance) in row.iter_mut().zip(&means).zip(&variances) {
            *x = if *variance > 0.0 { (*x - mean) / variance.sqrt() } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised() {
        let mut values = [1.0, 5.0, 3.0, 5.0];
        standardise(&mut values, 2);
        assert_eq!(values, [-1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn only_wanted_rows_and_positions_count_and_heads_are_averaged() {
        // Too few positions to be smoothed; the third position is none of the sound.
        let first = [[3.0, 1.0, 4.0], [1.0, 1.0, 0.0], [0.0, 0.0, 8.0]];
        let second = [[0.5, 0.5, 0.0]; 3];
        let heads = [first, second];
        let heads = heads.iter().map(|head| |row: usize| head[row].as_slice());
        let matrix = attention(heads, 3, 1..3, 2);
        // Rows scaled to (¾, ¼), (½, ½), (0, 0); the second head's do not differ.
        let (mean, deviation) = (1.25f32 / 3.0, (7.0f32 / 72.0).sqrt());
        for (received, expected) in matrix.iter().zip([0.5, 0.5, 0.0, 0.0].into_iter().zip([mean, 0.25, mean, 0.25])) {
            let deviation = if expected.1 == mean { deviation } else { (1.0f32 / 24.0).sqrt() };
            assert!((received - (expected.0 - expected.1) / deviation / 2.0).abs() < 1e-5, "{matrix:?}");
        }
    }
}
