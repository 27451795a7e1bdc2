//! Dynamic time warping: the cheapest way through a matrix from its first element to its last.

/// Where the cheapest path enters each row, as a column: the path goes from the first element to the last, a row or a column
/// further at each step or both, and costs the sum of what it passes. `costs` are (rows, `columns`), neither of which is 0.
///
/// `dtw_cpu` and `backtrace` in openai/whisper `timing.py`.
pub fn entries(costs: &[f32], columns: usize) -> Vec<usize> {
    let rows = costs.len() / columns;
    let mut steps = vec![Step::Right; costs.len()];
    // What the cheapest paths to the last row cost, with a border in front.
    let mut above = vec![f32::INFINITY; columns + 1];
    above[0] = 0.0;
    for (costs, steps) in costs.chunks_exact(columns).zip(steps.chunks_exact_mut(columns)) {
        let (mut diagonal, mut left) = (above[0], f32::INFINITY);
        above[0] = f32::INFINITY;
        for ((cost, step), above) in costs.iter().zip(steps).zip(&mut above[1..]) {
            let (least, from) = if diagonal < *above && diagonal < left {
                (diagonal, Step::Diagonal)
            } else if *above < left {
                (*above, Step::Down)
            } else {
                (left, Step::Right)
            };
            *step = from;
            diagonal = *above;
            left = cost + least;
            *above = left;
        }
    }
    let (mut entries, mut row, mut column) = (vec![0; rows], rows - 1, columns - 1);
    loop {
        entries[row] = column;
        match steps[row * columns + column] {
            // Along the borders there is one way alone.
            _ if row == 0 && column == 0 => return entries,
            _ if row == 0 => column -= 1,
            _ if column == 0 => row -= 1,
            Step::Diagonal => (row, column) = (row - 1, column - 1),
            Step::Down => row -= 1,
            Step::Right => column -= 1,
        }
    }
}

/// How the cheapest path comes to an element.
#[derive(Clone, Copy)]
enum Step {
    Diagonal,
    Down,
    Right,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The least that any path to this element costs, by trying all.
    fn least(costs: &[f32], columns: usize, row: usize, column: usize) -> f32 {
        let here = costs[row * columns + column];
        let before = match (row, column) {
            (0, 0) => 0.0,
            (0, _) => least(costs, columns, 0, column - 1),
            (_, 0) => least(costs, columns, row - 1, 0),
            _ => least(costs, columns, row - 1, column - 1).min(least(costs, columns, row - 1, column)).min(least(
                costs,
                columns,
                row,
                column - 1,
            )),
        };
        here + before
    }

    #[test]
    fn the_path_follows_a_staircase() {
        let spoken = |row: usize| [0..3, 3..4, 4..9, 9..12][row].clone();
        let costs: Vec<f32> =
            (0..48).map(|index| if spoken(index / 12).contains(&(index % 12)) { -1.0 } else { 1.0 }).collect();
        assert_eq!(entries(&costs, 12), [0, 3, 4, 9]);
    }

    #[test]
    fn more_rows_than_columns_share_them() {
        assert_eq!(entries(&[1.0; 5], 1), [0; 5]);
        assert_eq!(entries(&[1.0; 5], 5), [0]);
        let entries = entries(&[0.5; 12], 2);
        assert!(entries.is_sorted() && entries[0] == 0 && entries[5] <= 1, "{entries:?}");
    }

    proptest! {
        #[test]
        fn no_path_is_cheaper(columns in 1usize..6, costs in prop::collection::vec(-4i8..5, 1..30)) {
            let rows = (costs.len() / columns).max(1);
            let costs: Vec<f32> = costs.iter().cycle().take(rows * columns).map(|cost| f32::from(*cost)).collect();
            let entries = entries(&costs, columns);
            prop_assert_eq!(entries[0], 0);
            prop_assert!(entries.is_sorted());
            // A row goes on until the next is entered, in the same column or from the one before it.
            let cost = |row: usize, columns_of_row: std::ops::Range<usize>| -> f32 {
                columns_of_row.map(|column| costs[row * columns + column]).sum()
            };
            let mut total = cost(rows - 1, entries[rows - 1]..columns);
            for row in 0..rows - 1 {
                let next = entries[row + 1];
                let down = cost(row, entries[row]..next + 1);
                let diagonal = if next > entries[row] { cost(row, entries[row]..next) } else { f32::INFINITY };
                total += down.min(diagonal);
            }
            prop_assert_eq!(total, least(&costs, columns, rows - 1, columns - 1));
        }
    }
}
