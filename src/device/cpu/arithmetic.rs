//! How numbers are computed with: exactly in f32, or over packed operands.

use super::attention::{Attention, Probabilities, Scores};
use super::encode::Encode;
use super::grown::Grown;
use super::layer_norm::LayerNorm;
use super::linear::{Left, Linear};
use super::log_mel::{self, LogMel};
use super::memory::{Attend, Head};
use super::packed::Packed;
use super::simd::{Int8, Isa, Kernel, Kind, Simd};
use super::store::Store;
use super::values::{Reader, Target};
use crate::device::{Activation, DeviceError, Value};

/// What follows a product.
pub struct Finish {
    /// One for each output, padded to whole panels; zeros where the layer has none.
    pub bias: Vec<f32>,
    /// Applied to the biased sum.
    pub activation: Activation,
    /// Whether the result is added to what the output holds.
    pub residual: bool,
}

/// Where weights come from: writes the rows of a matrix from a given one on as f32, as many as fit.
pub type Source<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Keys and values of one row of queries, in f32: rows `stride` wide, the head's columns first.
pub struct Seen<'a> {
    /// (visible rows, stride).
    pub keys: &'a [f32],
    /// (visible rows, stride).
    pub values: &'a [f32],
    /// Columns of keys and values.
    pub stride: usize,
    /// Rows that may be seen.
    pub visible: usize,
}

/// A way to compute the operations that weights and keys take part in.
pub trait Arithmetic: 'static {
    /// Whether logits are computed in two steps, the first of them with [`super::coarse::Coarse`].
    const COARSE: bool = false;
    /// Whether matrices come from the store, so that they can be kept.
    const IS_PACKED: bool = true;

    /// A matrix of weights (outputs, inputs).
    type Weight: Send + Sync;
    /// Rows that products read.
    type Left: Send + Sync;
    /// Keys and values of one head.
    type Head: Send + Sync;
    /// Scratch of attention.
    type Scores: Default + Send;
    /// A log-mel front end.
    type Front: Send + Sync;
    /// Scratch of the front end.
    type Spectrum: Default + Send;

    /// Takes the matrix (outputs, inputs) of this name.
    fn weight(store: &mut Store<'_>, name: &str, outputs: usize, inputs: usize, source: Source<'_>) -> Self::Weight;
    /// The matrix and the rows as the two steps take them, where logits are computed in two.
    fn two_steps<'a>(_: &'a Self::Weight, _: &'a Self::Left) -> Option<(&'a Packed<Int8>, &'a Left<Int8>)> {
        None
    }

    /// Row `row` of the matrix as f32.
    fn row(weight: &Self::Weight, row: usize, out: &mut [f32]);

    /// No rows.
    fn left() -> Self::Left;
    /// Makes room for `rows` rows of `inputs` elements, which may be kept more exactly where they are `fine`.
    fn begin(left: &mut Self::Left, rows: usize, inputs: usize, fine: bool);
    /// Sets a row.
    fn set(isa: Isa, left: &mut Self::Left, row: usize, x: &[f32]);
    /// left · weightᵀ, finished, into the target, whose columns begin at a panel and whose first row is the first of `left`.
    fn multiply(isa: Isa, weight: &Self::Weight, finish: &Finish, left: &Self::Left, target: &mut Target<'_>);

    /// Normalises a row: `input`, `weight`, `bias` and `output` are of one length.
    fn layer_norm(isa: Isa, input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]);

    /// Room for `limit` keys of `width` columns.
    fn head(isa: Isa, limit: usize, width: usize) -> Self::Head;
    /// Takes `count` keys and values from rows `stride` wide, the head's columns first.
    fn fill(head: &mut Self::Head, keys: &[f32], values: &[f32], stride: usize, count: usize);
    /// Attends from the target's rows of `query` to the head, whose columns the target's are.
    fn attend(
        isa: Isa,
        head: &Self::Head,
        query: Value,
        reader: Reader<'_>,
        target: &mut Target<'_>,
        scores: &mut Self::Scores,
    );
    /// Writes the probabilities by which one row weighs the head's values; zeros behind the keys that there are.
    fn probabilities(isa: Isa, head: &Self::Head, query: &[f32], output: &mut [f32], scores: &mut Self::Scores);
    /// Attends from one row to keys and values that are not packed.
    fn attend_row(isa: Isa, query: &[f32], seen: Seen<'_>, output: &mut [f32], scores: &mut Self::Scores);

    /// Prepares a front end; `filters` is (bins, window_samples / 2 + 1), row-major. Errors: a length that it cannot transform.
    fn front(filters: &[f32], window_samples: usize, hop_samples: usize) -> Result<Self::Front, DeviceError>;
    /// Computes the target's rows, row i of the samples from i·hop_samples on.
    fn log_mel(isa: Isa, front: &Self::Front, samples: &[f32], target: &mut Target<'_>, scratch: &mut Self::Spectrum);
}

/// Products and attention over packed elements.
pub struct Fast<E>(std::marker::PhantomData<E>);

impl<E: Encode + Attend> Arithmetic for Fast<E> {
    const COARSE: bool = matches!(E::KIND, Kind::Int8);

    type Weight = Packed<E>;
    type Left = Left<E>;
    type Head = Head<E>;
    type Scores = Scores;
    type Front = LogMel;
    type Spectrum = log_mel::Scratch;

    fn weight(store: &mut Store<'_>, name: &str, outputs: usize, inputs: usize, source: Source<'_>) -> Packed<E> {
        Packed::new(store, name, outputs, inputs, source)
    }

    fn two_steps<'a>(weight: &'a Packed<E>, left: &'a Left<E>) -> Option<(&'a Packed<Int8>, &'a Left<Int8>)> {
        E::in_8_bits(weight, left)
    }

    fn row(weight: &Packed<E>, row: usize, out: &mut [f32]) {
        weight.column(row, out);
    }

    fn left() -> Left<E> {
        Left::new()
    }

    fn begin(left: &mut Left<E>, rows: usize, inputs: usize, fine: bool) {
        left.begin(rows, inputs, fine);
    }

    fn set(isa: Isa, left: &mut Left<E>, row: usize, x: &[f32]) {
        isa.run(Set { left, row, x });
    }

    fn multiply(isa: Isa, weight: &Packed<E>, finish: &Finish, left: &Left<E>, target: &mut Target<'_>) {
        isa.run(Linear { weight, finish, left, target });
    }

    fn layer_norm(isa: Isa, input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
        isa.run(LayerNorm { input, weight, bias, output });
    }

    fn head(isa: Isa, limit: usize, width: usize) -> Head<E> {
        Head::new(isa, limit, width)
    }

    fn fill(head: &mut Head<E>, keys: &[f32], values: &[f32], stride: usize, count: usize) {
        head.fill(keys, values, stride, count);
    }

    fn attend(
        isa: Isa,
        head: &Head<E>,
        query: Value,
        reader: Reader<'_>,
        target: &mut Target<'_>,
        scores: &mut Scores,
    ) {
        isa.run(Attention { head, query, reader, target, scores });
    }

    fn probabilities(isa: Isa, head: &Head<E>, query: &[f32], output: &mut [f32], scores: &mut Scores) {
        isa.run(Probabilities { head, query, output, scores });
    }

    fn attend_row(isa: Isa, query: &[f32], seen: Seen<'_>, output: &mut [f32], scores: &mut Scores) {
        isa.run(Grown { query, seen, output, scores: &mut scores.scores });
    }

    fn front(filters: &[f32], window_samples: usize, hop_samples: usize) -> Result<LogMel, DeviceError> {
        LogMel::new(filters, window_samples, hop_samples)
    }

    fn log_mel(isa: Isa, front: &LogMel, samples: &[f32], target: &mut Target<'_>, scratch: &mut log_mel::Scratch) {
        front.run(isa, samples, target, scratch);
    }
}

struct Set<'a, E> {
    left: &'a mut Left<E>,
    row: usize,
    x: &'a [f32],
}

impl<E: Encode> Kernel for Set<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.left.set(simd, self.row, self.x);
    }
}
