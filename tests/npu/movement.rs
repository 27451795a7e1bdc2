//! What goes in comes out, in the order that the patterns say.

use gstwhispernpu::device::npu::design::{Design, Dimension, Direction, Operand, Statement};
use gstwhispernpu::device::npu::emulator::DdrMemory;
use gstwhispernpu::device::npu::target::Target;
use proptest::prelude::*;

use super::workshop::*;

#[test]
fn objects_come_back_from_a_core() {
    let input = sample(10 * OBJECT);
    let (output, report) = run(copy_design(), &copy_sequence(input.len()), &input, input.len()).unwrap();
    assert!(output == input);
    assert_eq!(report.ddr_read_bytes, input.len() as u64);
    assert_eq!(report.ddr_write_bytes, input.len() as u64);
    assert_eq!(report.kernels["copy_object"].calls, 10);
    assert_eq!((report.waits, report.commands), (2, 6));
    // At least a word a cycle, and the start of the way there.
    assert!(report.cycles > input.len() as u64 / 4 + 850, "{}", report.cycles);
    assert!(report.cycles < 20_000, "{}", report.cycles);
}

#[test]
fn a_second_run_goes_on_where_the_first_ended() {
    let mut emulator = emulator(copy_design(), 1);
    for round in 0..3 {
        let input = sample((3 + round) * OBJECT);
        let mut ddr = [DdrMemory::from_bytes(input.clone()), DdrMemory::new(input.len())];
        emulator.run(&copy_sequence(input.len()), &mut ddr).unwrap();
        assert!(ddr[1].bytes() == input);
    }
}

/// A memory tile that broadcasts to the four cores of its column and joins what they give, a quarter object each.
fn broadcast_and_join() -> Design {
    let mut memory = tile(0, 1);
    let there = fifo(&mut memory, "there", 2, OBJECT);
    fill(&mut memory, 0, &there, whole(OBJECT));
    drain(&mut memory, 0, &there, whole(OBJECT));
    let back = fifo_of_parts(&mut memory, 4);
    let mut tiles = vec![shim(0, 1, 1)];
    let mut flows = vec![
        flow(port(0, 0, 0), &[port(0, 1, 0)]),
        flow(port(0, 1, 0), &[port(0, 2, 0), port(0, 3, 0), port(0, 4, 0), port(0, 5, 0)]),
        flow(port(0, 1, 5), &[port(0, 0, 0)]),
    ];
    for core in 0..4 {
        let part = Part { offset_bytes: core * OBJECT, ..whole(OBJECT) };
        let locks = (one(back.0[core].0), one(back.0[core].1));
        chain(&mut memory, Direction::In, 1 + core, &[back.1], &[part], locks);
        flows.push(flow(port(0, 2 + core, 0), &[port(0, 1, 1 + core)]));
        tiles.push(copying_core(0, 2 + core));
    }
    // Round robin: the first core's object, the second's, and so on.
    let mut first = None;
    for (core, (empty, full)) in back.0.iter().enumerate() {
        let part = Part { offset_bytes: core * OBJECT, ..whole(OBJECT) };
        chain(&mut memory, Direction::Out, 5, &[back.1], &[part], (one(*full), one(*empty)));
        let channel = memory.channels.pop().unwrap();
        first = first.or(Some(channel));
    }
    memory.channels.extend(first);
    let last = memory.descriptors.len() - 4;
    let numbers: Vec<usize> = memory.descriptors[last..].iter().map(|one| one.number).collect();
    for index in 0..4 {
        memory.descriptors[last + index].next = Some(numbers[(index + 1) % 4]);
    }
    tiles.push(memory);
    Design { target: Target::NPU1, tiles, flows }
}

type Locks = Vec<(usize, usize)>;

fn fifo_of_parts(memory: &mut gstwhispernpu::device::npu::design::Tile, parts: usize) -> (Locks, usize) {
    let joined = buffer(memory, "joined", parts * OBJECT);
    let locks =
        (0..parts).map(|part| (lock(memory, &format!("empty_{part}"), 1), lock(memory, &format!("full_{part}"), 0)));
    (locks.collect(), joined)
}

#[test]
fn a_broadcast_reaches_four_cores_and_their_outputs_are_joined_in_turn() {
    let input = sample(3 * OBJECT);
    let sequence = there_and_back(contiguous(0, 0, input.len()), contiguous(1, 0, 4 * input.len()));
    let (output, report) = run(broadcast_and_join(), &sequence, &input, 4 * input.len()).unwrap();
    for (index, object) in output.chunks(OBJECT).enumerate() {
        assert!(object == &input[index / 4 * OBJECT..][..OBJECT], "object {index}");
    }
    assert_eq!(report.busy_cycles.len(), 4);
    assert_eq!(report.kernels["copy_object"].calls, 12);
}

#[test]
fn a_core_selects_and_repeats_what_its_parameters_say() {
    use gstwhispernpu::device::npu::design::Scalar;
    let mut design = copy_design();
    let core = design.tiles[2].core.as_mut().unwrap();
    let work = vec![Statement::Take(0), Statement::Take(1), copy(0, 1), Statement::Give(0), Statement::Give(1)];
    let header = Statement::Call {
        kernel: gstwhispernpu::device::npu::Kernel::CopyObject,
        operands: vec![Operand::Ring(0), Operand::Buffer { buffer: core.parameters, offset_bytes: 0 }],
        scalars: vec![],
    };
    core.body = vec![
        Statement::Take(0),
        header,
        Statement::Give(0),
        Statement::Select {
            case: Scalar::Parameter(0),
            cases: vec![vec![], vec![Statement::Repeat { times: Scalar::Parameter(1), body: work }]],
        },
    ];
    design.tiles[2].buffers[4].bytes = OBJECT;
    let object = |words: [i32; 2]| {
        let mut object = sample(OBJECT);
        object[..8].copy_from_slice(&[words[0].to_le_bytes(), words[1].to_le_bytes()].concat());
        object
    };
    let objects = [
        object([1, 2]),
        object([5, 5]),
        object([6, 6]),
        object([0, 9]),
        object([1, -3]),
        object([1, 1]),
        object([7, 7]),
    ];
    let sequence = there_and_back(contiguous(0, 0, 7 * OBJECT), contiguous(1, 0, 3 * OBJECT));
    let (output, _) = run(design, &sequence, &objects.concat(), 3 * OBJECT).unwrap();
    assert!(output == [objects[1].clone(), objects[2].clone(), objects[6].clone()].concat());
}

#[test]
fn iteration_and_repeat_go_on_where_they_were() {
    // Runs of an object each: 0, 2, 4, then from the start again.
    let input = sample(6 * OBJECT);
    let mut there = contiguous(0, 0, OBJECT);
    there.iteration = Some(Dimension { wrap: 3, step_words: 2 * OBJECT as u32 / 4 });
    let mut sequence = there_and_back(there, contiguous(1, 0, 5 * OBJECT));
    for command in &mut sequence.commands {
        if let gstwhispernpu::device::npu::design::Command::Start { direction: Direction::Out, repeat, .. } = command {
            *repeat = 5;
        }
    }
    let (output, _) = run(copy_design(), &sequence, &input, 5 * OBJECT).unwrap();
    let objects: Vec<&[u8]> = input.chunks(OBJECT).collect();
    assert!(output == [objects[0], objects[2], objects[4], objects[0], objects[2]].concat());
}

#[test]
fn a_chain_of_descriptors_is_one_task() {
    let input = sample(3 * OBJECT);
    let mut first = contiguous(0, 2 * OBJECT as u64, OBJECT);
    first.next = Some(2);
    let mut sequence = there_and_back(first, contiguous(1, 0, 3 * OBJECT));
    sequence.commands.insert(0, configure(2, contiguous(0, 0, 2 * OBJECT)));
    let (output, _) = run(copy_design(), &sequence, &input, 3 * OBJECT).unwrap();
    assert!(output == [&input[2 * OBJECT..], &input[..2 * OBJECT]].concat());
}

/// Word numbers of a pattern, by nested loops.
fn addresses(dimensions: &[Dimension]) -> Vec<usize> {
    dimensions.iter().fold(vec![0], |outer, dimension| {
        outer
            .iter()
            .flat_map(|start| (0..dimension.wrap).map(move |index| start + (index * dimension.step_words) as usize))
            .collect()
    })
}

/// Three dimensions of 1024 words together, the steps a permutation of the dense ones plus gaps.
fn patterns() -> impl Strategy<Value = Vec<Dimension>> {
    let splits =
        prop::sample::select(vec![[4_u32, 16, 16], [16, 4, 16], [8, 8, 16], [2, 32, 16], [1, 64, 16], [32, 32, 1]]);
    (splits, Just([0_usize, 1, 2]).prop_shuffle(), 0_u32..3).prop_map(|(wraps, order, gap)| {
        let mut steps = [0; 3];
        let mut step = 1;
        for index in order {
            steps[index] = step;
            step = step * wraps[index] + gap;
        }
        (0..3).map(|index| Dimension { wrap: wraps[index], step_words: steps[index] }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn patterns_of_shim_and_memory_tile_are_nested_loops(
        from in patterns(), to in patterns(), into in patterns(), out_of in patterns()
    ) {
        let room = |pattern: &[Dimension]| 4 * (1 + *addresses(pattern).iter().max().unwrap());
        let mut design = copy_design();
        let memory = &mut design.tiles[1];
        let mut address = 0;
        for buffer in &mut memory.buffers {
            buffer.address = address;
            buffer.bytes = 16 * OBJECT;
            address += 16 * OBJECT;
        }
        // What fills a buffer and what drains it goes over the same words.
        for descriptor in &mut memory.descriptors {
            descriptor.dimensions.clone_from(if descriptor.buffer < 2 { &into } else { &out_of });
        }
        let input = sample(room(&from));
        let mut there = contiguous(0, 0, OBJECT);
        there.dimensions.clone_from(&from);
        let mut back = contiguous(1, 0, OBJECT);
        back.dimensions.clone_from(&to);
        let (output, _) = run(design, &there_and_back(there, back), &input, room(&to)).unwrap();
        for (read, written) in addresses(&from).into_iter().zip(addresses(&to)) {
            prop_assert_eq!(&output[4 * written..][..4], &input[4 * read..][..4]);
        }
    }

    #[test]
    fn a_memory_tile_reorders(into in dense(), out_of in dense()) {
        let mut design = copy_design();
        for descriptor in &mut design.tiles[1].descriptors {
            match descriptor.buffer {
                0 | 1 if descriptor.number < 2 => descriptor.dimensions.clone_from(&into),
                0 | 1 => descriptor.dimensions.clone_from(&out_of),
                _ => {}
            }
        }
        let input = sample(3 * OBJECT);
        let (output, _) = run(design, &copy_sequence(3 * OBJECT), &input, 3 * OBJECT).unwrap();
        for object in 0..3 {
            let mut middle = vec![0; 1024];
            addresses(&into).into_iter().enumerate().for_each(|(word, address)| middle[address] = word);
            for (word, address) in addresses(&out_of).into_iter().enumerate() {
                let from = object * OBJECT + 4 * middle[address];
                prop_assert_eq!(&output[object * OBJECT + 4 * word..][..4], &input[from..][..4]);
            }
        }
    }
}

/// Patterns that visit each of 1024 words once.
fn dense() -> impl Strategy<Value = Vec<Dimension>> {
    patterns().prop_map(|pattern| {
        let mut order: Vec<usize> = (0..3).collect();
        order.sort_by_key(|index| pattern[*index].step_words);
        let mut dense = pattern.clone();
        let mut step = 1;
        for index in order {
            dense[index].step_words = step;
            step *= dense[index].wrap;
        }
        dense
    })
}
