//! Each fault, provoked once: the sentence says where and what.

use std::sync::Arc;

use gstwhispernpu::device::npu::Kernel;
use gstwhispernpu::device::npu::design::{Command, Design, Dimension, LockUse, Operand, Scalar, Statement};
use gstwhispernpu::device::npu::emulator::{DdrMemory, Emulator, Fault};

use super::kernels::Copies;
use super::workshop::*;

const BYTES: usize = 6 * OBJECT;

/// What the run of a design says, which does not end well.
fn fault(design: Design, sequence: &gstwhispernpu::device::npu::design::Sequence) -> Fault {
    run(design, sequence, &sample(BYTES), BYTES).map(|(_, report)| report).unwrap_err()
}

fn assert_says(fault: &Fault, words: &[&str]) {
    let sentence = fault.to_string();
    assert!(words.iter().all(|word| sentence.contains(word)), "{sentence:?} lacks one of {words:?}");
}

fn core(design: &mut Design) -> &mut gstwhispernpu::device::npu::design::CoreProgram {
    design.tiles[2].core.as_mut().unwrap()
}

#[test]
fn a_transfer_beyond_its_ddr_buffer() {
    let sequence = there_and_back(contiguous(0, OBJECT as u64, BYTES), contiguous(1, 0, BYTES));
    let fault = fault(copy_design(), &sequence);
    assert!(matches!(fault, Fault::Address { end_bytes: 28672, bytes: BYTES, .. }));
    assert_says(&fault, &["channel out 0 of tile (0, 0)", "DDR buffer 0", "28672"]);
}

#[test]
fn words_that_nobody_wrote_in_ddr() {
    let mut ddr = [DdrMemory::new(BYTES), DdrMemory::new(BYTES)];
    ddr[0].write(0, &sample(5 * OBJECT));
    let mut emulator = emulator(copy_design(), 1);
    let fault = emulator.run(&copy_sequence(BYTES), &mut ddr).unwrap_err();
    assert_says(&fault, &["channel out 0 of tile (0, 0)", "DDR buffer 0", "byte 20480", "nobody wrote"]);
    assert_eq!(emulator.run(&copy_sequence(BYTES), &mut ddr), Err(Fault::Stopped));
    emulator.reset();
    ddr[0].write(5 * OBJECT, &sample(OBJECT));
    emulator.run(&copy_sequence(BYTES), &mut ddr).unwrap();
}

#[test]
fn words_that_nobody_wrote_in_a_tile() {
    let mut design = copy_design();
    // The core gives its output without having written it.
    core(&mut design).body.remove(2);
    let fault = fault(design, &copy_sequence(BYTES));
    assert_says(&fault, &["channel out 0 of tile (0, 2)", "buffer output_0 of tile (0, 2)", "nobody wrote"]);
}

#[test]
fn a_kernel_that_reads_what_nobody_wrote() {
    let mut design = copy_design();
    design.tiles[2].buffers[4].bytes = OBJECT;
    let parameters = core(&mut design).parameters;
    if let Statement::Call { operands, .. } = &mut core(&mut design).body[2] {
        operands[0] = Operand::Buffer { buffer: parameters, offset_bytes: 0 };
    }
    let fault = fault(design, &copy_sequence(BYTES));
    assert_says(&fault, &["the core of tile (0, 2)", "buffer parameters of tile (0, 2)", "byte 0"]);
}

#[test]
fn a_deadlock_lists_who_waits_for_what() {
    let mut stuck = copy_design();
    // The memory tile's second fill waits for two empty buffers where one comes back.
    stuck.tiles[1].descriptors[0].acquire = Some(LockUse { lock: 0, amount: 3 });
    let fault = fault(stuck, &copy_sequence(BYTES));
    assert!(matches!(fault, Fault::Deadlock { .. }));
    assert_says(&fault, &["command 4 waits for a token of channel out 0 of tile (0, 0)"]);
    assert_says(&fault, &["channel in 0 of tile (0, 1) waits for 3 of lock there_empty of tile (0, 1), which is 2"]);
    assert_says(
        &fault,
        &["channel out 0 of tile (0, 0) has 24576 bytes left and waits for channel in 0 of tile (0, 1)"],
    );
    assert_says(&fault, &["the core of tile (0, 2) waits for 1 of lock input_full of tile (0, 2), which is 0"]);
}

#[test]
fn too_few_words() {
    let sequence = there_and_back(contiguous(0, 0, BYTES - OBJECT), contiguous(1, 0, BYTES));
    let fault = fault(copy_design(), &sequence);
    assert_says(
        &fault,
        &["channel in 0 of tile (0, 0) has 4096 bytes left and waits for channel out 1 of tile (0, 1)"],
    );
}

#[test]
fn a_lock_beyond_its_register() {
    let mut design = copy_design();
    design.tiles[2].core = None;
    design.tiles[2].descriptors[0].release = Some(LockUse { lock: 1, amount: 40 });
    design.tiles[2].descriptors[1].release = Some(LockUse { lock: 1, amount: 40 });
    let fault = fault(design, &copy_sequence(BYTES));
    assert_says(&fault, &["channel in 0 of tile (0, 2)", "lock input_full of tile (0, 2)", "80, more than 63"]);
}

#[test]
fn a_buffer_that_is_filled_while_a_core_reads_it() {
    let mut design = copy_design();
    // Room for three where there are two buffers.
    design.tiles[2].locks[0].initial = 3;
    let fault = fault(design, &copy_sequence(BYTES));
    assert!(matches!(fault, Fault::Overlap { .. }));
    assert_says(&fault, &["channel in 0 of tile (0, 2)", "the core of tile (0, 2)", "buffer input_0 of tile (0, 2)"]);
    assert_says(&fault, &["no lock or stream orders"]);
}

#[test]
fn two_tasks_on_one_range_of_ddr_without_a_wait() {
    let mut sequence = there_and_back(contiguous(0, 0, BYTES), contiguous(0, 0, BYTES));
    let fault = fault(copy_design(), &sequence);
    assert!(matches!(fault, Fault::Overlap { .. }));
    assert_says(&fault, &["DDR buffer 0", "channel out 0 of tile (0, 0)", "channel in 0 of tile (0, 0)"]);
    // One object behind the other is ordered by nothing either, but the parts are disjoint.
    sequence = there_and_back(contiguous(0, 0, OBJECT), contiguous(0, OBJECT as u64, OBJECT));
    let mut ddr = [DdrMemory::from_bytes(sample(BYTES))];
    emulator(copy_design(), 1).run(&sequence, &mut ddr).unwrap();
    assert!(ddr[0].bytes()[OBJECT..2 * OBJECT] == sample(OBJECT));
}

#[test]
fn a_wait_orders_a_write_before_a_read() {
    let mut sequence = copy_sequence(BYTES);
    sequence.commands.extend(there_and_back(contiguous(1, 0, BYTES), contiguous(0, 0, BYTES)).commands);
    let (output, _) = run(copy_design(), &sequence, &sample(BYTES), BYTES).unwrap();
    assert!(output == sample(BYTES));
}

#[test]
fn a_token_that_nobody_sends() {
    let mut sequence = copy_sequence(BYTES);
    if let Command::Start { token, .. } = &mut sequence.commands[3] {
        *token = false;
    }
    let fault = fault(copy_design(), &sequence);
    assert_says(&fault, &["command 4 waits for a token of channel out 0 of tile (0, 0)", "ask for a token"]);
}

#[test]
fn a_kernel_that_refuses() {
    let mut design = copy_design();
    let call = Statement::Call {
        kernel: Kernel::StoreWide,
        operands: vec![Operand::Buffer { buffer: 5, offset_bytes: 0 }, Operand::Ring(1)],
        scalars: vec![Scalar::Constant(4)],
    };
    let tile = &mut design.tiles[2];
    buffer(tile, "accumulators", 4 * OBJECT);
    let clear = Statement::Call {
        kernel: Kernel::Clear,
        operands: vec![Operand::Buffer { buffer: 5, offset_bytes: 0 }],
        scalars: vec![],
    };
    core(&mut design).body.splice(2..3, [clear, call]);
    assert_says(&fault(design.clone(), &copy_sequence(BYTES)), &["store_wide", "tile (0, 2)", "it only copies"]);
    let mut ddr = [DdrMemory::from_bytes(sample(BYTES)), DdrMemory::new(BYTES)];
    let fault = Emulator::new(Arc::new(design), 1).unwrap().run(&copy_sequence(BYTES), &mut ddr).unwrap_err();
    assert_says(&fault, &["kernel store_wide refused its call by the core of tile (0, 2)", "[4]"]);
}

#[test]
fn rings_that_are_not_taken_or_taken_twice() {
    for (body, words) in [
        (vec![Statement::Take(0), copy(0, 1)], "uses ring output, of which it holds 0"),
        (vec![Statement::Take(0), Statement::Take(0)], "takes once more of ring input, of which it holds 1"),
        (vec![Statement::Take(0), Statement::Give(1)], "gives ring output, of which it holds 0"),
    ] {
        let mut design = copy_design();
        core(&mut design).body = body;
        assert_says(&fault(design, &copy_sequence(BYTES)), &["the core of tile (0, 2)", words]);
    }
}

#[test]
fn a_case_that_is_not_there() {
    let mut design = copy_design();
    let select = Statement::Select { case: Scalar::Constant(2), cases: vec![vec![], vec![]] };
    core(&mut design).body.insert(0, select);
    assert_says(&fault(design, &copy_sequence(BYTES)), &["the core of tile (0, 2)", "case 2 of 2"]);
}

#[test]
fn a_core_that_never_waits() {
    let mut design = copy_design();
    core(&mut design).body = vec![Statement::Repeat { times: Scalar::Constant(3), body: vec![] }];
    assert_says(&fault(design, &copy_sequence(BYTES)), &["the core of tile (0, 2)", "without waiting"]);
}

#[test]
fn commands_for_what_is_not_there() {
    let mut sequence = copy_sequence(BYTES);
    if let Command::Wait { channel, .. } = &mut sequence.commands[5] {
        *channel = 1;
    }
    assert_says(&fault(copy_design(), &sequence), &["command 5", "In 1", "column 0"]);
    let sequence = there_and_back(contiguous(7, 0, BYTES), contiguous(1, 0, BYTES));
    assert_says(&fault(copy_design(), &sequence), &["command 0", "DDR buffer 7"]);
}

#[test]
fn a_design_that_names_what_is_not_there() {
    let mut design = copy_design();
    design.tiles[1].descriptors[0].next = Some(40);
    let fault = Emulator::with_kernels(Arc::new(design), 1, Arc::new(Copies)).err().unwrap();
    assert_says(&fault, &["tile (0, 1) has no descriptor 40"]);
}

/// A change of a working design either stops it or shows in its results.
#[test]
fn mutations_are_caught() {
    let dimensions = |first| vec![Dimension { wrap: 32, step_words: first }, Dimension { wrap: 32, step_words: 1 }];
    type Change = fn(&mut Design);
    let mutate: [(&str, Change); 8] = [
        ("stride", |design| design.tiles[1].descriptors[0].dimensions[0].step_words = 31),
        ("stride of the way out", |design| design.tiles[1].descriptors[2].dimensions[0].step_words = 16),
        ("offset", |design| {
            design.tiles[2].descriptors[0].length_words -= 1;
            design.tiles[2].descriptors[0].offset_bytes = 4;
        }),
        ("amount acquired", |design| design.tiles[2].descriptors[2].acquire = Some(LockUse { lock: 3, amount: 2 })),
        ("amount released", |design| design.tiles[2].descriptors[0].release = Some(LockUse { lock: 1, amount: 2 })),
        ("initial value", |design| design.tiles[1].locks[3].initial = 1),
        ("next", |design| design.tiles[1].descriptors[2].next = Some(24)),
        ("buffer", |design| design.tiles[1].descriptors[3].buffer = 0),
    ];
    let mut good = copy_design();
    for descriptor in &mut good.tiles[1].descriptors[..4] {
        descriptor.dimensions = dimensions(32);
    }
    let input = sample(BYTES);
    let result = |design: Design| run(design, &copy_sequence(BYTES), &input, BYTES).map(|(output, _)| output == input);
    assert_eq!(result(good.clone()), Ok(true));
    for (name, change) in mutate {
        let mut design = good.clone();
        change(&mut design);
        assert_ne!(result(design), Ok(true), "{name}");
    }
}
