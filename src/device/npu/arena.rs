//! Places in DDR for what a session holds.

use super::columns::Columns;
use super::design::DdrBuffer;
use super::grid::Grid;
use super::held::Held;
use super::object::{BLOCK_ROWS, Form, TILE_COLUMNS};
use super::plan::{Plan, ValuePlan, blocks};
use super::storage::{PART_COLUMNS, Storage};

/// What never changes: weights.
pub const WEIGHTS: DdrBuffer = DdrBuffer(0);
/// Headers, and the weights that stand behind some.
pub const HEADERS: DdrBuffer = DdrBuffer(1);
/// Everything else.
pub const ARENA: DdrBuffer = DdrBuffer(2);

/// Matrices of objects have so many columns of them that any operation on rows can read or write whole objects.
const COLUMNS_MULTIPLE: usize = 16;

/// Places in DDR being given away.
pub struct Arena<'a> {
    pub plan: &'a Plan,
    pub bytes: u64,
}

impl Arena<'_> {
    pub fn held(&mut self, value: &ValuePlan, lanes: usize) -> Held {
        let blocks_of_step = blocks(value.rows, lanes, self.plan.target);
        let forms = value.forms.iter().map(|&form| (form, (self.storage(form, value.columns, blocks_of_step), false)));
        let forms = forms.collect();
        let kept = if value.rows.is_kept() { lanes } else { 0 };
        let kept = (0..kept).map(|_| self.storage(Form::Bf16, value.columns, blocks_of_step)).collect();
        let host = vec![0.0; value.rows.limit() * value.columns.logical];
        let spare = value.is_summed.then(|| self.storage(Form::Wide, value.columns, blocks_of_step));
        Held { columns: value.columns, rows: value.rows, host, is_on_host: true, forms, spare, kept }
    }

    pub fn storage(&mut self, form: Form, columns: Columns, blocks: usize) -> Storage {
        let tiles = columns.physical().div_ceil(TILE_COLUMNS).next_multiple_of(self.plan.target.columns);
        let scales = usize::from(form == Form::Int8);
        let wanted = (tiles * TILE_COLUMNS / form.columns() + scales).next_multiple_of(COLUMNS_MULTIPLE);
        let rows = blocks * BLOCK_ROWS / form.rows();
        let starts = (0..wanted).step_by(PART_COLUMNS);
        let parts = starts.map(|first| self.grid(rows, PART_COLUMNS.min(wanted - first))).collect();
        Storage { form, parts, columns }
    }

    pub fn grid(&mut self, rows: usize, columns: usize) -> Grid {
        let grid = Grid { buffer: ARENA, offset_bytes: self.bytes, rows, columns };
        self.bytes += grid.bytes();
        grid
    }
}
