//! Weights of a product, packed for the columns of the array, and the headers of its tiles.

use half::bf16;

use super::columns::Columns;
use super::format::{WEIGHTS_BF16, WEIGHTS_INT8};
use super::header::Header;
use super::layout::Q;
use super::matrix::Matrix;
use super::object::{Form, TILE_COLUMNS};
use super::program::{operation, output, word};
use super::reference::to_fixed;
use super::target::Target;

/// What a product multiplies with.
pub struct Source<'a> {
    /// Columns of the left operand.
    pub inputs: Columns,
    /// Columns of the result.
    pub outputs: Columns,
    /// Writes row `n` of the weights, (inputs.logical).
    pub row: &'a dyn Fn(usize, &mut [f32]),
    /// One for each column of the result, or none.
    pub bias: &'a [f32],
    /// Whether GELU follows.
    pub is_gelu: bool,
}

/// What becomes of the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results {
    /// Operands of bf16.
    Bf16,
    /// Wide numbers.
    Wide,
    /// Wide numbers, each added to what was there.
    Sum,
    /// Operands of bf16, the power of numbers whose parts stand in the halves of a tile.
    Power,
    /// Wide numbers, the logarithm of the sums.
    Logarithm,
    /// Operands of bf16, while each core keeps the greatest of each of its rows.
    Greatest,
}

impl Results {
    /// The form in which they are in DDR.
    pub fn form(self) -> Form {
        match self {
            Results::Bf16 | Results::Power | Results::Greatest => Form::Bf16,
            Results::Wide | Results::Sum | Results::Logarithm => Form::Wide,
        }
    }

    /// A header's number for it.
    pub fn number(self) -> i32 {
        match self {
            Results::Bf16 => output::BF16,
            Results::Wide => output::WIDE,
            Results::Sum => output::SUM,
            Results::Power => output::POWER,
            Results::Logarithm => output::LOGARITHM,
            Results::Greatest => output::GREATEST,
        }
    }
}

/// Tiles of columns that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiles {
    /// The first.
    pub first: usize,
    /// Tiles for each column of the array.
    pub turns: usize,
}

/// Largest integer of an int8 weight.
const LARGEST: f32 = 127.0;
/// Bits that a multiplier of a column may have.
const MULTIPLIER_BITS: i32 = 30;
/// Bits that an int8 product may have between its two multiplications.
const PRODUCT_BITS: i32 = 30;

/// A packed product.
pub struct Strips {
    /// (columns, turns) headers.
    pub headers: Vec<u8>,
    /// (columns, turns, depth) objects.
    pub weights: Vec<u8>,
}

/// Objects that the left operand of these columns has in a row.
pub fn depth(inputs: Columns, form: Form) -> usize {
    inputs.physical().div_ceil(form.columns())
}

/// Packs the weights of these tiles.
pub fn pack(source: &Source<'_>, form: Form, results: Results, target: Target, tiles: Tiles) -> Strips {
    let depth = depth(source.inputs, form);
    let matrix = Weights::new(source, target, tiles, depth * form.columns());
    let shifts = Shifts::new(&matrix, depth);
    let mut strips = Strips { headers: Vec::new(), weights: Vec::new() };
    for column in 0..target.columns {
        for turn in 0..tiles.turns {
            let tile = matrix.tile(turn * target.columns + column);
            let mut header =
                Header::of(operation::PRODUCT).word(word::DEPTH, depth as i32).word(word::OUTPUT, results.number());
            header = match results {
                Results::Power => header,
                Results::Logarithm => header.logarithm(),
                Results::Bf16 | Results::Wide | Results::Sum | Results::Greatest => {
                    let bias: Vec<i32> = tile.bias.iter().map(|bias| to_fixed(*bias, Q)).collect();
                    header.word(word::IS_FINISHED, 1).bias(&bias)
                }
            };
            if results == Results::Greatest {
                let first = (tiles.first + turn * target.columns + column) * TILE_COLUMNS;
                let counted = source.outputs.logical.saturating_sub(first).min(TILE_COLUMNS);
                header = header
                    .word(word::FIRST_COLUMN, first as i32)
                    .word(word::COUNTED_COLUMNS, counted as i32)
                    .word(word::IS_FIRST, i32::from(tiles.first + turn == 0));
            }
            if source.is_gelu {
                header = header.word(word::GELU, 1).gelu();
            }
            if form == Form::Int8 {
                let multipliers: Vec<i32> = tile.rows().map(|row| shifts.multiplier(row)).collect();
                header = header
                    .word(word::IS_INT8, 1)
                    .word(word::COLUMN_SHIFT, shifts.column)
                    .word(word::ROW_SHIFT, shifts.total - shifts.column)
                    .multiplier(&multipliers);
                strips.weights.extend(WEIGHTS_INT8.pack(&tile.int8()));
            } else {
                strips.weights.extend(WEIGHTS_BF16.pack(&tile.bf16()));
            }
            strips.headers.extend_from_slice(header.bytes());
        }
    }
    strips
}

/// The weights of some tiles, (tiles · 64, inner), with the padding of both operands.
struct Weights {
    values: Vec<f32>,
    bias: Vec<f32>,
    inner: usize,
}

struct Tile<'a> {
    values: &'a [f32],
    bias: &'a [f32],
    inner: usize,
}

impl Weights {
    fn new(source: &Source<'_>, target: Target, tiles: Tiles, inner: usize) -> Self {
        let first = tiles.first * TILE_COLUMNS;
        let count = tiles.turns * target.columns * TILE_COLUMNS;
        let (mut values, mut bias) = (vec![0.0; count * inner], vec![0.0; count]);
        let mut row = vec![0.0; source.inputs.logical];
        for output in 0..source.outputs.logical {
            let Some(place) = source.outputs.place(output).checked_sub(first).filter(|place| *place < count) else {
                continue;
            };
            (source.row)(output, &mut row);
            let to = &mut values[place * inner..][..inner];
            row.iter().enumerate().for_each(|(input, value)| to[source.inputs.place(input)] = *value);
            bias[place] = source.bias.get(output).copied().unwrap_or(0.0);
        }
        Self { values, bias, inner }
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.inner)
    }

    fn tile(&self, tile: usize) -> Tile<'_> {
        let first = tile * TILE_COLUMNS;
        Tile {
            values: &self.values[first * self.inner..][..TILE_COLUMNS * self.inner],
            bias: &self.bias[first..][..TILE_COLUMNS],
            inner: self.inner,
        }
    }
}

impl Tile<'_> {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.inner)
    }

    /// (inputs, 64).
    fn bf16(&self) -> Matrix<bf16> {
        Matrix::from_fn(self.inner, TILE_COLUMNS, |input, output| {
            bf16::from_f32(self.values[output * self.inner + input])
        })
    }

    /// The same in integers, each column's scale taken off.
    fn int8(&self) -> Matrix<i8> {
        let scales: Vec<f32> = self.rows().map(weight_scale).collect();
        Matrix::from_fn(self.inner, TILE_COLUMNS, |input, output| {
            let value = self.values[output * self.inner + input] / scales[output];
            value.round_ties_even().clamp(-LARGEST, LARGEST) as i8
        })
    }
}

/// What a weight of 1 means; 1 for a row of zeros.
fn weight_scale(row: &[f32]) -> f32 {
    match row.iter().fold(0.0_f32, |most, value| most.max(value.abs())) {
        0.0 => 1.0,
        most => most / LARGEST,
    }
}

/// Fixed points of an int8 product: sums · multiplier of the column · scale of the row / 2^total.
struct Shifts {
    column: i32,
    total: i32,
}

impl Shifts {
    fn new(matrix: &Weights, depth: usize) -> Self {
        let most = match matrix.rows().map(factor).fold(0.0, f64::max) {
            0.0 => 1.0,
            most => most,
        };
        let total = MULTIPLIER_BITS - 1 - most.log2().floor() as i32;
        let sum_bits = ((depth * 64) as f64 * (LARGEST as f64).powi(2)).log2().ceil() as i32;
        Self { column: (sum_bits + MULTIPLIER_BITS - PRODUCT_BITS).clamp(0, total.max(0)), total: total.max(0) }
    }

    fn multiplier(&self, row: &[f32]) -> i32 {
        (factor(row) * f64::from(self.total).exp2()).round_ties_even() as i32
    }
}

/// What an int8 product of this row of weights counts, the scale of the left row apart: a left row's scale is its largest
/// magnitude, which stands for 127. 0 for a row of zeros, so that padding takes no bits from the others.
fn factor(row: &[f32]) -> f64 {
    if row.iter().all(|value| *value == 0.0) { 0.0 } else { f64::from(weight_scale(row)) / f64::from(LARGEST) }
}
