//! A matrix in row order: what objects are packed from and what the reference computes on.

use std::ops::{Index, IndexMut};

/// Elements in row order.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix<T> {
    rows: usize,
    columns: usize,
    elements: Vec<T>,
}

impl<T: Copy> Matrix<T> {
    /// The same element everywhere.
    pub fn filled(rows: usize, columns: usize, element: T) -> Self {
        Self { rows, columns, elements: vec![element; rows * columns] }
    }

    /// The element of each row and column.
    pub fn from_fn(rows: usize, columns: usize, mut element: impl FnMut(usize, usize) -> T) -> Self {
        let elements = (0..rows * columns).map(|index| element(index / columns, index % columns)).collect();
        Self { rows, columns, elements }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All elements in row order.
    pub fn elements(&self) -> &[T] {
        &self.elements
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.elements[row * self.columns..][..self.columns]
    }

    /// One row.
    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.elements[row * self.columns..][..self.columns]
    }

    /// Each element changed.
    pub fn map<U: Copy>(&self, mut change: impl FnMut(T) -> U) -> Matrix<U> {
        let elements = self.elements.iter().map(|&element| change(element)).collect();
        Matrix { rows: self.rows, columns: self.columns, elements }
    }

    /// Rows as columns.
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self[(column, row)])
    }
}

impl<T: Copy> Index<(usize, usize)> for Matrix<T> {
    type Output = T;

    fn index(&self, (row, column): (usize, usize)) -> &T {
        &self.row(row)[column]
    }
}

impl<T: Copy> IndexMut<(usize, usize)> for Matrix<T> {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut T {
        &mut self.row_mut(row)[column]
    }
}
