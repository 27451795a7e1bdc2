//! Where the packed matrices of a program come from: a file that an earlier load left, or the packing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cache::Contents;
use super::packed::{Lines, Panels};
use super::simd::{Isa, Kind};
use crate::device::team::Team;

/// The packed matrices of one program.
pub struct Store<'a> {
    pub isa: Isa,
    pub team: &'a Arc<Team>,
    contents: Option<&'a Contents>,
    matrices: Vec<(Matrix, Arc<Panels>)>,
    is_packed: bool,
}

/// What was packed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// Canonical name of its tensor.
    pub name: String,
    /// What it was packed in.
    pub form: Form,
    /// Columns of the right matrix, which are the tensor's rows.
    pub columns: usize,
    /// Inner dimension.
    pub inner: usize,
}

/// What weights are packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// [`super::coarse::Coarse`].
    Int2,
    /// [`super::simd::Int8`].
    Int8,
    /// [`super::simd::Bf16`].
    Bf16,
    /// The mean of the tensor's rows in f32.
    Mean,
}

impl From<Kind> for Form {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Int8 => Self::Int8,
            Kind::Bf16 => Self::Bf16,
        }
    }
}

impl<'a> Store<'a> {
    /// A store that takes from `contents` what is there.
    pub fn new(isa: Isa, team: &'a Arc<Team>, contents: Option<&'a Contents>) -> Self {
        Self { isa, team, contents, matrices: Vec::new(), is_packed: false }
    }

    /// The panels of a matrix, of `groups` groups a column; `pack` makes them where the file has none.
    pub fn panels(&mut self, matrix: Matrix, groups: usize, pack: impl FnOnce(Isa, &Team) -> Panels) -> Arc<Panels> {
        let kept = self.contents.and_then(|contents| contents.panels(&matrix, groups, self.isa.panel_columns()));
        let panels = Arc::new(kept.unwrap_or_else(|| {
            self.is_packed = true;
            pack(self.isa, self.team)
        }));
        self.matrices.push((matrix, panels.clone()));
        panels
    }

    /// As many numbers as `matrix` has columns; `make` makes them where the file has none.
    pub fn numbers(&mut self, matrix: Matrix, make: impl FnOnce(&Team) -> Vec<f32>) -> Arc<[f32]> {
        let (columns, panel_columns) = (matrix.columns, self.isa.panel_columns());
        // The scales of panels without lines.
        let panels = self.panels(matrix, 0, |_, team| {
            let mut numbers = make(team);
            numbers.resize(columns.next_multiple_of(panel_columns), 0.0);
            let sums = vec![0.0; numbers.len()];
            Panels::kept(Lines::Packed(Vec::new()), numbers, sums, 0, panel_columns)
        });
        panels.scales[..columns].into()
    }

    /// All that was asked for.
    pub fn matrices(&self) -> &[(Matrix, Arc<Panels>)] {
        &self.matrices
    }

    /// Whether any of it had to be packed.
    pub fn is_packed(&self) -> bool {
        self.is_packed
    }
}
