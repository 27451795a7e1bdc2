//! Operations on retained rows.

use gstwhispernpu::device::npu::format::{Element, piece};
use gstwhispernpu::device::npu::layout::{OBJECT, SCALE_PIECE, SCRATCH};
use gstwhispernpu::device::npu::reference::{inverse_root, maxima, normalise, quantise, to_bf16, wide_of};
use gstwhispernpu::device::npu::{Kernel, Matrix};
use half::bf16;

use crate::harness::{Random, call};

/// Row groups, columns, padded columns: Whisper's widths and what lies around the vectors' width.
const SHAPES: [(usize, usize, usize); 10] = [
    (2, 384, 384),
    (2, 512, 512),
    (1, 768, 768),
    (1, 1024, 1024),
    (1, 1184, 1184),
    (2, 1, 32),
    (2, 15, 32),
    (1, 17, 64),
    (1, 33, 96),
    (2, 100, 128),
];

fn bytes<T: Element>(values: &[T]) -> Vec<u8> {
    let mut all = vec![0; values.len() * T::BYTES];
    for (&value, to) in values.iter().zip(all.chunks_mut(T::BYTES)) {
        value.write(to);
    }
    all
}

/// Rows of very different kinds; Q16.
fn rows(row_groups: usize, columns: usize, seed: u64) -> Matrix<i32> {
    let mut random = Random::new(seed);
    let kinds: [(f64, f64); 8] =
        [(1.0, 0.0), (1e-4, 0.0), (0.5, 300.0), (8.0, -2000.0), (0.003, 1.0), (0.0, 5.0), (0.0, 0.0), (9000.0, 0.0)];
    let mut rows = Matrix::from_fn(4 * row_groups, columns, |row, _| {
        let (deviation, mean) = kinds[(row + seed as usize) % 8];
        ((random.normal() * deviation + mean) * 65536.0) as i32
    });
    if seed % 3 == 1 {
        rows[(1, columns / 2)] = i32::MIN;
        rows[(2, columns / 3)] = i32::MAX;
        rows.row_mut(3).fill(if seed.is_multiple_of(2) { i32::MAX } else { i32::MIN });
    }
    rows
}

/// The scratch with these rows at its beginning and nonsense behind them.
fn scratch_of<T: Element>(rows: &Matrix<T>, row_groups: usize) -> Vec<u8> {
    let mut random = Random::new(99);
    let mut scratch = piece(row_groups, 32).pack(rows);
    assert!(scratch.len() <= SCRATCH);
    scratch.resize_with(SCRATCH, || random.bits() as u8);
    scratch
}

#[test]
fn pieces_are_kept_and_given_back() {
    let mut random = Random::new(20);
    let object: Vec<u8> = (0..OBJECT).map(|_| random.bits() as u8).collect();
    let scratch: Vec<u8> = (0..SCRATCH).map(|_| random.bits() as u8).collect();
    for index in 0..SCRATCH / OBJECT {
        let kept = call(Kernel::Keep, &[&object, &scratch], &[index as i32]);
        let mut expected = scratch.clone();
        expected[OBJECT * index..][..OBJECT].copy_from_slice(&object);
        assert!(kept[1] == expected);
        let stored = call(Kernel::StoreRowsWide, &[&scratch, &[]], &[2, index as i32]);
        assert!(stored[1] == scratch[OBJECT * index..][..OBJECT]);
    }
}

#[test]
fn rows_are_normalised() {
    let mut random = Random::new(21);
    for (row_groups, columns, padded) in SHAPES {
        for seed in 0..8 {
            let x = rows(row_groups, columns, seed);
            let gamma: Vec<i32> = (0..padded).map(|_| ((random.normal() + 1.0) * 65536.0) as i32).collect();
            let beta: Vec<i32> = (0..padded).map(|_| random.any_size() >> (seed % 16)).collect();
            let full = Matrix::from_fn(4 * row_groups, padded, |row, column| {
                if column < columns { x[(row, column)] } else { random.any_size() }
            });
            let mut scratch = scratch_of(&full, row_groups);
            let offset = SCRATCH - 8 * padded;
            scratch[offset..].copy_from_slice(&bytes(&[gamma.clone(), beta.clone()].concat()));
            let scalars = [row_groups as i32, columns as i32, padded as i32, offset as i32];
            let mut expected = scratch.clone();
            let normal: Vec<Vec<i32>> = (0..4 * row_groups).map(|row| normalise(x.row(row), &gamma, &beta)).collect();
            let normal =
                Matrix::from_fn(
                    4 * row_groups,
                    padded,
                    |row, column| {
                        if column < columns { normal[row][column] } else { 0 }
                    },
                );
            let packed = piece(row_groups, 32).pack(&normal);
            expected[..packed.len()].copy_from_slice(&packed);
            assert!(call(Kernel::Normalise, &[&scratch], &scalars)[0] == expected, "{columns} columns, seed {seed}");
        }
    }
}

#[test]
fn rows_are_stored_in_bf16() {
    for (row_groups, _, padded) in SHAPES {
        let x = rows(row_groups, padded, 4);
        let mut expected = piece(row_groups, 32).pack(&x.map(to_bf16));
        let objects = expected.len() / OBJECT + 2;
        expected.resize(objects * OBJECT, 0);
        let scratch = scratch_of(&x, row_groups);
        for index in 0..objects {
            let scalars = [row_groups as i32, index as i32, padded as i32 / 32];
            let buffers = call(Kernel::StoreRowsBf16, &[&scratch, &[]], &scalars);
            assert!(buffers[1] == expected[OBJECT * index..][..OBJECT], "{padded} columns, object {index}");
        }
    }
}

fn check_int8(scratch: &[u8], x: &Matrix<i32>, row_groups: usize, is_bf16: bool) {
    let column_blocks = x.columns() / 32;
    let scales = maxima(x);
    let mut expected: Vec<i32> = scales.iter().flat_map(|&scale| [scale; 8]).collect();
    expected.resize(64, 0);
    let scalars = [row_groups as i32, column_blocks as i32, i32::from(is_bf16)];
    let found = call(Kernel::Maxima, &[scratch, &[]], &scalars);
    assert!(found[1] == bytes(&expected));

    let mut objects = piece(row_groups, 64).pack(&quantise(x, &scales));
    for group in scales.chunks(4) {
        let mut scale_piece = bytes(&group.iter().flat_map(|&scale| [scale; 8]).collect::<Vec<_>>());
        scale_piece.resize(SCALE_PIECE, 0);
        objects.extend(scale_piece);
    }
    let count = objects.len().div_ceil(OBJECT) + 1;
    objects.resize(count * OBJECT, 0);
    for index in 0..count {
        let scalars = [row_groups as i32, index as i32, column_blocks as i32, i32::from(is_bf16)];
        let buffers = call(Kernel::StoreRowsInt8, &[scratch, &found[1], &[]], &scalars);
        assert!(buffers[2] == objects[OBJECT * index..][..OBJECT], "{column_blocks} column blocks, object {index}");
    }
}

#[test]
fn rows_are_stored_in_int8() {
    for (row_groups, _, padded) in SHAPES {
        for seed in 0..8 {
            let padded = padded.next_multiple_of(64);
            let x = rows(row_groups, padded, seed);
            check_int8(&scratch_of(&x, row_groups), &x, row_groups, false);
            let halves = x.map(to_bf16);
            check_int8(&scratch_of(&halves, row_groups), &halves.map(wide_of), row_groups, true);
        }
    }
    let mut random = Random::new(22);
    let any = Matrix::from_fn(8, 64, |_, _| bf16::from_bits(random.bits() as u16));
    check_int8(&scratch_of(&any, 2), &any.map(wide_of), 2, true);
}

#[test]
fn quantisation_is_within_a_step_and_never_beyond_127() {
    let mut random = Random::new(23);
    let x = Matrix::from_fn(4000, 64, |row, column| {
        let greatest = (random.bits() as i32).wrapping_abs().max(1) >> (row % 31);
        if column == 0 { greatest } else { (random.unit() * f64::from(greatest)) as i32 }
    });
    let scales = maxima(&x);
    let q = quantise(&x, &scales);
    let mut worst: f64 = 0.0;
    for row in 0..x.rows() {
        for column in 0..x.columns() {
            let exact = 127.0 * f64::from(x[(row, column)]) / f64::from(scales[row]);
            assert!(q[(row, column)].unsigned_abs() <= 127);
            worst = worst.max((f64::from(q[(row, column)]) - exact).abs());
        }
    }
    println!("quantisation: at most {worst:.4} of a step from the exact value");
    assert!(worst < 0.505);
}

#[test]
fn inverse_roots_are_within_2_to_the_minus_13() {
    let mut random = Random::new(24);
    let mut worst: f64 = 0.0;
    for index in 0..400_000u32 {
        let x = if index < 70_000 { index + 1 } else { (random.bits() >> (index % 32)).max(1) };
        let scale = (index % 31) as i32 / 2 * 2 - 20;
        let (mantissa, exponent) = inverse_root(x, scale);
        let exact = 1.0 / (f64::from(x) * f64::from(scale).exp2()).sqrt();
        worst = worst.max((f64::from(mantissa) * f64::from(-exponent).exp2() / exact - 1.0).abs());
    }
    println!("inverse root: relative error at most 2^{:.2}", worst.log2());
    assert!(worst < (-13f64).exp2());
}
