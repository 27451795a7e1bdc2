//! Products and the copies around them.

use gstwhispernpu::device::npu::format::{OPERAND_BF16, OPERAND_INT8, RESULTS, WEIGHTS_BF16, WEIGHTS_INT8};
use gstwhispernpu::device::npu::reference::{product_bf16, product_int8};
use gstwhispernpu::device::npu::{Kernel, Matrix};
use half::bf16;

use crate::harness::{Random, call};

/// What bf16 inputs are like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Normal,
    ManySizes,
    AnyBits,
    Zeros,
    Greatest,
    Least,
}

const KINDS: [Kind; 6] = [Kind::Normal, Kind::ManySizes, Kind::AnyBits, Kind::Zeros, Kind::Greatest, Kind::Least];

fn half(kind: Kind, random: &mut Random) -> bf16 {
    match kind {
        Kind::Normal => bf16::from_f64(random.normal()),
        Kind::ManySizes => bf16::from_f64(random.unit() * f64::from(random.below(60) as i32 - 30).exp2()),
        Kind::AnyBits => bf16::from_bits(random.bits() as u16),
        Kind::Zeros => [bf16::ZERO, bf16::NEG_ZERO, bf16::from_bits(1), bf16::ONE][random.below(4) as usize],
        Kind::Greatest => bf16::from_bits(0x5f00 | random.bits() as u16 & 0x80ff),
        Kind::Least => bf16::from_bits(0x0700 | random.bits() as u16 & 0x80ff),
    }
}

fn single(kind: Kind, random: &mut Random) -> f32 {
    match kind {
        Kind::Normal => random.normal() as f32,
        Kind::ManySizes => (random.unit() * f64::from(random.below(80) as i32 - 40).exp2()) as f32,
        Kind::AnyBits => f32::from_bits(random.bits()),
        Kind::Zeros => [0.0, -0.0, 1.0, f32::from_bits(1)][random.below(4) as usize],
        Kind::Greatest => (random.unit() * 3e38) as f32,
        Kind::Least => f32::from_bits(random.bits() & 0x81ff_ffff),
    }
}

fn check_bf16(row_groups: usize, kind: Kind, random: &mut Random) {
    let a = Matrix::from_fn(64, 32, |_, _| half(kind, random));
    let b = Matrix::from_fn(32, 64, |_, _| half(kind, random));
    let mut results = Matrix::from_fn(64, 64, |_, _| single(kind, random));
    let buffers = call(
        Kernel::ProductBf16,
        &[&OPERAND_BF16.pack(&a), &WEIGHTS_BF16.pack(&b), &RESULTS.pack(&results)],
        &[row_groups as i32],
    );
    let rows = Matrix::from_fn(4 * row_groups, 32, |row, column| a[(row, column)]);
    product_bf16(&rows, &b, &mut results);
    assert!(buffers[2] == RESULTS.pack(&results), "{row_groups} row groups, {kind:?}");
}

#[test]
fn bf16_products_of_every_kind() {
    let mut random = Random::new(1);
    for kind in KINDS {
        for _ in 0..4 {
            check_bf16(16, kind, &mut random);
        }
    }
}

#[test]
fn bf16_products_of_every_height() {
    let mut random = Random::new(2);
    for row_groups in 0..=16 {
        check_bf16(row_groups, Kind::ManySizes, &mut random);
    }
}

#[test]
fn int8_products_of_every_height() {
    let mut random = Random::new(3);
    for row_groups in 0..=16 {
        for extreme in [false, true] {
            let mut element = |_, _| if extreme { -128 } else { random.bits() as i8 };
            let a = Matrix::from_fn(64, 64, &mut element);
            let b = Matrix::from_fn(64, 64, &mut element);
            let mut results = Matrix::from_fn(64, 64, |_, _| random.any_size() / 2);
            let buffers = call(
                Kernel::ProductInt8,
                &[&OPERAND_INT8.pack(&a), &WEIGHTS_INT8.pack(&b), &RESULTS.pack(&results)],
                &[row_groups as i32],
            );
            let rows = Matrix::from_fn(4 * row_groups, 64, |row, column| a[(row, column)]);
            product_int8(&rows, &b, &mut results);
            assert!(buffers[2] == RESULTS.pack(&results), "{row_groups} row groups");
        }
    }
}

#[test]
fn copies_and_zeros() {
    let mut random = Random::new(4);
    let object: Vec<u8> = (0..4096).map(|_| random.bits() as u8).collect();
    assert_eq!(call(Kernel::CopyObject, &[&object, &[]], &[])[1], object);
    assert!(call(Kernel::Clear, &[&[]], &[])[0].iter().all(|&byte| byte == 0));
}
