//! From spectra to log-mel.

use gstwhispernpu::device::npu::format::{OPERAND_BF16, RESULTS, WIDE};
use gstwhispernpu::device::npu::header::Header;
use gstwhispernpu::device::npu::reference::{logarithm, logarithm_table, power};
use gstwhispernpu::device::npu::{Kernel, Matrix};

use crate::harness::{Random, call};

fn spectrum(random: &mut Random) -> Matrix<f32> {
    let mut results =
        Matrix::from_fn(64, 64, |_, _| (random.unit() * f64::from(random.below(60) as i32 - 40).exp2()) as f32);
    let edges = [0.0, -0.0, f32::MIN_POSITIVE, 1e-40, -1e-40, f32::INFINITY, 1.0, 2.0, 1e-10, 0.99e-10, f32::MAX, -1.0];
    results.row_mut(5)[..edges.len()].copy_from_slice(&edges);
    results
}

#[test]
fn real_and_imaginary_parts_become_a_power() {
    let mut random = Random::new(70);
    let parts = spectrum(&mut random);
    let buffers = call(Kernel::StorePower, &[&RESULTS.pack(&parts), &[]], &[]);
    let powers = Matrix::from_fn(64, 32, |row, column| power(parts[(row, column)], parts[(row, column + 32)]));
    assert!(buffers[1] == OPERAND_BF16.pack(&powers));
}

#[test]
fn logarithms_of_numbers_of_every_size() {
    let mut random = Random::new(71);
    let (sums, table) = (spectrum(&mut random), logarithm_table());
    let header = Header::default().logarithm();
    for quarter in 0..4 {
        let buffers = call(Kernel::StoreLogarithm, &[&RESULTS.pack(&sums), header.bytes(), &[]], &[quarter as i32]);
        let (row, column) = (quarter / 2 * 32, quarter % 2 * 32);
        let logarithms = Matrix::from_fn(32, 32, |r, c| logarithm(sums[(row + r, column + c)], &table));
        assert!(buffers[2] == WIDE.pack(&logarithms), "quarter {quarter}");
    }
}
