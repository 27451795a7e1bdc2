//! A running median.

/// Values that each median is of.
pub const WIDTH: usize = 7;

/// Writes the median of the [`WIDTH`] values around each; `output` is as long as `row`, which is mirrored at its ends, without
/// its first and last value twice. A row that is too short to be mirrored is copied.
///
/// `median_filter` in openai/whisper `timing.py`.
pub fn filter(row: &[f32], output: &mut [f32]) {
    const REACH: usize = WIDTH / 2;
    let count = row.len();
    if count <= REACH {
        return output.copy_from_slice(row);
    }
    for (index, output) in output.iter_mut().enumerate() {
        let mut window: [f32; WIDTH] = std::array::from_fn(|offset| {
            let place = (index + offset).abs_diff(REACH);
            row[if place < count { place } else { 2 * (count - 1) - place }]
        });
        *output = *window.select_nth_unstable_by(REACH, f32::total_cmp).1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(row: &[f32]) -> Vec<f32> {
        let mut output = vec![f32::NAN; row.len()];
        filter(row, &mut output);
        output
    }

    #[test]
    fn what_stands_out_for_less_than_half_the_width_is_removed() {
        let mut row = [1.0; 20];
        row[9..12].fill(50.0);
        assert_eq!(filtered(&row), [1.0; 20]);
        row[9..13].fill(50.0);
        assert_eq!(filtered(&row)[9..13], [50.0; 4]);
    }

    #[test]
    fn ends_are_mirrored() {
        // Around the first value stand 4 3 2 1 2 3 4, around the last 5 6 7 8 7 6 5.
        let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(filtered(&row), [3.0, 3.0, 3.0, 4.0, 5.0, 6.0, 6.0, 6.0]);
    }

    #[test]
    fn short_rows_are_mirrored_as_far_as_they_can_be() {
        assert_eq!(filtered(&[3.0, 1.0, 2.0]), [3.0, 1.0, 2.0]);
        // Around the first value stand 4 2 1 3 1 2 4.
        assert_eq!(filtered(&[3.0, 1.0, 2.0, 4.0])[0], 2.0);
        assert!(filtered(&[]).is_empty());
    }
}
