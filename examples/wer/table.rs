//! A table that reads well as plain text and as Markdown.

use std::fmt;

/// Rows under a header; the first `names` columns are aligned to the left, the others to the right.
pub struct Table {
    names: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new<const N: usize>(names: usize, header: [&str; N]) -> Self {
        Self { names, rows: vec![header.map(String::from).to_vec()] }
    }

    /// Adds a row with as many cells as there are columns.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.rows[0].len());
        self.rows.push(cells);
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.rows[0].len()).map(|column| self.width(column)).collect();
        for (index, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column < self.names {
                    true => write!(formatter, "| {cell:<width$} ")?,
                    false => write!(formatter, "| {cell:>width$} ")?,
                }
            }
            writeln!(formatter, "|")?;
            if index == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let colon = if column < self.names { '-' } else { ':' };
                    write!(formatter, "|{}{colon}", "-".repeat(width + 1))?;
                }
                writeln!(formatter, "|")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(1, ["kind", "words"]);
        table.row(vec!["utterance".into(), "9".into()]);
        assert_eq!(table.to_string(), "| kind      | words |\n|-----------|------:|\n| utterance |     9 |\n");
    }
}
