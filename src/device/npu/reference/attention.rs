//! Attention of a block of queries, block after block of keys; `kernels/attention/` has the algorithm in words.

use half::bf16;

use super::super::matrix::Matrix;
use super::fixed::{srs, to_fixed};
use super::mac::mac;
use super::product::product_bf16;
use super::tables::exp_table;

const BELOW_ALL: i32 = -(1 << 30);
const BOUND: i32 = 1 << 29;
const LEAST: i32 = -125 * 65536;

/// Which keys there are, and the scores' scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Number of keys.
    pub count: i32,
    /// round(2^30 log2(e) / sqrt(head width)).
    pub scale: i32,
    /// The first query's last visible key, if query i sees none beyond that plus i.
    pub causal: Option<i32>,
}

impl Keys {
    fn sees(&self, query: usize, key: i32) -> bool {
        key < self.count && self.causal.is_none_or(|last| key <= last + query as i32)
    }
}

/// 2^(t / 65536) for t from -125·65536 to 0.
pub fn exponential(t: i32, table: &[i32]) -> f32 {
    let (i, f) = (t.div_euclid(65536), t.rem_euclid(65536));
    let (hi, lo) = (f / 256, i64::from(f % 256));
    let mantissa = table[hi as usize];
    let rise = srs(i64::from((1 << 23) + mantissa) * (lo * 181_704), 34);
    f32::from_bits((((i + 127) << 23) + mantissa + rise) as u32)
}

/// What is kept between blocks of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// One row a query.
    pub queries: Matrix<bf16>,
    /// One row a query, not yet divided by the sum.
    pub output: Matrix<f32>,
    /// Log2 units in Q16, whole numbers.
    pub maximum: Vec<i32>,
    /// Sums of probabilities.
    pub sum: Vec<f32>,
}

impl Attention {
    /// Before the first keys.
    pub fn new(queries: Matrix<bf16>) -> Self {
        let (rows, columns) = (queries.rows(), queries.columns());
        Self {
            queries,
            output: Matrix::filled(rows, columns, 0.0),
            maximum: vec![BELOW_ALL; rows],
            sum: vec![0.0; rows],
        }
    }

    /// Scores of a block of keys.
    pub fn scores(&self, keys: &Matrix<bf16>) -> Matrix<f32> {
        let mut scores = Matrix::filled(self.queries.rows(), keys.rows(), 0.0);
        product_bf16(&self.queries, &keys.transposed(), &mut scores);
        scores
    }

    /// Probabilities of block number `block` of as many keys as there are columns; output and sum follow a new maximum.
    pub fn softmax(&mut self, scores: &Matrix<f32>, keys: &Keys, block: usize) -> Matrix<bf16> {
        let table = exp_table();
        let mut probabilities = Matrix::filled(scores.rows(), scores.columns(), bf16::ZERO);
        for query in 0..scores.rows() {
            let scaled: Vec<Option<i32>> = (0..scores.columns())
                .map(|column| {
                    let key = (block * scores.columns() + column) as i32;
                    let fixed = i64::from(to_fixed(scores[(query, column)], 12));
                    keys.sees(query, key).then(|| srs(fixed * i64::from(keys.scale), 26).clamp(-BOUND, BOUND))
                })
                .collect();
            let greatest = scaled.iter().flatten().map(|&s| (s + 65535).div_euclid(65536) * 65536).max();
            self.raise(query, greatest.unwrap_or(BELOW_ALL));
            for (column, s) in scaled.into_iter().enumerate() {
                let t = s.map(|s| s - self.maximum[query]).filter(|&t| t >= LEAST);
                probabilities[(query, column)] = t.map_or(bf16::ZERO, |t| bf16::from_f32(exponential(t, &table)));
            }
            for step in (0..scores.columns()).step_by(8) {
                let eight = std::array::from_fn(|k| probabilities[(query, step + k)]);
                self.sum[query] = mac(self.sum[query], eight, [bf16::ONE; 8]);
            }
        }
        probabilities
    }

    /// Adds the probabilities' values.
    pub fn values(&mut self, probabilities: &Matrix<bf16>, values: &Matrix<bf16>) {
        product_bf16(probabilities, values, &mut self.output);
    }

    /// Output by sum.
    pub fn finish(&self) -> Matrix<bf16> {
        Matrix::from_fn(self.output.rows(), self.output.columns(), |row, column| {
            bf16::from_f32(self.output[(row, column)] * reciprocal(self.sum[row]))
        })
    }

    fn raise(&mut self, query: usize, greatest: i32) {
        if greatest <= self.maximum[query] {
            return;
        }
        let k = (greatest - self.maximum[query]) >> 16;
        self.maximum[query] = greatest;
        let shrunk = |x: f32| {
            let field = (x.to_bits() >> 23 & 255) as i32;
            if k < 126 && field > k { f32::from_bits(x.to_bits() - ((k as u32) << 23)) } else { 0.0 }
        };
        self.sum[query] = shrunk(self.sum[query]);
        for x in self.output.row_mut(query) {
            *x = shrunk(*x);
        }
    }
}

/// 1 / x within 2^-15; 0 where x has no exponent or one above 252.
fn reciprocal(x: f32) -> f32 {
    let exponent = x.to_bits() >> 23 & 255;
    if exponent == 0 || exponent > 252 {
        return 0.0;
    }
    let h = (u64::from(x.to_bits() & 0x7f_ffff) + (1 << 23) + 128) >> 8;
    let q = ((1 << 31) + h / 2) / h;
    f32::from_bits(((253 - exponent) << 23) + (q as u32 - (1 << 15)) * 256)
}
