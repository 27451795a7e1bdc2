//! What others measured on silicon, beside what the model says of it.
//!
//! None of these designs is ours; where a size or a count was not published, the row says what was taken. The model has no number
//! that was fitted to a row.

use super::{Inputs, Work};
use crate::device::npu::Target;

/// A measurement of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose.
    pub source: &'static str,
    /// Of what.
    pub what: String,
    /// Unit of both figures.
    pub unit: &'static str,
    /// Least and greatest that they give.
    pub measured: (f64, f64),
    /// What the model says.
    pub predicted: f64,
    /// What has to be known about the comparison.
    pub remark: &'static str,
}

impl Row {
    /// Predicted by the middle of what was measured.
    pub fn ratio(&self) -> f64 {
        2.0 * self.predicted / (self.measured.0 + self.measured.1)
    }
}

/// Rows and columns of a tile of results in designs after mlir-aie's whole_array.
const TILE: f64 = 64.0;
/// Share of the peak that stock kernels keep inside a call: int8 with 4 x 2 blocks, ignite-xdna `SILICON.md` 2.3.1, and bf16.
const STOCK_INT8: f64 = 0.40;
const STOCK_BF16: f64 = 0.50;
/// Clock that ignite-xdna measured on its desktop part, in Hz.
const DESKTOP_CLOCK: f64 = 1.8e9;

/// A product of (m, k) by (k, n).
#[derive(Clone, Copy)]
struct Product {
    m: f64,
    k: f64,
    n: f64,
    is_int8: bool,
    /// Of a result.
    result_bytes: f64,
}

impl Product {
    fn bf16(m: f64, k: f64, n: f64) -> Self {
        Self { m, k, n, is_int8: false, result_bytes: 2.0 }
    }

    /// Each operand is read once for each panel of the other's tiles.
    fn work(&self, target: Target) -> Work {
        let Self { m, k, n, is_int8, result_bytes } = *self;
        let multiplications = m * k * n;
        let operand_bytes = if is_int8 { 1.0 } else { 2.0 };
        let columns = (n / (target.columns as f64 * TILE)).ceil();
        let rows = (m / (target.core_rows as f64 * TILE)).ceil();
        let read_bytes = operand_bytes * (m * k * columns + k * n * rows);
        Work {
            bf16_multiplications: if is_int8 { 0.0 } else { multiplications },
            int8_multiplications: if is_int8 { multiplications } else { 0.0 },
            read_bytes,
            write_bytes: m * n * result_bytes,
            // Two channels for each column bring operands.
            stream_bytes: read_bytes / (2.0 * target.columns as f64),
            ..Work::default()
        }
    }

    /// Operations in a second, in 10^12.
    fn rate(&self, seconds: f64) -> f64 {
        2.0 * self.m * self.k * self.n / seconds / 1e12
    }
}

/// The model's word on published measurements.
pub fn published() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(best_products());
    rows.extend(stock_products());
    rows.extend(products_of_whisper());
    rows.extend(launches());
    rows.extend(encoders());
    rows
}

#[allow(clippy::approx_constant, reason = "3.14 is a measurement")]
fn best_products() -> Vec<Row> {
    let source = "Taka et al., arXiv 2512.13282";
    let large = |is_int8| Product { is_int8, ..Product::bf16(4096.0, 4096.0, 4096.0) };
    let row = |target: Target, is_int8: bool, measured, remark| {
        let product = large(is_int8);
        let numbers = if is_int8 { "int8" } else { "bf16" };
        let seconds = product.work(target).seconds(&Inputs::of(target));
        Row {
            source,
            what: format!("{} {numbers}, best", target.device()),
            unit: "TOPS",
            measured: (measured, measured),
            predicted: product.rate(seconds),
            remark,
        }
    };
    vec![
        row(Target::NPU1, true, 6.76, "4096³ taken, with the shares of our kernels"),
        row(Target::NPU1, false, 3.14, "the same"),
        row(Target::NPU2, true, 38.05, "our int8 kernel is counted at 0.31 of this array's peak, theirs reached 0.64"),
    ]
}

fn stock_products() -> Vec<Row> {
    let mut inputs = Inputs::of(Target::NPU1);
    inputs.clock.value = DESKTOP_CLOCK;
    inputs.int8_share.value = STOCK_INT8;
    inputs.bf16_share.value = STOCK_BF16;
    let row = |is_int8, measured, remark| {
        let product = Product { is_int8, ..Product::bf16(2048.0, 2048.0, 2048.0) };
        let work = Work { launches: 1.0, ..product.work(Target::NPU1) };
        Row {
            source: "ignite-xdna",
            what: format!("npu1 {}, whole_array", if is_int8 { "int8" } else { "bf16" }),
            unit: "TOPS",
            measured,
            predicted: product.rate(work.seconds(&inputs)),
            remark,
        }
    };
    vec![
        row(
            true,
            (4.4, 4.6),
            "2048³ and 0.40 of the peak taken; filling and draining of the array are not in the model",
        ),
        row(false, (2.50, 2.70), "2048³ and 0.50 of the peak taken; the same"),
    ]
}

fn whisper_inputs() -> Inputs {
    let mut inputs = Inputs::of(Target::NPU1);
    inputs.bf16_share.value = STOCK_BF16;
    inputs
}

fn products_of_whisper() -> Vec<Row> {
    let inputs = whisper_inputs();
    let row = |m, k, n, measured, remark| {
        let product = Product::bf16(m, k, n);
        let work = Work { launches: 1.0, ..product.work(Target::NPU1) };
        Row {
            source: "drakosha/whisper-xdna",
            what: format!("npu1 bf16 {m}×{k}×{n}"),
            unit: "TOPS",
            measured: (measured, measured),
            predicted: product.rate(work.seconds(&inputs)),
            remark,
        }
    };
    let cube = Product { result_bytes: 4.0, ..Product::bf16(512.0, 512.0, 512.0) };
    let cube = Work { launches: 1.0, ..cube.work(Target::NPU1) };
    vec![
        row(1536.0, 1536.0, 384.0, 1.76, "one launch, 0.50 of the peak, results in bf16 taken, as below"),
        row(1536.0, 5120.0, 1280.0, 1.51, "their tiles and clock are not known"),
        row(1536.0, 1280.0, 1280.0, 1.41, "the same"),
        row(1536.0, 64.0, 1536.0, 0.39, "results in f32 would halve the prediction"),
        Row {
            source: "drakosha/whisper-xdna",
            what: "npu1 512³, one launch".to_owned(),
            unit: "us",
            measured: (267.0, 267.0),
            predicted: 1e6 * cube.seconds(&inputs),
            remark: "bf16 with results in f32 taken",
        },
    ]
}

fn launches() -> Vec<Row> {
    let inputs = Inputs::of(Target::NPU1);
    let row = |source, what: &str, unit, measured, predicted, remark| Row {
        source,
        what: what.to_owned(),
        unit,
        measured,
        predicted,
        remark,
    };
    let is_input = "an input of the model, no prediction";
    vec![
        row("ignite-xdna, drakosha", "npu1 a launch", "us", (108.0, 140.0), 1e6 * inputs.launch.value, is_input),
        row("the same", "npu1 a launch in a list", "us", (36.0, 37.0), 1e6 * inputs.listed_launch.value, is_input),
        row(
            "hardWorker254, xrt-smi",
            "npu1 launches in flight",
            "1/s",
            (33_700.0, 33_700.0),
            1.0 / inputs.listed_launch.value,
            "of an empty kernel",
        ),
    ]
}

/// Sizes of an encoder.
struct Encoder {
    name: &'static str,
    layers: f64,
    width: f64,
    milliseconds: f64,
}

/// Positions of a window, filled up.
const POSITIONS: f64 = 1536.0;
const HEAD: f64 = 64.0;

fn encoders() -> Vec<Row> {
    let inputs = whisper_inputs();
    let row = |encoder: Encoder| {
        let seconds: f64 = encoder.dispatches().iter().map(|work| work.seconds(&inputs)).sum();
        Row {
            source: "drakosha/whisper-xdna",
            what: format!("npu1 encoder, {}", encoder.name),
            unit: "ms",
            measured: (encoder.milliseconds, encoder.milliseconds),
            predicted: 1e3 * seconds,
            remark: "counts not published: a launch for each of 6 products and GELU a layer, and for each head 3 launches in 3 \
                     configurations; their work on the host is missing",
        }
    };
    vec![
        row(Encoder { name: "tiny", layers: 4.0, width: 384.0, milliseconds: 484.0 }),
        row(Encoder { name: "small", layers: 12.0, width: 768.0, milliseconds: 1507.0 }),
    ]
}

impl Encoder {
    fn dispatches(&self) -> Vec<Work> {
        let (m, width) = (POSITIONS, self.width);
        let launched = |product: Product| Work { launches: 1.0, ..product.work(Target::NPU1) };
        let scaled = |work: Work, count: f64| std::iter::repeat_n(work, count as usize);
        let heads = width / HEAD * self.layers;
        let chained = |product: Product| Work { switches: 1.0, ..launched(product) };
        let elementwise = |elements: f64| Work {
            read_bytes: 2.0 * elements,
            write_bytes: 2.0 * elements,
            launches: 1.0,
            switches: 1.0,
            ..Work::default()
        };
        let mut all = Vec::new();
        all.extend(scaled(launched(Product::bf16(m, width, width)), 4.0 * self.layers));
        all.extend(scaled(launched(Product::bf16(m, width, 4.0 * width)), self.layers));
        all.extend(scaled(launched(Product::bf16(m, 4.0 * width, width)), self.layers));
        all.extend(scaled(elementwise(m * 4.0 * width), self.layers));
        all.extend(scaled(chained(Product::bf16(m, HEAD, m)), heads));
        all.extend(scaled(elementwise(m * m), heads));
        all.extend(scaled(chained(Product::bf16(m, m, HEAD)), heads));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far the model is from each row, so that a change of an input shows.
    #[test]
    fn the_model_is_as_far_from_what_was_published_as_is_written() {
        let expected = [0.92, 0.99, 0.45, 1.26, 1.30, 1.40, 2.13, 2.15, 2.59, 0.77, 1.0, 1.0, 0.81, 0.29, 0.56];
        let rows = published();
        assert_eq!(rows.len(), expected.len());
        for (row, ratio) in rows.iter().zip(expected) {
            assert!((row.ratio() - ratio).abs() < 0.01, "{}: {:.3}, not {ratio}", row.what, row.ratio());
        }
    }
}
