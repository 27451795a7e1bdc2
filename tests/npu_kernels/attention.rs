//! Attention of a block of queries, kernel by kernel over several blocks of keys.

use gstwhispernpu::device::npu::format::{OPERAND_BF16, piece};
use gstwhispernpu::device::npu::header::Header;
use gstwhispernpu::device::npu::layout::STATE;
use gstwhispernpu::device::npu::reference::{Attention, Keys};
use gstwhispernpu::device::npu::{Kernel, Matrix};
use half::bf16;

use crate::harness::{Random, call};

/// A core's buffers between the kernels.
struct Buffers {
    query: Vec<u8>,
    output: Vec<u8>,
    state: Vec<u8>,
}

fn matrix(rows: usize, scale: f64, random: &mut Random) -> Matrix<bf16> {
    Matrix::from_fn(rows, 64, |_, _| bf16::from_f64(random.normal() * scale))
}

fn begin(queries: &Matrix<bf16>) -> Buffers {
    let mut buffers = call(Kernel::AttendBegin, &[&piece(8, 32).pack(queries), &[], &[], &[]], &[]).into_iter().skip(1);
    let mut next = || buffers.next().unwrap();
    Buffers { query: next(), output: next(), state: next() }
}

fn state_of(twin: &Attention) -> Vec<u8> {
    let mut state: Vec<u8> = twin.maximum.iter().flat_map(|x| x.to_le_bytes()).collect();
    state.extend(twin.sum.iter().flat_map(|x| x.to_le_bytes()));
    state.resize(STATE, 0);
    state
}

fn check(queries: &Matrix<bf16>, blocks: &[(Matrix<bf16>, Matrix<bf16>)], keys: Keys) {
    let results = piece(8, 64);
    let mut twin = Attention::new(queries.clone());
    let mut core = begin(queries);
    assert!(core.state == state_of(&twin) && core.output == results.pack(&twin.output));
    let header = Header::default()
        .word(4, keys.count)
        .word(5, keys.scale)
        .word(6, keys.causal.is_some().into())
        .word(7, keys.causal.unwrap_or(0))
        .exponential();
    for (block, (key, value)) in blocks.iter().enumerate() {
        let mut scores = Vec::new();
        for half in 0..2 {
            let object = OPERAND_BF16.object(key, 0, 32 * half);
            scores = call(Kernel::Scores, &[&core.query, &object, &scores], &[half as i32]).remove(2);
        }
        let twin_scores = twin.scores(key);
        assert!(scores == results.pack(&twin_scores), "scores of block {block}, {keys:?}");

        let softened = call(Kernel::Softmax, &[&scores, &core.output, &core.state, header.bytes()], &[block as i32, 0]);
        let probabilities = twin.softmax(&twin_scores, &keys, block);
        assert!(softened[0][..4096] == results.pack(&probabilities), "probabilities of block {block}, {keys:?}");
        assert!(softened[1] == results.pack(&twin.output), "output at block {block}, {keys:?}");
        assert!(softened[2] == state_of(&twin), "state after block {block}, {keys:?}");

        core.output.clone_from(&softened[1]);
        core.state.clone_from(&softened[2]);
        for half in 0..2 {
            let object = OPERAND_BF16.object(value, 0, 32 * half);
            core.output = call(Kernel::Values, &[&softened[0], &object, &core.output], &[half as i32]).remove(2);
        }
        twin.values(&probabilities, value);
        assert!(core.output == results.pack(&twin.output), "values of block {block}, {keys:?}");
    }
    let finished = call(Kernel::AttendFinish, &[&core.output, &core.state, &[]], &[]);
    assert!(finished[2] == piece(8, 32).pack(&twin.finish()), "{keys:?}");
}

fn scale() -> i32 {
    ((1 << 30) as f64 * std::f64::consts::LOG2_E / 8.0).round() as i32
}

#[test]
fn attention_over_several_blocks() {
    let mut random = Random::new(30);
    for size in [0.3, 1.0, 4.0, 30.0] {
        for (count, causal) in
            [(192, None), (130, None), (64, None), (1, None), (0, None), (192, Some(0)), (100, Some(70))]
        {
            let queries = matrix(32, size, &mut random);
            let blocks: Vec<_> =
                (0..3).map(|_| (matrix(64, size, &mut random), matrix(64, 1.0, &mut random))).collect();
            check(&queries, &blocks, Keys { count, scale: scale(), causal });
        }
    }
}

#[test]
fn scores_that_rise_from_block_to_block() {
    let mut random = Random::new(31);
    let queries = matrix(32, 1.0, &mut random);
    let blocks: Vec<_> = (0..6)
        .map(|block| (matrix(64, f64::from(block * 3).exp2(), &mut random), matrix(64, 1.0, &mut random)))
        .collect();
    check(&queries, &blocks, Keys { count: 384, scale: scale(), causal: None });
    check(&queries, &blocks, Keys { count: 384, scale: i32::MAX, causal: Some(-20) });
}
