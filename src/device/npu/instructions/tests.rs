//! Held to words of mlir-aie's own tests, to being each other's inverse, and to fail on anything else.

use proptest::prelude::*;

use super::super::design::{Command, DdrBuffer, Dimension, Direction, Sequence, ShimDescriptor};
use super::super::target::Target;
use super::table::{
    self, ADDRESS, BLOCK_WRITE, Field, MASK, MASK_WRITE, Operation, PATCH, PAYLOAD, SYNC, VALUE, WRITE, header, sync,
};
use super::{CommandError, InstructionError, decode, encode};

fn operation(operation: Operation, fields: &[(Field, u32)]) -> Vec<u32> {
    let mut words = operation.words();
    fields.iter().for_each(|(field, value)| field.set(&mut words, *value));
    words
}

fn encoded(commands: impl Into<Vec<Command>>, target: Target) -> Vec<u32> {
    encode(&Sequence { commands: commands.into() }, target).unwrap()
}

fn dimension((wrap, step_words): (u32, u32)) -> Dimension {
    Dimension { wrap, step_words }
}

fn transfer(length_words: usize, dimensions: &[(u32, u32)]) -> ShimDescriptor {
    let dimensions = dimensions.iter().copied().map(dimension).collect();
    ShimDescriptor { buffer: DdrBuffer(0), offset_bytes: 0, length_words, dimensions, iteration: None, next: None }
}

fn configure(column: usize, number: usize, descriptor: ShimDescriptor) -> Command {
    Command::Configure { column, number, descriptor }
}

/// Words of the operations, and of the header, in `test/Targets/NPU/npu_instgen.mlir` and `npu2_instgen.mlir`.
#[test]
fn operations_are_laid_out_as_upstream_tests_show() {
    let write = operation(WRITE, &[(ADDRESS, 0x0640_0def), (VALUE, 0x42)]);
    assert_eq!(write, [0, 0, 0x0640_0def, 0, 0x42, 0x18]);
    let mut block = operation(BLOCK_WRITE, &[(ADDRESS, 0x1234_5679)]);
    block[PAYLOAD..].copy_from_slice(&[0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b]);
    assert_eq!(block, [1, 0, 0x1234_5679, 0x30, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b]);
    let mask = operation(MASK_WRITE, &[(ADDRESS, 0x0430_567a), (VALUE, 0x1001), (MASK, 0xf00f_f00f)]);
    assert_eq!(mask, [3, 0, 0x0430_567a, 0, 0x1001, 0xf00f_f00f, 0x1c]);
    let token = [
        (sync::COLUMN, 3),
        (sync::ROW, 4),
        (sync::DIRECTION, 1),
        (sync::CHANNEL, 5),
        (sync::COLUMNS, 1),
        (sync::ROWS, 2),
    ];
    assert_eq!(operation(SYNC, &token), [0x80, 0x10, 0x0003_0401, 0x0501_0200]);

    assert_eq!(encoded([], Target::NPU1), [0x0603_0100, 0x0000_0104, 0, 0x10]);
    assert_eq!(encoded([], Target::NPU2), [0x0604_0100, 0x0000_0108, 0, 0x10]);
}

/// `test/Targets/NPU/npu_dma_memcpy.mlir`: `[1, 0, 0, 0][1, 2, 32, 32][4096, 2048, 64, 1]` of argument 0, descriptor 0.
#[test]
fn a_descriptor_has_the_words_of_an_upstream_test() {
    let descriptor = ShimDescriptor { offset_bytes: 16384, ..transfer(2048, &[(2, 2048), (32, 64), (32, 1)]) };
    let start = Command::Start { column: 0, direction: Direction::Out, channel: 0, number: 0, repeat: 1, token: false };
    let words = encoded([configure(0, 0, descriptor), start], Target::NPU1);
    let upstream: [i32; 8] = [2048, 0, 0, 33_554_432, -2_113_929_153, 33_556_479, 0, 33_554_432];
    let (block, rest) = words[header::WORDS..].split_at(BLOCK_WRITE.words);
    assert_eq!(block[..PAYLOAD], [1, 0, 118_784, 0x30]);
    assert_eq!(block[PAYLOAD..], upstream.map(|word| word as u32));
    assert_eq!(rest[..12], [0x81, 0x30, 0, 0, 0, 0, 118_788, 0, 0, 0, 16384, 0]);
    assert_eq!(rest[12..], [0, 0, 119_316, 0, 0, 0x18]);
    assert_eq!(words[2..4], [3, 4 * (4 + 12 + 12 + 6)]);
}

/// Addresses and values in `test/Conversion/DmaToNpu/push_to_queue.mlir`, addresses in
/// `test/bd-chains-and-dma-tasks/dma-tasks-to-npu/good-1.mlir`, and the burst of AIE2P in
/// `test/Conversion/DmaToNpu/dma_to_npu_burst_length.mlir`.
#[test]
fn registers_have_the_addresses_of_upstream_tests() {
    let start = |column, direction, channel, number, repeat, token| Command::Start {
        column,
        direction,
        channel,
        number,
        repeat,
        token,
    };
    let words = encoded([start(0, Direction::In, 1, 3, 1, true)], Target::NPU1);
    let (route, push) = words[header::WORDS..].split_at(MASK_WRITE.words);
    assert_eq!(push, [0, 0, 119_308, 0, 2_147_483_651, 0x18]);
    // PushQueuetoWrite32Pattern: the controller's number at bit 8, under the mask 0x1f00, four bytes before the queue.
    assert_eq!(route, [3, 0, 119_304, 0, 15 << 8, 0x1f00, 0x1c]);
    let words = encoded([start(2, Direction::Out, 0, 2, 4, false)], Target::NPU1);
    assert_eq!(words[header::WORDS..], [0, 0, 67_228_180, 0, 196_610, 0x18]);

    assert_eq!(table::descriptor_address(0, 7), 119_012);
    assert_eq!(table::descriptor_address(2, 8), 67_227_908);
    let words = encoded([configure(0, 7, transfer(4, &[]))], Target::NPU2);
    assert_eq!(words[header::WORDS + PAYLOAD + 4], 0xc000_0000);
}

#[test]
fn tokens_are_routed_once_a_channel() {
    let start =
        |channel| Command::Start { column: 1, direction: Direction::Out, channel, number: 0, repeat: 1, token: true };
    let words = encoded([start(0), start(0), start(1)], Target::NPU1);
    assert_eq!(words[2], 5);
}

#[test]
fn long_patterns_without_a_stated_wrap_come_back() {
    for dimensions in [&[(5000, 2)][..], &[(5000, 64), (16, 1)], &[(5000, 1), (3, 2), (16, 1)]] {
        let length = dimensions.iter().map(|(wrap, _)| *wrap as usize).product();
        let sequence = Sequence { commands: vec![configure(0, 0, transfer(length, dimensions))] };
        let words = encode(&sequence, Target::NPU1).unwrap();
        assert_eq!(decode(&words, Target::NPU1), Ok(sequence));
    }
}

#[test]
fn patterns_come_back_in_their_shortest_form() {
    let same = [
        (transfer(8, &[(8, 1)]), transfer(8, &[])),
        (transfer(8, &[(1, 9), (1, 7), (8, 3)]), transfer(8, &[(8, 3)])),
        (transfer(1, &[(1, 5)]), transfer(1, &[])),
        (ShimDescriptor { iteration: Some(dimension((1, 4))), ..transfer(8, &[]) }, transfer(8, &[])),
        (ShimDescriptor { iteration: Some(dimension((4, 0))), ..transfer(8, &[]) }, transfer(8, &[])),
    ];
    for (long, short) in same {
        let words = encoded([configure(3, 15, long)], Target::NPU1);
        assert_eq!(decode(&words, Target::NPU1).unwrap().commands, [configure(3, 15, short)]);
    }
}

#[test]
fn what_has_no_bits_is_refused() {
    let start = |column, channel, number, repeat| Command::Start {
        column,
        direction: Direction::In,
        channel,
        number,
        repeat,
        token: true,
    };
    let odd = ShimDescriptor { offset_bytes: 2, ..transfer(8, &[]) };
    let far = ShimDescriptor { offset_bytes: 1 << 32, ..transfer(8, &[]) };
    let chain = ShimDescriptor { next: Some(16), ..transfer(8, &[]) };
    let iteration =
        |wrap, step_words| ShimDescriptor { iteration: Some(dimension((wrap, step_words))), ..transfer(8, &[]) };
    for (command, field) in [
        (start(4, 0, 0, 1), "column"),
        (start(0, 2, 0, 1), "channel"),
        (start(0, 0, 16, 1), "descriptor"),
        (start(0, 0, 0, 0), "repeat count"),
        (start(0, 0, 0, 257), "repeat count"),
        (Command::Wait { column: 4, direction: Direction::In, channel: 0 }, "column"),
        (configure(0, 16, transfer(8, &[])), "descriptor"),
        (configure(0, 0, transfer(0, &[])), "length in words"),
        (configure(0, 0, transfer(8, &[(2, 4), (5, 1)])), "length in words"),
        (configure(0, 0, transfer(2048, &[(2, 1024), (1024, 1)])), "inner wrap"),
        (configure(0, 0, transfer(8, &[(2, (1 << 20) + 1), (4, 1)])), "step in words"),
        (configure(0, 0, transfer(8, &[(2, 0), (4, 1)])), "step in words"),
        (configure(0, 0, transfer(16, &[(2, 8), (2, 4), (2, 2), (2, 1)])), "number of dimensions"),
        (configure(0, 0, odd), "offset in bytes"),
        (configure(0, 0, far), "offset in bytes"),
        (configure(0, 0, chain), "next descriptor"),
        (configure(0, 0, iteration(65, 1)), "wrap of the iteration"),
        (configure(0, 0, iteration(2, (1 << 20) + 1)), "step in words"),
    ] {
        let wait = Command::Wait { column: 0, direction: Direction::In, channel: 0 };
        let error = encode(&Sequence { commands: vec![wait, command.clone()] }, Target::NPU1).unwrap_err();
        assert!(matches!(error, CommandError { command: 1, field: of, .. } if of == field), "{command:?}: {error}");
    }
}

/// Two columns, both directions, a chain, an iteration, a repeat, tokens.
fn example() -> Sequence {
    let chained = ShimDescriptor { buffer: DdrBuffer(2), next: Some(4), ..transfer(96, &[(3, 4096), (32, 2)]) };
    let last = ShimDescriptor {
        buffer: DdrBuffer(1),
        offset_bytes: 64,
        iteration: Some(dimension((4, 512))),
        ..transfer(512, &[])
    };
    let start = |column, direction, number, repeat| Command::Start {
        column,
        direction,
        channel: 1,
        number,
        repeat,
        token: true,
    };
    let commands = vec![
        configure(0, 3, chained),
        configure(0, 4, last.clone()),
        start(0, Direction::Out, 3, 1),
        configure(2, 0, last),
        start(2, Direction::In, 0, 4),
        Command::Wait { column: 2, direction: Direction::In, channel: 1 },
        start(0, Direction::Out, 3, 256),
        Command::Wait { column: 0, direction: Direction::Out, channel: 1 },
    ];
    Sequence { commands }
}

#[test]
fn a_stream_that_is_cut_is_refused() {
    let words = encode(&example(), Target::NPU1).unwrap();
    assert_eq!(decode(&words, Target::NPU1), Ok(example()));
    for length in 0..words.len() {
        let mut cut = words[..length].to_vec();
        let error = decode(&cut, Target::NPU1).unwrap_err();
        assert!(matches!(error, InstructionError::Truncated { word, .. } if word == length), "{length}: {error}");
        if length >= header::WORDS {
            // Even if the header knows of it, the number of operations does not.
            cut[header::BYTES.word] = 4 * length as u32;
            assert!(decode(&cut, Target::NPU1).is_err());
        }
    }
    let long = [&words[..], &[0]].concat();
    assert_eq!(decode(&long, Target::NPU1).unwrap_err(), wrong(3, 4 * long.len() as u32, 4 * words.len() as u32));
}

fn wrong(word: usize, expected: u32, received: u32) -> InstructionError {
    InstructionError::Word { word, expected, received }
}

#[test]
fn a_stream_with_another_word_is_refused_or_means_something_else() {
    let words = encode(&example(), Target::NPU2).unwrap();
    for position in 0..words.len() {
        let flipped = (0..32).map(|bit| words[position] ^ 1 << bit);
        for word in flipped.chain([0, 1, 3, 0x80, 0x81, u32::MAX]).filter(|word| *word != words[position]) {
            let mut changed = words.clone();
            changed[position] = word;
            match decode(&changed, Target::NPU2) {
                Err(_) => {}
                Ok(other) => {
                    assert_ne!(other, example(), "word {position}: {word:#x}");
                    assert_eq!(encode(&other, Target::NPU2).unwrap(), changed);
                }
            }
        }
    }
}

#[test]
fn errors_say_where_and_what() {
    let words = encode(&example(), Target::NPU1).unwrap();
    let with = |position: usize, word| {
        let mut changed = words.clone();
        changed[position] = word;
        decode(&changed, Target::NPU1).unwrap_err().to_string()
    };
    assert_eq!(decode(&words, Target::NPU2), Err(wrong(0, 0x0604_0100, 0x0603_0100)));
    assert_eq!(with(4, 7), "word 4: expected the code of an operation, received 0x7");
    assert_eq!(with(6, 0x1d400), "word 6: expected the address of a descriptor, received 0x1d400");
    assert_eq!(with(7, 0x34), "word 7: expected 0x30, received 0x34");
    assert_eq!(with(8, 97), "word 8: length in words is 97, expected 96 to 96");
    let mut stream = [&encoded([], Target::NPU1)[..], &PATCH.words()].concat();
    stream[header::BYTES.word] = 4 * stream.len() as u32;
    let error = decode(&stream, Target::NPU1).unwrap_err();
    assert_eq!(error.to_string(), "word 4: expected block write, received address patch");
    assert_eq!(with(2, 1), format!("word 2: expected {:#x}, received 0x1", words[2]));
}

/// Patterns in their shortest form.
fn descriptors() -> impl Strategy<Value = ShimDescriptor> {
    let step = 1..=1_u32 << 20;
    let dimensions = prop_oneof![
        Just(Vec::new()),
        (2..=1_u32 << 20, 2..=1_u32 << 20).prop_map(|dimension| vec![dimension]),
        ((2..=4096_u32, step.clone()), (1..=1023_u32, step.clone())).prop_map(|(outer, inner)| vec![outer, inner]),
        ((2..=1024_u32, step.clone()), (1..=1023_u32, step.clone()), (1..=1023_u32, step.clone()))
            .prop_map(|(outer, middle, inner)| vec![outer, middle, inner]),
    ];
    let iteration = proptest::option::of((2..=64_u32, step).prop_map(dimension));
    let next = proptest::option::of(0..16_usize);
    (dimensions, 1..=u32::MAX, iteration, next, 0..=u32::MAX as usize, 0..=u32::MAX / 4).prop_map(
        |(dimensions, length, iteration, next, buffer, offset_words)| {
            let product = dimensions.iter().map(|(wrap, _)| *wrap as usize).product();
            let length = if dimensions.is_empty() { length as usize } else { product };
            let (buffer, offset_bytes) = (DdrBuffer(buffer), 4 * u64::from(offset_words));
            ShimDescriptor { buffer, offset_bytes, iteration, next, ..transfer(length, &dimensions) }
        },
    )
}

fn commands() -> impl Strategy<Value = Command> {
    let direction = prop_oneof![Just(Direction::In), Just(Direction::Out)];
    prop_oneof![
        (0..4_usize, 0..16_usize, descriptors())
            .prop_map(|(column, number, descriptor)| configure(column, number, descriptor)),
        (0..4_usize, direction.clone(), 0..2_usize, 0..16_usize, 1..=256_u32, any::<bool>()).prop_map(
            |(column, direction, channel, number, repeat, token)| Command::Start {
                column,
                direction,
                channel,
                number,
                repeat,
                token
            }
        ),
        (0..4_usize, direction, 0..2_usize).prop_map(|(column, direction, channel)| Command::Wait {
            column,
            direction,
            channel
        }),
    ]
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(
        commands in proptest::collection::vec(commands(), 0..12),
        target in prop_oneof![Just(Target::NPU1), Just(Target::NPU2)],
    ) {
        let sequence = Sequence { commands };
        let words = encode(&sequence, target).unwrap();
        prop_assert_eq!(decode(&words, target), Ok(sequence));
    }

    #[test]
    fn any_words_are_refused_without_a_fault(words in proptest::collection::vec(any::<u32>(), 0..40)) {
        let mut stream = encoded([], Target::NPU1);
        stream.extend(words);
        stream[header::BYTES.word] = 4 * stream.len() as u32;
        if let Ok(sequence) = decode(&stream, Target::NPU1) {
            prop_assert_eq!(encode(&sequence, Target::NPU1).unwrap(), stream);
        }
    }
}
