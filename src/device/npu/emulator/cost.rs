//! Estimates of what kernels cost on a core. Nobody measured them: they are the operations of the C++, counted by hand, by
//! what the core's units do in a cycle, with what keeps the units waiting added where the loops are short.
//!
//! The units (AMD AM020 chapter 4 and AM027 chapter 4): a step of the matrix unit, a vector operation, two loads and a store of 32
//! bytes, and a scalar operation, all at the same time. `kernels/README.md` has the catalogue.

use super::super::Kernel;

/// Cycles of entering and leaving a kernel and of the locks around it.
const CALL: u64 = 40;
/// Of a loop whose steps overlap: its filling and emptying.
const FILL: u64 = 10;
/// Of a value looked up in a table by one lane: the lane is taken out, the load takes seven cycles to arrive, the lane is put back.
const LOOK_UP: u64 = 9;
/// Of 16 products of 32 bits, composed of products of 16 bits, with their shift and rounding.
const WIDE_PRODUCT: u64 = 8;
/// Of 16 conversions between f32 and fixed point, composed of additions (`Float2Fix` and `Fix2Float` in aie_api's
/// `detail/aie2/elementary.hpp`).
const CONVERSION: u64 = 12;
/// Of 16 products of f32, composed of products of bf16, and their conversion to bf16.
const FLOAT_PRODUCT: u64 = 16;
/// Of 16 sums with saturation: to the accumulator, the sum, and back, 32 bytes at a time.
const SATURATING_SUM: u64 = 6;
/// Of an integer division, a bit at a time, with what is around it.
const DIVISION: u64 = 40;
/// Of the greatest of a vector's lanes, or their sum: four steps, each of which waits for the one before.
const REDUCTION: u64 = 15;

/// Scalar operations of GELU of an element, one a cycle; its two look-ups are in their shadow.
const GELU_OPERATIONS: u64 = 16;
/// Scalar operations of a logarithm.
const LOGARITHM_OPERATIONS: u64 = 14;

/// Cycles of a step of the matrix unit: 4 rows in bf16, 8 rows in int8, each by 8 x 8.
#[derive(Clone, Copy)]
struct Steps {
    bf16: u64,
    int8: u64,
}

/// AIE2: 128 multiplications of bf16 or 256 of int8 a cycle.
const NPU1: Steps = Steps { bf16: 2, int8: 2 };
/// AIE2P: 512 of int8, and an eighth of that of bf16.
const NPU2: Steps = Steps { bf16: 4, int8: 1 };

/// Estimated cycles of a call on AIE2.
pub(super) fn npu1_cycles(kernel: Kernel, scalars: &[i32]) -> u64 {
    NPU1.cycles(kernel, scalars)
}

/// Estimated cycles of a call on AIE2P.
pub(super) fn npu2_cycles(kernel: Kernel, scalars: &[i32]) -> u64 {
    NPU2.cycles(kernel, scalars)
}

/// Multiplications that a call has the matrix unit do for products and attention; exact, not an estimate.
pub(super) fn multiplications(kernel: Kernel, scalars: &[i32]) -> u64 {
    match kernel {
        Kernel::ProductBf16 => number(scalars, 0) * 4 * 32 * 64,
        Kernel::ProductInt8 => number(scalars, 0) * 4 * 64 * 64,
        Kernel::Scores | Kernel::Values => 32 * 64 * 32,
        _ => 0,
    }
}

fn number(scalars: &[i32], index: usize) -> u64 {
    scalars.get(index).map_or(0, |value| (*value).max(0) as u64)
}

/// A loop over steps for 2 x `rows` blocks of results: these in and out, 128 bytes each, and the steps between. The compiler is not
/// trusted to have one loop's stores and the next one's loads overlap with steps.
fn blocks(rows: u64, steps: u64) -> u64 {
    let blocks = 2 * rows;
    steps + blocks * 128 / 64 + blocks * 128 / 32 + FILL
}

impl Steps {
    fn cycles(self, kernel: Kernel, scalars: &[i32]) -> u64 {
        // Vectors of 16 values in so many columns of the rows that are retained, and these rows.
        let rows = 4 * number(scalars, 0);
        let vectors = |columns: u64| rows * columns / 16;
        let converted = |index: usize| number(scalars, index) * CONVERSION;
        CALL + match kernel {
            Kernel::CopyObject | Kernel::Keep | Kernel::StoreRowsWide => 4096 / 32,
            Kernel::Clear => 16384 / 32,
            // 4 steps of 8 inputs for 2 x 2 blocks; 4 pairs of blocks of columns.
            Kernel::ProductBf16 => self.product(number(scalars, 0), 4 * self.bf16, 4 * self.bf16),
            // 8 steps. A single group of rows goes by steps of 4 rows, which take a cycle everywhere.
            Kernel::ProductInt8 => self.product(number(scalars, 0), 8 * self.int8 / 2, 8),
            Kernel::FinishBf16 => 256 * (CONVERSION + SATURATING_SUM),
            Kernel::FinishInt8 => 256 * (2 * WIDE_PRODUCT + SATURATING_SUM),
            Kernel::Gelu => 4096 * GELU_OPERATIONS,
            Kernel::StoreBf16 | Kernel::StoreRowsBf16 => 128 * (CONVERSION + 2),
            Kernel::StoreWide => 64 * 2,
            Kernel::StoreSum => 64 * SATURATING_SUM,
            // 16 vectors of a row group by value, bound, comparison and two selections; of each row two reductions and the rest.
            Kernel::Greatest => number(scalars, 0) * (16 * 7 + 4 * (2 * REDUCTION + 12)),
            Kernel::StoreGreatest => 4096 / 32,
            Kernel::StorePower => 128 * (2 * FLOAT_PRODUCT + 2),
            Kernel::StoreLogarithm => 1024 * LOGARITHM_OPERATIONS + 64 * (WIDE_PRODUCT + 2),
            // Five times through the rows: greatest 5, sum 6, differences 12, squares 5, and two products with their sum; a row
            // has seven reductions, two divisions and the root, some 60 operations.
            Kernel::Normalise => {
                let through = 5 + 6 + 12 + 5 + 2 * WIDE_PRODUCT + SATURATING_SUM + 2;
                vectors(number(scalars, 2)) * through + rows * (7 * REDUCTION + 2 * DIVISION + 60)
            }
            Kernel::Maxima => vectors(32 * number(scalars, 1)) * (3 + converted(2)) + rows * 2 * REDUCTION,
            Kernel::StoreRowsInt8 => 256 * (2 * WIDE_PRODUCT + 2 + converted(3)) + rows * DIVISION,
            Kernel::AttendBegin => (4096 + 8192) / 32,
            // 4 steps of 8 columns for 2 x 2 blocks; 4 pairs of blocks of keys by 4 pairs of groups of queries.
            Kernel::Scores => 16 * blocks(2, 4 * 4 * self.bf16),
            // Fixed point, factor, bounds and greatest; exponential; a sum's step; and the look-up of each lane. Each query's greatest.
            Kernel::Softmax => {
                let scaled = CONVERSION + WIDE_PRODUCT + 6;
                let exponential = 2 * WIDE_PRODUCT + 24;
                128 * (scaled + exponential + 16 * LOOK_UP) + 32 * (REDUCTION + 10)
            }
            // 8 steps of 8 keys; 2 pairs of blocks of columns by 4 pairs of groups of queries.
            Kernel::Values => 8 * blocks(2, 8 * 4 * self.bf16),
            Kernel::AttendFinish => 256 / 2 * FLOAT_PRODUCT + 32 * DIVISION,
        }
    }

    /// `step` is what 4 rows by 8 columns of results take for an object of inputs, `single` the same in a group without a pair.
    fn product(self, row_groups: u64, step: u64, single: u64) -> u64 {
        let (pairs, rest) = (row_groups / 2, row_groups % 2);
        4 * (pairs * blocks(2, 4 * step) + rest * blocks(1, 2 * single))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_a_whole_object_reaches_about_half_of_the_peak() {
        let share =
            |kernel, peak: u64| multiplications(kernel, &[16]) as f64 / (npu1_cycles(kernel, &[16]) * peak) as f64;
        for (kernel, peak) in [(Kernel::ProductBf16, 128), (Kernel::ProductInt8, 256)] {
            assert!((0.45..0.5).contains(&share(kernel, peak)), "{kernel:?}: {}", share(kernel, peak));
        }
    }

    /// `kernels/README.md` says what a call costs that works on full objects and whole tiles; rows have 512 columns.
    #[test]
    fn the_catalogue_has_these_cycles() {
        let catalogue = include_str!("../../../../kernels/README.md");
        let mut wrong = Vec::new();
        for &kernel in Kernel::ALL {
            let scalars: &[i32] = match kernel {
                Kernel::ProductBf16 | Kernel::ProductInt8 | Kernel::Greatest | Kernel::StoreGreatest => &[16],
                Kernel::Normalise => &[2, 512, 512, 16384],
                Kernel::Maxima => &[2, 16, 0],
                Kernel::StoreRowsInt8 => &[2, 0, 16, 0],
                _ => &[0, 0, 0, 0],
            };
            let start = format!("| `{}` |", kernel.name());
            let line = catalogue.lines().find(|line| line.starts_with(&start)).unwrap();
            let cycles = [npu1_cycles(kernel, scalars), npu2_cycles(kernel, scalars)];
            if !line.ends_with(&format!("| {} | {} |", cycles[0], cycles[1])) {
                wrong.push((kernel.name(), cycles));
            }
        }
        assert!(wrong.is_empty(), "the catalogue should say {wrong:?}");
    }

    #[test]
    fn work_grows_with_its_rows() {
        for kernel in [Kernel::ProductBf16, Kernel::ProductInt8] {
            let cycles: Vec<u64> = (0..=16).map(|groups| npu1_cycles(kernel, &[groups])).collect();
            assert!(cycles.is_sorted(), "{cycles:?}");
        }
        let scalars = [[2, 2, 32, 0], [2, 2, 512, 0]];
        assert!(npu1_cycles(Kernel::Normalise, &scalars[0]) < npu1_cycles(Kernel::Normalise, &scalars[1]));
    }
}
