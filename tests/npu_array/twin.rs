//! What the array computes, on plain matrices: the kernels' references put together as the formats prescribe.

use gstwhispernpu::device::npu::Matrix;
use gstwhispernpu::device::npu::reference::{
    Attention, Keys, finish_bf16, finish_int8, gelu, gelu_table, maxima, normalise, product_bf16, product_int8,
    quantise, to_fixed,
};
use half::bf16;

/// Fraction bits of wide numbers.
const Q: u32 = 16;
/// Columns of a tile of a product, keys of a block, and columns of a head.
const TILE: usize = 64;
/// Largest integer of a weight.
const LARGEST: f32 = 127.0;

/// A linear layer.
pub struct Layer {
    /// (outputs, inputs).
    pub weight: Matrix<f32>,
    /// One for each output, or none.
    pub bias: Vec<f32>,
    pub is_gelu: bool,
}

impl Layer {
    /// Of wide rows, each rounded to integers by its greatest size, and weights rounded by that of each output.
    pub fn int8(&self, rows: &Matrix<i32>) -> Matrix<i32> {
        let (outputs, inputs) = (self.weight.rows(), self.weight.columns());
        let row_scales = maxima(rows);
        let scales: Vec<f32> = (0..outputs).map(|output| weight_scale(self.weight.row(output))).collect();
        let integers = Matrix::from_fn(inputs, outputs, |input, output| {
            (self.weight[(output, input)] / scales[output]).round_ties_even().clamp(-LARGEST, LARGEST) as i8
        });
        let is_zero = |output| self.weight.row(output).iter().all(|weight| *weight == 0.0);
        let factor = |output: usize| if is_zero(output) { 0.0 } else { f64::from(scales[output]) / f64::from(LARGEST) };
        let factors: Vec<f64> = (0..outputs).map(factor).collect();
        let shifts = Shifts::new(&factors, inputs);
        let multiplier: Vec<i32> = factors.iter().map(|factor| shifts.multiplier(*factor)).collect();
        let mut sums = Matrix::filled(rows.rows(), outputs, 0);
        product_int8(&quantise(rows, &row_scales), &integers, &mut sums);
        self.activated(finish_int8(&sums, &multiplier, &row_scales, [shifts.column, shifts.row], &self.wide_bias()))
    }

    /// Of rows and weights rounded to bf16, summed in the matrix unit's order.
    pub fn bf16(&self, rows: &Matrix<bf16>) -> Matrix<i32> {
        let inputs = self.weight.columns().next_multiple_of(8);
        let weights = Matrix::from_fn(inputs, self.weight.rows(), |input, output| match self.weight.columns() {
            columns if input < columns => bf16::from_f32(self.weight[(output, input)]),
            _ => bf16::ZERO,
        });
        let mut sums = Matrix::filled(rows.rows(), self.weight.rows(), 0.0);
        product_bf16(&padded(rows, rows.rows(), inputs), &weights, &mut sums);
        self.activated(finish_bf16(&sums, &self.wide_bias()))
    }

    fn wide_bias(&self) -> Vec<i32> {
        (0..self.weight.rows()).map(|output| to_fixed(self.bias.get(output).copied().unwrap_or(0.0), Q)).collect()
    }

    fn activated(&self, rows: Matrix<i32>) -> Matrix<i32> {
        let table = gelu_table();
        if self.is_gelu { rows.map(|x| gelu(x, &table)) } else { rows }
    }
}

/// What a weight of 1 stands for; 1 in a row of zeros.
fn weight_scale(row: &[f32]) -> f32 {
    match row.iter().fold(0.0_f32, |most, weight| most.max(weight.abs())) {
        0.0 => 1.0,
        most => most / LARGEST,
    }
}

/// Fixed points of integer products: the greatest multiplier has 30 bits, and so has the greatest product with it after the
/// first shift.
struct Shifts {
    column: u32,
    row: u32,
}

impl Shifts {
    fn new(factors: &[f64], inputs: usize) -> Self {
        let most = factors.iter().copied().fold(0.0, f64::max);
        let total = (29.0 - most.log2().floor()) as u32;
        let column = ((inputs.next_multiple_of(TILE) as f64) * f64::from(LARGEST).powi(2)).log2().ceil() as u32;
        Self { column, row: total - column }
    }

    fn multiplier(&self, factor: f64) -> i32 {
        (factor * f64::from(self.column + self.row).exp2()).round_ties_even() as i32
    }
}

/// f32 as wide numbers.
pub fn wide(rows: &Matrix<f32>) -> Matrix<i32> {
    rows.map(|x| to_fixed(x, Q))
}

/// f32 as bf16.
pub fn halves(rows: &Matrix<f32>) -> Matrix<bf16> {
    rows.map(bf16::from_f32)
}

/// Wide numbers as they are read back.
pub fn read(rows: &Matrix<i32>) -> Matrix<f32> {
    rows.map(|x| x as f32 / 65536.0)
}

/// Layer normalisation of each row.
pub fn layer_norm(rows: &Matrix<i32>, weight: &[f32], bias: &[f32]) -> Matrix<i32> {
    let fixed = |values: &[f32]| values.iter().map(|value| to_fixed(*value, Q)).collect::<Vec<_>>();
    let (weight, bias) = (fixed(weight), fixed(bias));
    let normal: Vec<Vec<i32>> = (0..rows.rows()).map(|row| normalise(rows.row(row), &weight, &bias)).collect();
    Matrix::from_fn(rows.rows(), rows.columns(), |row, column| normal[row][column])
}

/// Attention of each head; with `past` a query sees no later keys than its own, which is so many behind the first.
pub fn attention([query, key, value]: [&Matrix<bf16>; 3], heads: usize, past: Option<usize>) -> Matrix<bf16> {
    let width = query.columns() / heads;
    let scale = (f64::from(1 << 30) * std::f64::consts::LOG2_E / (width as f64).sqrt()).round() as i32;
    let keys = Keys { count: key.rows() as i32, scale, causal: past.map(|past| past as i32) };
    let mut output = Matrix::filled(query.rows(), query.columns(), bf16::ZERO);
    for head in 0..heads {
        let of_head = |from: &Matrix<bf16>, first: usize, rows: usize| {
            let own = Matrix::from_fn(rows.min(from.rows() - first), width, |row, column| {
                from[(first + row, head * width + column)]
            });
            padded(&own, rows, TILE)
        };
        let mut attention = Attention::new(of_head(query, 0, query.rows()));
        for (block, first) in (0..key.rows()).step_by(TILE).enumerate() {
            let scores = attention.scores(&of_head(key, first, TILE));
            let probabilities = attention.softmax(&scores, &keys, block);
            attention.values(&probabilities, &of_head(value, first, TILE));
        }
        let attended = attention.finish();
        for row in 0..query.rows() {
            (0..width).for_each(|column| output[(row, head * width + column)] = attended[(row, column)]);
        }
    }
    output
}

fn padded(matrix: &Matrix<bf16>, rows: usize, columns: usize) -> Matrix<bf16> {
    Matrix::from_fn(rows, columns, |row, column| {
        let is_inside = row < matrix.rows() && column < matrix.columns();
        if is_inside { matrix[(row, column)] } else { bf16::ZERO }
    })
}
