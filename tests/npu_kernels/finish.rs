//! From results to stored objects.

use gstwhispernpu::device::npu::format::{OPERAND_BF16, RESULTS, WIDE, scale_object};
use gstwhispernpu::device::npu::header::Header;
use gstwhispernpu::device::npu::reference::{finish_bf16, finish_int8, gelu, gelu_table, greatest, sum, to_bf16};
use gstwhispernpu::device::npu::{Kernel, Matrix};

use crate::harness::{Random, call};

fn wide(random: &mut Random) -> Matrix<i32> {
    let mut results = Matrix::from_fn(64, 64, |_, _| random.any_size());
    for (column, edge) in [0, 1, -1, i32::MIN, i32::MAX, i32::MIN + 1, 32768, -32768].into_iter().enumerate() {
        results[(9, column)] = edge;
    }
    results
}

fn columns(random: &mut Random) -> Vec<i32> {
    (0..64).map(|column| if column < 2 { [i32::MIN, i32::MAX][column] } else { random.any_size() }).collect()
}

#[test]
fn bf16_results_become_wide() {
    let mut random = Random::new(10);
    for _ in 0..8 {
        let mut results =
            Matrix::from_fn(64, 64, |_, _| (random.unit() * f64::from(random.below(60) as i32 - 40).exp2()) as f32);
        let edges =
            [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-45, 3e38, 32768.0, 0.5 / 65536.0, 1.5 / 65536.0];
        results.row_mut(3)[20..29].copy_from_slice(&edges);
        let bias = columns(&mut random);
        let header = Header::default().bias(&bias);
        let buffers = call(Kernel::FinishBf16, &[&RESULTS.pack(&results), header.bytes()], &[]);
        assert!(buffers[0] == RESULTS.pack(&finish_bf16(&results, &bias)));
    }
}

#[test]
fn int8_results_become_wide() {
    let mut random = Random::new(11);
    for shifts in [[0, 0], [8, 24], [31, 31], [20, 1], [40, 3], [62, 0]] {
        let results = wide(&mut random);
        let (bias, multiplier) = (columns(&mut random), columns(&mut random));
        let scales: Vec<i32> = (0..64).map(|_| random.any_size()).collect();
        let header =
            Header::default().bias(&bias).multiplier(&multiplier).word(8, shifts[0] as i32).word(9, shifts[1] as i32);
        let buffers = call(Kernel::FinishInt8, &[&RESULTS.pack(&results), &scale_object(&scales), header.bytes()], &[]);
        assert!(buffers[0] == RESULTS.pack(&finish_int8(&results, &multiplier, &scales, shifts, &bias)));
    }
}

#[test]
fn gelu_of_every_size() {
    let mut random = Random::new(12);
    let table = gelu_table();
    for scale in [1, 1 << 16, 1 << 19, 1 << 20] {
        let mut results = wide(&mut random);
        for x in (0..48).flat_map(|row| (0..64).map(move |column| (row, column))) {
            results[x] = (random.unit() * f64::from(scale)) as i32;
        }
        let buffers = call(Kernel::Gelu, &[&RESULTS.pack(&results), Header::default().gelu().bytes()], &[]);
        assert!(buffers[0] == RESULTS.pack(&results.map(|x| gelu(x, &table))));
    }
}

#[test]
fn halves_are_stored_in_bf16() {
    let mut random = Random::new(13);
    let results = wide(&mut random);
    for half in 0..2 {
        let buffers = call(Kernel::StoreBf16, &[&RESULTS.pack(&results), &[]], &[half]);
        let expected = OPERAND_BF16.object(&results.map(to_bf16), 0, 32 * half as usize);
        assert!(buffers[1] == expected);
    }
}

#[test]
fn quarters_are_stored_wide_and_added() {
    let mut random = Random::new(14);
    let results = wide(&mut random);
    let before = Matrix::from_fn(32, 32, |_, _| random.any_size());
    for quarter in 0..4 {
        let (row, column) = (quarter / 2 * 32, quarter % 2 * 32);
        let part = Matrix::from_fn(32, 32, |r, c| results[(row + r, column + c)]);
        let packed = RESULTS.pack(&results);
        let stored = call(Kernel::StoreWide, &[&packed, &[]], &[quarter as i32]);
        assert!(stored[1] == WIDE.pack(&part));
        let added = call(Kernel::StoreSum, &[&packed, &WIDE.pack(&before), &[]], &[quarter as i32]);
        assert!(added[2] == WIDE.pack(&sum(&part, &before)));
    }
}

/// Tiles one after the other, as the columns of one row that is so much longer.
#[test]
fn the_greatest_of_each_row_over_several_tiles() {
    let mut random = Random::new(15);
    for row_groups in [1, 5, 16] {
        let counted = [64, 64, 37, 0];
        let mut tiles: Vec<_> = counted.iter().map(|_| wide(&mut random)).collect();
        // Equals within a tile and across tiles, a row of the least number, and the greatest where nothing counts.
        tiles.iter_mut().for_each(|tile| tile.row_mut(0).fill(7));
        tiles.iter_mut().for_each(|tile| tile.row_mut(1).fill(i32::MIN));
        (tiles[1][(2, 5)], tiles[1][(2, 63)], tiles[2][(2, 40)]) = (i32::MAX, i32::MAX, i32::MAX);
        tiles[2].row_mut(3)[37..].fill(i32::MAX);
        let mut best = vec![0xa5; 512];
        for (index, (tile, columns)) in tiles.iter().zip(counted).enumerate() {
            let scalars = [row_groups, 100 + 64 * index as i32, columns, i32::from(index == 0)];
            best = call(Kernel::Greatest, &[&RESULTS.pack(tile), &best], &scalars).swap_remove(1);
        }
        let object = call(Kernel::StoreGreatest, &[&best, &[]], &[row_groups]).swap_remove(1);
        let word = |index: usize| i32::from_le_bytes(object[4 * index..][..4].try_into().unwrap());
        for row in 0..4 * row_groups as usize {
            let whole: Vec<i32> = tiles
                .iter()
                .zip(counted)
                .flat_map(|(tile, columns)| tile.row(row)[..columns as usize].to_vec())
                .collect();
            let place = row / 4 * 8 + row % 4;
            let (column, value) = greatest(&whole).unwrap();
            assert_eq!((word(place + 4), word(place)), (100 + column as i32, value), "row {row}");
        }
        assert!(object[32 * row_groups as usize..].iter().all(|byte| *byte == 0));
    }
}
