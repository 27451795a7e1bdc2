//! Each rule, broken once in a design or a sequence that is otherwise valid.

use gstwhispernpu::device::npu::Kernel;
use gstwhispernpu::device::npu::design::{
    Channel, Command, CoreProgram, Design, Dimension, Direction, LockUse, Operand, Ring, Scalar, Sequence,
    ShimDescriptor, Statement, Tile,
};
use gstwhispernpu::device::npu::rules::{Frame, Sections, check, check_contexts, check_sections, check_sequence};
use gstwhispernpu::device::npu::target::Target;

use super::workshop::*;

const BYTES: usize = 6 * OBJECT;

/// The copy design with a product beside it, its operands in three banks.
fn valid() -> Design {
    let mut design = copy_design();
    let tile = &mut design.tiles[2];
    tile.buffers[4].bytes = OBJECT;
    for (name, address, bytes) in [("a", 0x6000, OBJECT), ("b", 0x8000, OBJECT), ("accumulators", 0xC000, 4 * OBJECT)] {
        let index = buffer(tile, name, bytes);
        tile.buffers[index].address = address;
    }
    core(&mut design).body.insert(0, product([5, 6, 7], Scalar::Constant(16)));
    design
}

fn product(buffers: [usize; 3], row_groups: Scalar) -> Statement {
    let operands = buffers.map(|buffer| Operand::Buffer { buffer, offset_bytes: 0 }).to_vec();
    Statement::Call { kernel: Kernel::ProductInt8, operands, scalars: vec![row_groups] }
}

fn core(design: &mut Design) -> &mut CoreProgram {
    design.tiles[2].core.as_mut().unwrap()
}

fn memory(design: &mut Design) -> &mut Tile {
    &mut design.tiles[1]
}

fn pattern(wraps_and_steps: &[(u32, u32)]) -> Vec<Dimension> {
    wraps_and_steps.iter().map(|&(wrap, step_words)| Dimension { wrap, step_words }).collect()
}

fn assert_design(name: &str, change: impl Fn(&mut Design), words: &[&str]) {
    let mut design = valid();
    change(&mut design);
    let sentences: Vec<String> = check(&design).err().unwrap_or_default().iter().map(ToString::to_string).collect();
    let found = sentences.iter().any(|sentence| words.iter().all(|word| sentence.contains(word)));
    assert!(found, "{name}: {words:?} is in none of {sentences:#?}");
}

#[test]
fn what_keeps_the_rules_is_valid() {
    assert_eq!(check(&copy_design()), Ok(()));
    assert_eq!(check(&valid()), Ok(()));
    assert_eq!(check(&super::determinism::columns()), Ok(()));
    assert_eq!(check_sequence(&valid(), &copy_sequence(BYTES), &[BYTES as u64; 2]), Ok(()));
}

#[test]
fn places_and_buffers() {
    assert_design(
        "column",
        |design| design.tiles[2].place.column = 4,
        &["inside the array", "tile (4, 2)", "4 columns"],
    );
    assert_design("twice", |design| design.tiles.push(tile(0, 1)), &["once", "tile (0, 1)"]);
    assert_design("name", |design| memory(design).buffers[1].name = "there_0".into(), &["unique", "there_0"]);
    assert_design("lock's name", |design| memory(design).locks[1].name = "there_empty".into(), &["there_empty twice"]);
    assert_design(
        "end",
        |design| core_buffer(design).address = 0xF004,
        &["inside the memory", "parameters", "65540 of 65536"],
    );
    assert_design(
        "memory tile's end",
        |design| memory(design).buffers[3].address = 512 * 1024,
        &["back_1 of tile (0, 1)", "of 524288"],
    );
    assert_design(
        "overlap",
        |design| memory(design).buffers[1].address = 4092,
        &["do not overlap", "there_0 and there_1"],
    );
    assert_design("stack", |design| core(design).stack_bytes = 1028, &["stack", "input_0", "1024", "1028"]);
    assert_design("address", |design| memory(design).buffers[3].address += 2, &["whole words", "back_1"]);
    assert_design("length", |design| memory(design).buffers[3].bytes += 2, &["whole words", "4098"]);
    assert_design(
        "alignment",
        |design| design.tiles[2].buffers[5].address += 4,
        &["64 bytes", "product_int8", "a at byte"],
    );
    assert_design(
        "program",
        |design| memory(design).core = Some(core(&mut valid()).clone()),
        &["only cores", "(0, 1)"],
    );
}

fn core_buffer(design: &mut Design) -> &mut gstwhispernpu::device::npu::design::Buffer {
    &mut design.tiles[2].buffers[4]
}

#[test]
fn locks() {
    let many = |design: &mut Design| {
        (0..13).for_each(|index| {
            lock(&mut design.tiles[2], &format!("more{index}"), 0);
        })
    };
    assert_design("count", many, &["so many locks", "tile (0, 2)", "17", "at most 16"]);
    assert_design("initial", |design| memory(design).locks[0].initial = 64, &["starts within", "there_empty", "64"]);
    assert_design("below", |design| memory(design).locks[0].initial = -1, &["starts within", "-1"]);
    let missing = |design: &mut Design| memory(design).descriptors[0].release = Some(LockUse { lock: 9, amount: 1 });
    assert_design("missing", missing, &["one of the tile's", "descriptor 0", "lock 9 of 4"]);
    assert_design("ring's lock", |design| core(design).rings[0].give = 16, &["ring input", "lock 16 of 4"]);
    let amount = |design: &mut Design| memory(design).descriptors[0].acquire = Some(LockUse { lock: 0, amount: 64 });
    assert_design("amount", amount, &["amounts", "descriptor 0", "64"]);
    let acquirers = |design: &mut Design| memory(design).descriptors[4].acquire = Some(LockUse { lock: 0, amount: 1 });
    assert_design("acquirers", acquirers, &["one acquirer", "there_empty", "channel In 0 and channel In 1"]);
    let releasers = |design: &mut Design| core(design).rings[1].give = 1;
    assert_design("releasers", releasers, &["one releaser", "input_full", "channel In 0 and the core"]);
}

#[test]
fn descriptors() {
    assert_design("number", |design| design.tiles[2].descriptors[3].number = 16, &["so many", "16 of tile (0, 2)"]);
    assert_design("twice", |design| memory(design).descriptors[1].number = 0, &["given once", "number 0 twice"]);
    assert_design(
        "buffer",
        |design| memory(design).descriptors[1].buffer = 4,
        &["buffer of the tile", "buffer 4 of 4"],
    );
    let long = |design: &mut Design| {
        design.tiles[2].buffers[0].bytes = 4 << 14;
        design.tiles[2].descriptors[0].length_words = 1 << 14;
    };
    assert_design("length", long, &["1 to 16383 words", "descriptor 0 of tile (0, 2)", "16384"]);
    assert_design("nothing", |design| memory(design).descriptors[0].length_words = 0, &["words", "moves 0"]);
    let dimensions = |tile: usize, wraps: &'static [(u32, u32)]| {
        move |design: &mut Design| design.tiles[tile].descriptors[0].dimensions = pattern(wraps)
    };
    let four = dimensions(2, &[(2, 512), (2, 256), (2, 128), (128, 1)]);
    assert_design("dimensions", four, &["at most 3 dimensions", "has 4"]);
    assert_design("wrap", dimensions(2, &[(2, 512), (512, 1)]), &["1 to 255", "dimension 1", "has 512"]);
    assert_design("memory tile's wrap", dimensions(1, &[(1, 1), (1024, 1)]), &["1 to 1023", "has 1024"]);
    let mut outermost = valid();
    dimensions(2, &[(512, 2), (2, 1)])(&mut outermost);
    assert_eq!(check(&outermost), Ok(()));
    assert_design("step", dimensions(2, &[(2, 8193), (512, 1)]), &["1 to 8192 words", "8193"]);
    assert_design("no step", dimensions(1, &[(2, 0), (512, 1)]), &["step is 1 to", "has 0"]);
    assert_design("product", dimensions(1, &[(2, 512), (511, 1)]), &["product of the wraps", "1024 words", "1022"]);
    assert_design("offset", |design| memory(design).descriptors[0].offset_bytes = 2, &["whole words", "byte 2"]);
    assert_design(
        "range",
        |design| memory(design).descriptors[0].offset_bytes = 4,
        &["stays in its buffer", "4100 of 4096", "there_0"],
    );
    assert_design("stride", dimensions(1, &[(2, 513), (512, 1)]), &["stays in its buffer", "4100 of 4096"]);
    assert_design(
        "next",
        |design| memory(design).descriptors[0].next = Some(7),
        &["is there", "0 of tile (0, 1)", "7"],
    );
}

#[test]
fn channels_and_flows() {
    let first = |design: &mut Design| memory(design).channels[0].first = Some(9);
    assert_design("first", first, &["begins with a descriptor", "In 0 of tile (0, 1)", "9"]);
    assert_design("none", |design| design.tiles[2].channels[0].first = None, &["begins with", "None"]);
    assert_design(
        "shim",
        |design| design.tiles[0].channels[0].first = Some(0),
        &["begins with", "Out 0 of tile (0, 0)"],
    );
    let odd = |design: &mut Design| {
        memory(design).descriptors[1].number = 30;
        memory(design).descriptors[0].next = Some(30);
    };
    assert_design("half", odd, &["even channels", "In 0 of tile (0, 1)", "uses 30"]);
    let channel = |tile: usize, number: usize| {
        move |design: &mut Design| {
            let first = design.tiles[tile].channels[0].first;
            design.tiles[tile].channels.push(Channel { direction: Direction::In, number, first });
        }
    };
    assert_design("core's channels", channel(2, 2), &["so many channels", "In 2 of tile (0, 2)", "below 2"]);
    assert_design("memory's channels", channel(1, 6), &["so many channels", "below 6"]);
    assert_design("shim's channels", channel(0, 2), &["so many channels", "below 2"]);
    assert_design("twice", channel(2, 0), &["described once", "In 0 of tile (0, 2)"]);
    assert_design("without a stream", channel(2, 1), &["one stream", "In 1 of tile (0, 2)", "to 0"]);
    assert_design("two streams", |design| design.flows.push(design.flows[0].clone()), &["one stream", "to 2"]);
    assert_design(
        "no channel",
        |design| design.flows[0].source.channel = 1,
        &["ends at channels", "Out 1 of tile (0, 0)"],
    );
    assert_design("no destination", |design| design.flows[0].destinations.clear(), &["leads somewhere", "Out 0"]);
}

#[test]
fn programs() {
    let call = |kernel, operands: Vec<Operand>, scalars: Vec<Scalar>| {
        move |design: &mut Design| {
            let (operands, scalars) = (operands.clone(), scalars.clone());
            core(design).body.push(Statement::Call { kernel, operands, scalars });
        }
    };
    let at = |buffer, offset_bytes| Operand::Buffer { buffer, offset_bytes };
    let empty = |design: &mut Design| core(design).rings.push(Ring { name: "none", buffers: vec![], take: 0, give: 1 });
    assert_design("empty ring", empty, &["a ring has buffers", "none of tile (0, 2)"]);
    assert_design("ring's buffer", |design| core(design).rings[0].buffers[1] = 20, &["ring", "input", "20"]);
    assert_design("ring", |design| core(design).body.push(Statement::Take(2)), &["core's rings", "2 of 2"]);
    assert_design("count", call(Kernel::Clear, vec![], vec![]), &["number of buffers", "clear", "takes 1, not 0"]);
    assert_design("end", call(Kernel::Clear, vec![at(5, 0)], vec![]), &["fits its buffer", "16384 bytes of a", "4096"]);
    assert_design("offset", call(Kernel::Clear, vec![at(7, 64)], vec![]), &["fits its buffer", "16448 bytes"]);
    assert_design("missing", call(Kernel::Clear, vec![at(9, 0)], vec![]), &["buffer of the tile", "clear", "9"]);
    let overlap = call(Kernel::CopyObject, vec![at(7, 0), at(7, 2048)], vec![]);
    assert_design("overlap", overlap, &["operands do not overlap", "copy_object", "object and target"]);
    let bank = |design: &mut Design| design.tiles[2].buffers[6].address = 0x7000;
    assert_design("bank", bank, &["different banks", "product_int8", "a and b"]);
    let scalars = |design: &mut Design| {
        if let Statement::Call { scalars, .. } = &mut core(design).body[0] {
            scalars.clear();
        }
    };
    assert_design("scalars", scalars, &["number of scalars", "product_int8", "takes 1, not 0"]);
    let with = |scalar| move |design: &mut Design| core(design).body[0] = product([5, 6, 7], scalar);
    assert_design("range", with(Scalar::Constant(17)), &["scalar's range", "product_int8", "17 as scalar 0"]);
    assert_design("parameter", with(Scalar::Parameter(1024)), &["parameters' buffer", "word 1024 of 1024"]);
    assert_design("loop", with(Scalar::Loop(0)), &["loop around it", "loop 0 of 0"]);
    let inside = |design: &mut Design| {
        let body = vec![product([5, 6, 7], Scalar::Loop(1))];
        core(design).body[0] = Statement::Repeat { times: Scalar::Parameter(0), body };
    };
    assert_design("outer loop", inside, &["loop 1 of 1"]);
}

fn assert_sequence(name: &str, sequence: &Sequence, words: &[&str]) {
    let sizes = [BYTES as u64, BYTES as u64];
    let violations = check_sequence(&valid(), sequence, &sizes).err().unwrap_or_default();
    let sentences: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let found = sentences.iter().any(|sentence| words.iter().all(|word| sentence.contains(word)));
    assert!(found, "{name}: {words:?} is in none of {sentences:#?}");
}

#[test]
fn shim_descriptors() {
    let with = |change: fn(&mut ShimDescriptor)| {
        let mut there = contiguous(0, 0, BYTES);
        change(&mut there);
        there_and_back(there, contiguous(1, 0, BYTES))
    };
    assert_sequence("nothing", &with(|one| one.length_words = 0), &["descriptor 0 of column 0, command 0", "moves 0"]);
    assert_sequence("dimensions", &with(|one| one.dimensions = pattern(&[(1, 1); 4])), &["at most 3", "has 4"]);
    assert_sequence("wrap", &with(|one| one.dimensions = pattern(&[(6, 1024), (1024, 1)])), &["1 to 1023", "1024"]);
    assert_sequence(
        "step",
        &with(|one| one.dimensions = pattern(&[(2, 1 << 21), (768, 1)])),
        &["1 to 1048576", "2097152"],
    );
    assert_sequence(
        "product",
        &with(|one| one.dimensions = pattern(&[(2, 768), (512, 1)])),
        &["product", "6144", "1024"],
    );
    assert_sequence("offset", &with(|one| one.offset_bytes = 2), &["whole words", "byte 2"]);
    assert_sequence(
        "range",
        &with(|one| one.offset_bytes = 4),
        &["stays in its buffer", "24580 of 24576", "DDR buffer 0"],
    );
    let iteration = |wrap, step_words| Some(Dimension { wrap, step_words });
    let mut there = contiguous(0, 0, BYTES);
    there.iteration = iteration(65, 0);
    assert_sequence("iteration", &there_and_back(there.clone(), contiguous(1, 0, BYTES)), &["1 to 64", "65"]);
    there.iteration = iteration(64, (1 << 20) + 1);
    assert_sequence("its step", &there_and_back(there.clone(), contiguous(1, 0, BYTES)), &["step", "1048577"]);
    there.iteration = iteration(2, 1);
    let mut twice = there_and_back(there, contiguous(1, 0, BYTES));
    assert_eq!(check_sequence(&valid(), &twice, &[BYTES as u64; 2]), Ok(()));
    if let Command::Start { repeat, .. } = &mut twice.commands[3] {
        *repeat = 2;
    }
    assert_sequence("second run", &twice, &["stays in its buffer", "24580 of 24576", "command 3"]);
    assert_sequence(
        "buffer",
        &there_and_back(contiguous(2, 0, 4), contiguous(1, 0, 4)),
        &["one of the run's", "2 of 2"],
    );
}

#[test]
fn commands() {
    let change = |index: usize, change: fn(&mut Command)| {
        let mut sequence = copy_sequence(BYTES);
        change(&mut sequence.commands[index]);
        sequence
    };
    let column = change(0, |command| {
        if let Command::Configure { column, .. } = command {
            *column = 1;
        }
    });
    assert_sequence("column", &column, &["shim of the design", "command 0", "column 1"]);
    assert_sequence("not written", &column, &["was written", "command 3", "0 of column 0"]);
    let channel = change(3, |command| {
        if let Command::Start { channel, .. } = command {
            *channel = 1;
        }
    });
    assert_sequence("channel", &channel, &["channel of the design", "command 3", "Out 1"]);
    let number = change(0, |command| {
        if let Command::Configure { number, .. } = command {
            *number = 16;
        }
    });
    assert_sequence("number", &number, &["16 descriptors", "names 16"]);
    for repeat in [0, 257] {
        let mut sequence = copy_sequence(BYTES);
        if let Command::Start { repeat: times, .. } = &mut sequence.commands[3] {
            *times = repeat;
        }
        assert_sequence("repeat", &sequence, &["1 to 256 times", &format!("wants {repeat}")]);
    }
    let mut chain = contiguous(0, 0, BYTES);
    chain.next = Some(0);
    assert_sequence("loop", &there_and_back(chain, contiguous(1, 0, BYTES)), &["chain", "ends", "back to 0"]);
    let mut token = copy_sequence(BYTES);
    token.commands.push(wait(Direction::In));
    assert_sequence("token", &token, &["token", "command 6 waits for one more"]);
}

#[test]
fn descriptors_and_queues_in_use() {
    let mut rewritten = copy_sequence(BYTES);
    rewritten.commands.insert(4, configure(0, contiguous(0, 0, BYTES)));
    assert_sequence("rewritten", &rewritten, &["no task may still use", "command 4 writes 0", "command 3"]);
    let mut later = copy_sequence(BYTES);
    later.commands.extend(copy_sequence(BYTES).commands);
    assert_eq!(check_sequence(&valid(), &later, &[BYTES as u64; 2]), Ok(()));
    // A token of a later task tells that the earlier ones are over.
    let mut queue = copy_sequence(BYTES);
    let quiet = Command::Start { column: 0, direction: Direction::Out, channel: 0, number: 0, repeat: 1, token: false };
    queue.commands.splice(3..3, std::iter::repeat_n(quiet.clone(), 3));
    queue.commands.insert(8, configure(0, contiguous(0, 0, BYTES)));
    assert_eq!(check_sequence(&valid(), &queue, &[BYTES as u64; 2]), Ok(()));
    queue.commands.insert(3, quiet);
    assert_sequence("queue", &queue, &["queue holds 4 tasks", "command 7", "Out 0 of column 0"]);
}

#[test]
fn contexts_and_sections() {
    assert_eq!(check_contexts(&Target::NPU1, 6), Ok(()));
    let sentence = check_contexts(&Target::NPU1, 7).unwrap_err().to_string();
    assert!(sentence.contains("6 hardware contexts: 7"), "{sentence}");
    let frame = |bytes| Frame { function: "gelu".to_owned(), bytes };
    let tile = &valid().tiles[2];
    let sections = Sections { program_bytes: vec![15_000, 1384], frames: vec![frame(512), frame(512)] };
    assert_eq!(check_sections(tile, &sections), Ok(()));
    let sections = Sections { program_bytes: vec![16_000, 385], frames: vec![frame(516), frame(512)] };
    let sentences: Vec<String> = check_sections(tile, &sections).unwrap_err().iter().map(ToString::to_string).collect();
    for (sentence, words) in sentences.iter().zip([
        "16384 bytes: that of tile (0, 2) has 16385",
        "gelu in tile (0, 2) has 516",
        "1024 bytes, the frames need 1028",
    ]) {
        assert!(sentence.contains(words), "{sentence}");
    }
    assert_eq!(sentences.len(), 3);
}
