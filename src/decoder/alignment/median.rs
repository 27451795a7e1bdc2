//! A running median.

/// Values that each median is of.
pub const WIDTH: usize = 7;

const REACH: usize = WIDTH / 2;
/// Medians that are found at a time.
const LANES: usize = 8;

/// Writes the median of the [`WIDTH`] values around each; `output` is as long as `row`, which is mirrored at its ends, without
/// its first and last value twice. A row that is too short to be mirrored is copied. No value may be a NaN.
///
/// `median_filter` in openai/whisper `timing.py`.
pub fn filter(row: &[f32], output: &mut [f32]) {
    let count = row.len();
    if count <= REACH {
        return output.copy_from_slice(row);
    }
    let mirrored = |index: usize| -> [[f32; 1]; WIDTH] {
        std::array::from_fn(|offset| {
            let place = (index + offset).abs_diff(REACH);
            [row[if place < count { place } else { 2 * (count - 1) - place }]]
        })
    };
    let mut index = 0;
    while index < count {
        if index >= REACH && index + LANES + REACH <= count {
            let around: [[f32; LANES]; WIDTH] =
                std::array::from_fn(|offset| std::array::from_fn(|lane| row[index - REACH + offset + lane]));
            output[index..index + LANES].copy_from_slice(&medians(around));
            index += LANES;
        } else {
            output[index..index + 1].copy_from_slice(&medians(mirrored(index)));
            index += 1;
        }
    }
}

/// The comparisons that bring the median of seven to the middle (Devillard, 1998, "Fast median search: an ANSI C implementation", `opt_med7`).
const COMPARED: [(usize, usize); 13] =
    [(0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6), (2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4)];

/// In each lane the median of its values.
#[inline(always)]
fn medians<const LANES: usize>(mut values: [[f32; LANES]; WIDTH]) -> [f32; LANES] {
    for (one, other) in COMPARED {
        let (low, high) = (values[one], values[other]);
        // Not `f32::min`, which takes twice as long for the sake of NaNs.
        values[one] = std::array::from_fn(|lane| if low[lane] < high[lane] { low[lane] } else { high[lane] });
        values[other] = std::array::from_fn(|lane| if low[lane] < high[lane] { high[lane] } else { low[lane] });
    }
    values[REACH]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn half_of_the_others_are_no_greater(row in prop::collection::vec(-9i8..9, 7..40)) {
            let row: Vec<f32> = row.into_iter().map(f32::from).collect();
            let expected = row.windows(WIDTH).map(|window| {
                let mut window = window.to_vec();
                window.sort_by(f32::total_cmp);
                window[REACH]
            });
            let filtered = filtered(&row);
            prop_assert_eq!(&filtered[REACH..row.len() - REACH], expected.collect::<Vec<_>>());
        }
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
