//! How far the integer arithmetic is from the exact functions; `kernels/README.md` has these numbers.

use gstwhispernpu::device::npu::Matrix;
use gstwhispernpu::device::npu::reference::{
    Attention, Keys, complementary_error, exp_table, exponential, gelu, gelu_table, logarithm, logarithm_table,
    normalise,
};
use half::bf16;

use crate::harness::Random;

#[test]
fn exponential_over_its_whole_range() {
    let table = exp_table();
    let mut worst: f64 = 0.0;
    for t in -125 * 65536..=0 {
        // Fractions repeat with each power of two, so that the greatest and the least stand for all.
        if !(-124 * 65536..=-65536).contains(&t) || t % 61 == 0 {
            let exact = (f64::from(t) / 65536.0).exp2();
            worst = worst.max((f64::from(exponential(t, &table)) / exact - 1.0).abs());
        }
    }
    println!("exponential: relative error at most {worst:.2e}");
    assert!(worst < 5e-6);
}

#[test]
fn gelu_over_its_whole_range() {
    let table = gelu_table();
    let mut worst: f64 = 0.0;
    for x in -10 * 65536..=10 * 65536 {
        let exact = f64::from(x) / 65536.0;
        let tail = exact.abs() * 0.5 * complementary_error(exact.abs() * std::f64::consts::FRAC_1_SQRT_2);
        let result = f64::from(gelu(x, &table)) / 65536.0;
        worst = worst.max((result - (exact.max(0.0) - tail)).abs());
    }
    println!("gelu: absolute error at most {worst:.2e}");
    assert!(worst < 5e-5);
}

#[test]
fn logarithm_over_its_whole_range() {
    let table = logarithm_table();
    let mut worst: f64 = 0.0;
    // All exponents; of the mantissas, steps that meet no power of two.
    for bits in (1u32 << 23..0x7f80_0000).step_by(1021) {
        let x = f32::from_bits(bits);
        let exact = f64::from(x).log10().max(-10.0);
        worst = worst.max((f64::from(logarithm(x, &table)) / 65536.0 - exact).abs());
    }
    println!("log10: absolute error at most {worst:.2e}");
    assert!(worst < 2e-5);
}

/// Layer normalisation's greatest absolute error over some rows, and the greatest size of the exact result.
fn normalisation_error(columns: usize, mut element: impl FnMut(&mut Random, usize) -> f64) -> (f64, f64) {
    let mut random = Random::new(40);
    let (gamma, beta) = (vec![65536; columns], vec![0; columns]);
    let (mut worst, mut greatest): (f64, f64) = (0.0, 0.0);
    for _ in 0..20 {
        let row: Vec<i32> =
            (0..columns).map(|column| (element(&mut random, column) * 65536.0).round() as i32).collect();
        let exact: Vec<f64> = row.iter().map(|&x| f64::from(x) / 65536.0).collect();
        let mean = exact.iter().sum::<f64>() / columns as f64;
        let variance = exact.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / columns as f64;
        for (result, x) in normalise(&row, &gamma, &beta).into_iter().zip(exact) {
            let y = (x - mean) / (variance + 1e-5).sqrt();
            worst = worst.max((f64::from(result) / 65536.0 - y).abs());
            greatest = greatest.max(y.abs());
        }
    }
    (worst, greatest)
}

#[test]
fn layer_normalisation_of_every_kind_of_row() {
    type Row = fn(&mut Random, usize) -> f64;
    let kinds: [(&str, f64, Row); 6] = [
        ("deviation 1", 5e-4, |random, _| random.normal()),
        ("mean 100, deviation 1", 1e-3, |random, _| random.normal() + 100.0),
        ("mean 1000, deviation 1", 5e-3, |random, _| random.normal() + 1000.0),
        (
            "two channels of 500",
            2e-3,
            |random, column| {
                if column % 200 == 7 { 500.0 + random.normal() } else { random.normal() }
            },
        ),
        ("deviation 0.003, about epsilon's", 3e-3, |random, _| random.normal() * 0.003),
        ("deviation 1e-4", 3e-3, |random, _| random.normal() * 1e-4),
    ];
    for (name, bound, element) in kinds {
        for columns in [384, 512, 768, 1024, 1280] {
            let (worst, greatest) = normalisation_error(columns, element);
            println!("layer norm, {columns} columns, {name}: {worst:.2e} of values up to {greatest:.1}");
            assert!(worst < bound, "{name}: {worst}");
        }
    }
}

#[test]
fn attention_against_exact_softmax() {
    let mut random = Random::new(41);
    for size in [0.5, 2.0, 6.0] {
        let mut matrix =
            |rows: usize, size: f64| Matrix::from_fn(rows, 64, |_, _| bf16::from_f64(random.normal() * size));
        let (queries, keys, values) = (matrix(32, size), matrix(448, size), matrix(448, 1.0));
        let mut twin = Attention::new(queries.clone());
        let scale = ((1 << 30) as f64 * std::f64::consts::LOG2_E / 8.0).round() as i32;
        let terms = Keys { count: 448, scale, causal: None };
        for block in 0..7 {
            let rows = |all: &Matrix<bf16>| Matrix::from_fn(64, 64, |row, column| all[(64 * block + row, column)]);
            let scores = twin.scores(&rows(&keys));
            let probabilities = twin.softmax(&scores, &terms, block);
            twin.values(&probabilities, &rows(&values));
        }
        let result = twin.finish();
        let mut worst: f64 = 0.0;
        for query in 0..32 {
            let score = |key: usize| -> f64 {
                (0..64).map(|c| f64::from(queries[(query, c)]) * f64::from(keys[(key, c)])).sum::<f64>() / 8.0
            };
            let scores: Vec<f64> = (0..448).map(score).collect();
            let greatest = scores.iter().copied().fold(f64::MIN, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - greatest).exp()).collect();
            let sum: f64 = weights.iter().sum();
            for column in 0..64 {
                let exact: f64 = (0..448).map(|key| weights[key] / sum * f64::from(values[(key, column)])).sum();
                worst = worst.max((f64::from(result[(query, column)]) - exact).abs());
            }
        }
        println!("attention, queries and keys of deviation {size}: absolute error at most {worst:.2e}, values of 1");
        assert!(worst < 0.02);
    }
}
