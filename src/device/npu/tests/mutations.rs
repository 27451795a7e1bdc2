//! What notices each kind of mistake. A mistake that nothing notices fails the test.

use super::super::design::{Command, Dimension, Direction, LockUse, Sequence};
use super::super::layout::HEADER_TABLE;
use super::super::program::word;
use super::mutation::{
    Caught::{self, Data, Fault, Rule},
    Mutation, Right,
};
use super::operation::Operation::{self, Attention, LayerNorm, Linear, LinearInt8, NormedLinear};

struct Mistake(&'static str, Operation, Mutation, Caught);

/// Even words before odd ones.
fn shuffled() -> Vec<Dimension> {
    [(2, 1), (8, 128), (64, 2)].map(|(wrap, step_words)| Dimension { wrap, step_words }).to_vec()
}

/// Position of the first descriptor that a sequence sends with this many dimensions for this channel.
fn first_sent(sequence: &Sequence, direction: Direction, dimensions: usize) -> usize {
    let starts = |number: usize, column: usize| {
        sequence.commands.iter().any(|command| {
            matches!(command, Command::Start { column: of, number: first, direction: way, .. }
                if *of == column && *first == number && *way == direction)
        })
    };
    let is_it = |command: &Command| {
        matches!(command, Command::Configure { column, number, descriptor }
            if starts(*number, *column) && descriptor.dimensions.len() >= dimensions)
    };
    sequence.commands.iter().position(is_it).unwrap()
}

fn sent_result(change: impl Fn(&mut Dimension) + Send + Sync + 'static) -> Mutation {
    Mutation::sequence(move |sequence| {
        let position = first_sent(sequence, Direction::In, 2);
        let Command::Configure { descriptor, .. } = &mut sequence.commands[position] else { unreachable!() };
        change(&mut descriptor.dimensions[0]);
    })
}

const MEMORY: (usize, usize) = (0, 1);
const CORE: (usize, usize) = (1, 3);

fn of_design() -> Vec<Mistake> {
    let amount = |one: &mut Option<LockUse>, amount: i8| one.as_mut().unwrap().amount = amount;
    let acquires = move |number, count| {
        Mutation::descriptor(MEMORY, number, move |descriptor| amount(&mut descriptor.acquire, count))
    };
    let releases = move |number, count| {
        Mutation::descriptor(CORE, number, move |descriptor| amount(&mut descriptor.release, count))
    };
    let swapped = Mutation::design(|design| {
        // The streams of two rows of cores, both from channel 1 of a memory tile.
        let rows: Vec<usize> = (0..design.flows.len())
            .filter(|&index| design.flows[index].source.place.row == 1 && design.flows[index].source.channel == 1)
            .collect();
        let (one, other) = (design.flows[rows[0]].destinations[1], design.flows[rows[1]].destinations[1]);
        design.flows[rows[0]].destinations[1] = other;
        design.flows[rows[1]].destinations[1] = one;
    });
    let redirected = Mutation::design(|design| {
        let other = design.flows[1].destinations[0];
        design.flows[0].destinations[0] = other;
    });
    vec![
        Mistake(
            "steps of a memory tile's descriptor",
            Linear,
            Mutation::descriptor(MEMORY, 30, |one| one.dimensions = shuffled()),
            Data,
        ),
        Mistake(
            "steps of a core's descriptor",
            Attention,
            Mutation::descriptor(CORE, 1, |one| one.dimensions = shuffled()),
            Data,
        ),
        Mistake(
            "a step beyond the buffer",
            Linear,
            Mutation::descriptor(MEMORY, 9, |one| one.dimensions = vec![Dimension { wrap: 1024, step_words: 2 }]),
            Rule,
        ),
        Mistake("a descriptor's offset", Linear, Mutation::descriptor(MEMORY, 3, |one| one.offset_bytes = 4), Rule),
        Mistake(
            "offset and length",
            LayerNorm,
            Mutation::descriptor(MEMORY, 3, |one| (one.offset_bytes, one.length_words) = (4, 1023)),
            Fault,
        ),
        Mistake("a descriptor's length", Linear, Mutation::descriptor(CORE, 0, |one| one.length_words = 1022), Fault),
        Mistake("the next descriptor", Linear, Mutation::descriptor(MEMORY, 2, |one| one.next = Some(4)), Fault),
        Mistake("a descriptor's buffer", Linear, Mutation::descriptor(CORE, 1, |one| one.buffer = 2), Fault),
        Mistake("full at the start", LayerNorm, Mutation::lock(0, 1, "column full", 1), Fault),
        Mistake("one empty buffer too many in a memory tile", Linear, Mutation::lock(0, 1, "row empty", 7), Fault),
        Mistake("one empty buffer too many in a core", Linear, Mutation::lock(1, 3, "column empty", 3), Fault),
        Mistake("no empty buffer", Attention, Mutation::lock(1, 3, "row empty", 0), Fault),
        Mistake("a lock that cannot start so", Linear, Mutation::lock(0, 1, "row empty", 64), Rule),
        Mistake("a filled buffer is not waited for", Linear, acquires(8, 0), Fault),
        Mistake("two buffers are waited for", Linear, acquires(8, 2), Fault),
        Mistake("two buffers are given", LayerNorm, releases(2, 2), Fault),
        Mistake("a buffer is not given", LayerNorm, releases(2, 0), Fault),
        Mistake(
            "a buffer's address in a memory tile",
            Linear,
            Mutation::tile(0, 1, |tile| tile.buffers[2].address += 64),
            Rule,
        ),
        Mistake(
            "a buffer's address in a core",
            Linear,
            Mutation::tile(1, 3, |tile| tile.buffers[2].address -= 8192),
            Rule,
        ),
        Mistake(
            "a buffer of a product in another's bank",
            Linear,
            Mutation::tile(1, 3, |tile| tile.buffers[4].address = 0x3000),
            Rule,
        ),
        Mistake("two destinations changed with each other", Linear, swapped, Data),
        Mistake("a destination that another stream has", Linear, redirected, Rule),
    ]
}

fn of_sequence() -> Vec<Mistake> {
    let waits_late = Mutation::sequence(without_barrier);
    vec![
        Mistake("a result's outer step", LayerNorm, sent_result(|dimension| dimension.step_words += 4), Data),
        Mistake(
            "a result's outer step beyond the hardware",
            LayerNorm,
            sent_result(|dimension| dimension.step_words = 1 << 21),
            Rule,
        ),
        Mistake("a wrap", LayerNorm, sent_result(|dimension| dimension.wrap += 1), Rule),
        Mistake("a transfer's place in DDR", Linear, Mutation::sent(0, |one| one.offset_bytes += 64), Data),
        Mistake("a transfer's length", Linear, Mutation::sent(0, |one| one.length_words -= 1), Fault),
        Mistake(
            "a task less",
            Linear,
            Mutation::sequence(|sequence| {
                let is_start = |command: &Command| matches!(command, Command::Start { .. });
                let position = sequence.commands.iter().position(is_start).unwrap();
                sequence.commands.remove(position);
            }),
            Rule,
        ),
        Mistake("the barrier between two operations", NormedLinear, waits_late, Fault),
    ]
}

/// Waits for the first operation only after the second one was started, whose descriptors get numbers that are free then.
fn without_barrier(sequence: &mut Sequence) {
    let commands = std::mem::take(&mut sequence.commands);
    let is_wait = |command: &Command| matches!(command, Command::Wait { .. });
    let first_wait = commands.iter().position(is_wait).unwrap();
    let after = first_wait + commands[first_wait..].iter().position(|command| !is_wait(command)).unwrap();
    let last_waits = after + commands[after..].iter().position(is_wait).unwrap();
    let renumbered = commands[after..last_waits].iter().cloned().map(|mut command| {
        if let Command::Configure { number, descriptor, .. } = &mut command {
            *number = 15 - *number;
            descriptor.next = descriptor.next.map(|next| 15 - next);
        }
        if let Command::Start { number, .. } = &mut command {
            *number = 15 - *number;
        }
        command
    });
    sequence.commands = commands[..first_wait].to_vec();
    sequence.commands.extend(renumbered);
    sequence.commands.extend_from_slice(&commands[first_wait..after]);
    sequence.commands.extend_from_slice(&commands[last_waits..]);
}

fn of_headers() -> Vec<Mistake> {
    let set = |word, value| Mutation::header(word, move |_| value);
    let flip = |word, bits| Mutation::header(word, move |before| before ^ bits);
    let table = HEADER_TABLE / 4;
    vec![
        Mistake("an entry of the exponential table", Attention, flip(table + 100, 1 << 18), Data),
        Mistake("the first entry of the exponential table", Attention, flip(table, 1 << 18), Data),
        // Two entries a word: this is g(32 / 64).
        Mistake("an entry of the GELU table", Linear, flip(table + 16, 1 << 8), Data),
        Mistake("the lowest bit of the GELU table's entry", Linear, flip(table + 16, 1), Data),
        Mistake("a bias", Linear, flip(16, 1 << 12), Data),
        Mistake("a multiplier", LinearInt8, flip(80, 1 << 20), Data),
        Mistake("a product's depth, less", Linear, set(word::DEPTH, 7), Fault),
        Mistake("a product's depth, more", Linear, set(word::DEPTH, 9), Fault),
        Mistake("a product's numbers", Linear, set(word::IS_INT8, 1), Fault),
        Mistake("a product's rows", Linear, set(word::ROW_GROUPS, 15), Data),
        Mistake("whether GELU follows", Linear, set(word::GELU, 0), Data),
        Mistake("what a product puts out", Linear, set(word::OUTPUT, 0), Fault),
        Mistake("what a product puts out, which there is not", Linear, set(word::OUTPUT, 5), Fault),
        Mistake("whether a product is finished", Linear, set(word::IS_FINISHED, 0), Data),
        Mistake("the operation", Linear, set(word::OPERATION, 1), Fault),
        Mistake("the operation, which there is not", Linear, set(word::OPERATION, 3), Fault),
        Mistake("the first shift", LinearInt8, Mutation::header(word::COLUMN_SHIFT, |shift| shift + 1), Data),
        Mistake("the second shift", LinearInt8, Mutation::header(word::ROW_SHIFT, |shift| shift - 1), Data),
        Mistake("objects of rows", LayerNorm, Mutation::header(word::OBJECTS, |count| count + 1), Fault),
        Mistake("whether rows are normalised", LayerNorm, set(word::IS_NORMALISED, 0), Data),
        Mistake("rows of a core", LayerNorm, set(word::ROW_GROUPS, 1), Data),
        Mistake("columns that count", LayerNorm, set(word::COLUMNS, 127), Data),
        Mistake("columns that are stored", LayerNorm, set(word::PADDED_COLUMNS, 96), Fault),
        Mistake("objects of weight and bias", LayerNorm, set(word::WEIGHT_OBJECTS, 2), Fault),
        Mistake("where the weight is", LayerNorm, Mutation::header(word::WEIGHT_OFFSET, |offset| offset + 64), Data),
        Mistake("what rows are put out as", LayerNorm, set(word::ROWS_OUTPUT, 0), Data),
        Mistake("objects of results", LayerNorm, Mutation::header(word::RESULT_OBJECTS, |count| count - 1), Fault),
        Mistake("blocks of keys", Attention, set(word::KEY_BLOCKS, 1), Fault),
        Mistake("keys", Attention, set(word::KEYS, 120), Data),
        Mistake(
            "the scores' factor",
            Attention,
            Mutation::header(word::SCORE_FACTOR, |factor| factor + factor / 256),
            Data,
        ),
        Mistake("whether later keys are hidden", Attention, set(word::IS_CAUSAL, 0), Data),
        Mistake("the first query's last key", Attention, set(word::FIRST_LAST_KEY, 1), Data),
    ]
}

#[track_caller]
fn check(mistakes: &[Mistake]) {
    let right = Right::of(&Operation::ALL);
    let mut failures = Vec::new();
    for Mistake(what, operation, mutation, expected) in mistakes {
        let (caught, sentence) = mutation.caught(*operation, &right);
        if caught != Some(*expected) {
            failures
                .push(format!("{what} in {operation:?} should be caught by {expected:?}, not {caught:?}: {sentence}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn mistakes_of_the_design_are_noticed() {
    check(&of_design());
}

#[test]
fn mistakes_of_a_sequence_are_noticed() {
    check(&of_sequence());
}

#[test]
fn mistakes_in_headers_are_noticed() {
    check(&of_headers());
}
