//! The statements of a text against the design that it was printed from.

use std::collections::HashMap;

use super::super::super::design::{
    Command, Descriptor, Design, Dimension, Direction, LockUse, Sequence, Statement, Tile,
};
use super::super::super::instructions::encode;
use super::super::super::target::{Kind, Target};
use super::super::names::visit;
use super::reader::{Operation, list};

/// Tiles, buffers, locks, flows, descriptors and counts of statements are those of the design.
pub fn design(file: &Operation, design: &Design) {
    let device = file.named("aie.device");
    assert_eq!(device[0].text, format!("aie.device({})", design.target.device()));
    assert_eq!(file.named("aie.tile").len(), design.tiles.len());
    let flows: usize = design.flows.iter().map(|flow| flow.destinations.len()).sum();
    let texts: Vec<&str> = file.named("aie.flow").iter().map(|flow| flow.text.as_str()).collect();
    assert_eq!(texts.len(), flows);
    for flow in &design.flows {
        for to in &flow.destinations {
            let (from, channel) = (flow.source.place, flow.source.channel);
            let from = format!("%tile_{}_{}, DMA : {channel}", from.column, from.row);
            let to = format!("%tile_{}_{}, DMA : {}", to.place.column, to.place.row, to.channel);
            assert!(texts.contains(&format!("aie.flow({from}, {to})").as_str()), "{from} {to}");
        }
    }
    design.tiles.iter().for_each(|tile| same_tile(file, tile));
}

fn same_tile(file: &Operation, tile: &Tile) {
    let value = format!("%tile_{}_{}", tile.place.column, tile.place.row);
    let of_tile = |name: &str| -> Vec<&Operation> {
        let starts = [format!("{name}({value},"), format!("{name}({value})")];
        let all = file.named(name).into_iter();
        all.filter(|operation| starts.iter().any(|start| operation.text.starts_with(start))).collect()
    };
    let declared = file.named("aie.tile").into_iter().find(|tile| tile.results[0] == value).expect("the tile");
    assert!(declared.text.starts_with(&format!("aie.tile({}, {})", tile.place.column, tile.place.row)));
    assert_eq!(declared.text.contains("pkt_id = 15"), tile.place.kind() == Kind::Shim);

    let buffers = of_tile("aie.buffer");
    assert_eq!(buffers.len(), tile.buffers.len());
    for (text, buffer) in buffers.iter().zip(&tile.buffers) {
        let parts = text.captures(r".*\{address = (\d+) : .*\} : memref<(\d+)x(i32|i8)>");
        let bytes = parts[2].parse::<usize>().unwrap() * if &parts[3] == "i32" { 4 } else { 1 };
        assert_eq!((parts[1].parse().unwrap(), bytes), (buffer.address, buffer.bytes));
    }
    let locks = of_tile("aie.lock");
    assert_eq!(locks.len(), tile.locks.len());
    for (number, (text, lock)) in locks.iter().zip(&tile.locks).enumerate() {
        let parts = text.captures(r"aie\.lock\(\S+, (\d+)\) \{init = (-?\d+) : i32, .*");
        assert_eq!((parts[1].parse().unwrap(), parts[2].parse().unwrap()), (number, lock.initial));
    }
    let places = Places {
        buffers: buffers.iter().enumerate().map(|(index, buffer)| (buffer.results[0].as_str(), index)).collect(),
        locks: locks.iter().enumerate().map(|(index, lock)| (lock.results[0].as_str(), index)).collect(),
    };
    let dmas = [of_tile("aie.mem"), of_tile("aie.memtile_dma")].concat();
    match dmas[..] {
        [dma] => same_descriptors(dma, tile, &places),
        _ => assert!(dmas.is_empty() && tile.channels.iter().all(|channel| channel.first.is_none())),
    }
    let allocations = file.named("aie.shim_dma_allocation");
    let allocated = allocations.iter().filter(|allocation| allocation.text.contains(&format!("({value},"))).count();
    assert_eq!(allocated, if tile.place.kind() == Kind::Shim { tile.channels.len() } else { 0 });
    same_counts(&of_tile("aie.core"), tile);
}

struct Places<'a> {
    buffers: HashMap<&'a str, usize>,
    locks: HashMap<&'a str, usize>,
}

fn same_descriptors(dma: &Operation, tile: &Tile, places: &Places<'_>) {
    let expected = if tile.place.kind() == Kind::Memory { "aie.memtile_dma" } else { "aie.mem" };
    assert_eq!(dma.name(), expected);
    let mut starts = Vec::new();
    let mut blocks: HashMap<usize, Vec<&Operation>> = HashMap::new();
    let mut block = None;
    for operation in &dma.regions[0].operations {
        if let Some(label) = operation.text.strip_suffix(':') {
            block = label.strip_prefix("^bd").map(|number| number.parse::<usize>().unwrap());
            block.into_iter().for_each(|number| assert!(blocks.insert(number, Vec::new()).is_none()));
        } else if operation.name() == "aie.dma_start" {
            let parts = operation.captures(r"aie\.dma_start\((\w+), (\d+), \^bd(\d+), \^\w+\)");
            let direction = if &parts[1] == "MM2S" { Direction::Out } else { Direction::In };
            starts.push((direction, parts[2].parse().unwrap(), Some(parts[3].parse().unwrap())));
        } else if let Some(number) = block {
            blocks.get_mut(&number).unwrap().push(operation);
        }
    }
    let channels: Vec<_> =
        tile.channels.iter().map(|channel| (channel.direction, channel.number, channel.first)).collect();
    assert_eq!(starts, channels);
    assert_eq!(blocks.len(), tile.descriptors.len());
    for descriptor in &tile.descriptors {
        same_descriptor(&blocks[&descriptor.number], descriptor, places);
    }
}

fn same_descriptor(block: &[&Operation], descriptor: &Descriptor, places: &Places<'_>) {
    let has_locks = descriptor.acquire.is_some() || descriptor.release.is_some();
    let names: Vec<&str> = block.iter().map(|operation| operation.name()).collect();
    let transfer = match has_locks {
        true => {
            assert_eq!(names, ["aie.use_lock", "aie.dma_bd", "aie.use_lock", "aie.next_bd"]);
            let used = |operation: &Operation, action: &str| {
                let parts = operation.captures(r"aie\.use_lock\((\S+), (\w+), (\d+)\)(.*)");
                assert_eq!(&parts[2], action);
                let is_on = parts[4].is_empty() && &parts[3] != "0";
                is_on.then(|| (places.locks[&parts[1]], parts[3].parse().unwrap()))
            };
            let expected = |used: Option<LockUse>| used.map(|used| (used.lock, used.amount));
            assert_eq!(used(block[0], "AcquireGreaterEqual"), expected(descriptor.acquire));
            assert_eq!(used(block[2], "Release"), expected(descriptor.release));
            block[1]
        }
        false => {
            assert_eq!(names, ["aie.dma_bd", "aie.next_bd"]);
            block[0]
        }
    };
    let parts = transfer
        .captures(r"aie\.dma_bd\((\S+) : memref<\d+x(\w+)>, (\d+), (\d+)(?:, \[(.*)\])?\) \{bd_id = (\d+) : i32\}");
    let element = if &parts[2] == "i32" { 4 } else { 1 };
    let bytes = |part: usize| parts[part].parse::<usize>().unwrap() * element;
    assert_eq!(places.buffers[&parts[1]], descriptor.buffer);
    assert_eq!((bytes(3), bytes(4)), (descriptor.offset_bytes, descriptor.length_words * 4));
    assert_eq!(parts[6].parse(), Ok(descriptor.number));
    let dimensions: Vec<(usize, usize)> = parts.get(5).map_or(Vec::new(), |dimensions| {
        let numbers = |part: &str| part.trim_matches(['<', '>']).split(" = ").nth(1).unwrap().parse().unwrap();
        list(dimensions.as_str()).chunks(2).map(|pair| (numbers(&pair[0]), numbers(&pair[1]) * element)).collect()
    });
    let expected =
        descriptor.dimensions.iter().map(|Dimension { wrap, step_words }| (*wrap as usize, *step_words as usize * 4));
    assert_eq!(visited(&dimensions, element), visited(&expected.collect::<Vec<_>>(), 4));
    let next = block[block.len() - 1].captures(r"aie\.next_bd \^(?:bd(\d+)|end)");
    assert_eq!(next.get(1).map(|next| next.as_str().parse().unwrap()), descriptor.next);
}

/// Bytes in the order of a pattern of elements of so many bytes.
fn visited(dimensions: &[(usize, usize)], element: usize) -> Vec<usize> {
    let mut starts = vec![0];
    for (wrap, step) in dimensions {
        starts = starts.iter().flat_map(|start| (0..*wrap).map(move |index| start + index * step)).collect();
    }
    starts.iter().flat_map(|start| *start..start + element).collect()
}

fn same_counts(cores: &[&Operation], tile: &Tile) {
    let Some(program) = &tile.core else { return assert!(cores.is_empty()) };
    let [core] = cores else { panic!("{} cores", cores.len()) };
    assert_eq!(core.attributes, format!("{{stack_size = {} : i32}}", program.stack_bytes));
    let (mut locks, mut calls, mut repeats, mut selects) = (0, 0, 0, 0);
    visit(&program.body, &mut |statement| match statement {
        Statement::Take(_) | Statement::Give(_) => locks += 1,
        Statement::Call { .. } => calls += 1,
        Statement::Repeat { .. } => repeats += 1,
        Statement::Select { .. } => selects += 1,
    });
    let switches = core.named("scf.index_switch");
    let selecting = switches.iter().filter(|switch| !switch.text.contains("memref")).count();
    assert_eq!(core.named("aie.use_lock").len(), locks);
    assert_eq!(core.named("func.call").len(), calls);
    assert_eq!((core.named("scf.for").len(), selecting), (repeats + 1, selects));
}

/// The commands of the text, lowered as upstream's passes do, are the words of the stream.
pub fn sequence(file: &Operation, sequence: &Sequence, target: Target) {
    let mut words = Vec::new();
    let number = |operation: &Operation, name: &str| -> u32 {
        let pattern = regex::Regex::new(&format!(r"[{{ ]{name} = (\d+)")).unwrap();
        pattern.captures(&operation.text).unwrap_or_else(|| panic!("{name}"))[1].parse().unwrap()
    };
    let run = file.named("aie.runtime_sequence");
    let mut tokens = 0;
    for operation in &run[0].regions[0].operations {
        let get = |name| number(operation, name);
        match operation.name() {
            // `WriteBdToBlockWritePattern` in `lib/Dialect/AIEX/Transforms/AIEDmaToNpu.cpp`, on a shim tile.
            "aiex.npu.writebd" => words.extend([
                1,
                0,
                get("column") << 25 | (0x1d000 + 0x20 * get("bd_id")),
                48,
                get("buffer_length"),
                get("buffer_offset"),
                0,
                get("d0_size") << 20 | get("d0_stride"),
                2 << 30 | get("d1_size") << 20 | get("d1_stride"),
                2 << 24 | get("d2_stride"),
                get("iteration_current") << 26 | get("iteration_size") << 20 | get("iteration_stride"),
                get("next_bd") << 27 | get("use_next_bd") << 26 | get("valid_bd") << 25,
            ]),
            "aiex.npu.address_patch" => {
                words.extend([0x81, 48, 0, 0, 0, 0, get("addr"), 0, get("arg_idx"), 0, get("arg_plus"), 0]);
            }
            "aiex.npu.push_queue" => {
                let parts = operation.captures(r"aiex\.npu\.push_queue\((\d+), 0, (\w+) : (\d+)\) .*");
                let [column, channel] = [1, 3].map(|part| parts[part].parse::<u32>().unwrap());
                let control = (column << 25) + 0x1d200 + 8 * channel + if &parts[2] == "MM2S" { 0x10 } else { 0 };
                let token = u32::from(operation.text.contains("issue_token = true"));
                if token == 1 {
                    tokens += 1;
                    words.extend([3, 0, control, 0, 0xf00, 0x1f00, 28]);
                }
                words.extend([0, 0, control + 4, 0, token << 31 | get("repeat_count") << 16 | get("bd_id"), 24]);
            }
            "aiex.npu.sync" => words.extend([
                0x80,
                16,
                get("direction") | get("row") << 8 | get("column") << 16,
                get("row_num") << 8 | get("column_num") << 16 | get("channel") << 24,
            ]),
            name => panic!("{name} in a run"),
        }
    }
    assert_eq!(tokens, 1, "the lowering here routes tokens each time");
    assert!(sequence.commands.iter().all(|command| !matches!(command, Command::Start { column: 1.., .. })));
    assert_eq!(target, Target::NPU1, "the burst length here");
    assert_eq!(encode(sequence, target).unwrap()[4..], words);
}
