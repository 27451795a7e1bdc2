//! Rounds of transfers → commands: which descriptor each transfer gets, and when it may be used again.

use std::collections::VecDeque;

use super::design::{Command, Direction, Sequence, ShimDescriptor};
use super::overlay::{SHIM_COLUMN_OUT, SHIM_RESULT_IN, SHIM_ROW_OUT};
use super::target::{Kind, TASK_QUEUE, Target};

/// A stream between DDR and the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// To all cores of a row.
    Row(usize),
    /// To all cores of a column.
    Column(usize),
    /// From the cores of a column, an object of each in turn.
    Result(usize),
}

/// Transfers of one stream, done one behind the other and all again so often.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Which stream.
    pub stream: Stream,
    /// The transfers; `next` is set by the sequencer.
    pub chain: Vec<ShimDescriptor>,
    /// How often.
    pub repeat: usize,
}

/// Transfers that belong together: the results are there when all are done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// Each stream's in their order.
    pub tasks: Vec<Task>,
}

/// Writes the commands of rounds.
pub struct Sequencer {
    free: Vec<Vec<usize>>,
    queued: Vec<Vec<(Direction, usize)>>,
    flight: VecDeque<Flight>,
    sequence: Sequence,
}

/// A round that has been started.
struct Flight {
    started: Vec<Started>,
}

struct Started {
    column: usize,
    direction: Direction,
    channel: usize,
    numbers: Vec<usize>,
}

/// Rounds that are in flight at a time: while one's results leave, the next one's operands come.
const MOST_IN_FLIGHT: usize = 2;

impl Sequencer {
    /// For an array where nothing is under way.
    pub fn new(target: Target) -> Self {
        let numbers = || (0..Kind::Shim.limits().descriptors).rev().collect();
        Self {
            free: (0..target.columns).map(|_| numbers()).collect(),
            queued: vec![Vec::new(); target.columns],
            flight: VecDeque::new(),
            sequence: Sequence::default(),
        }
    }

    /// Starts a round as soon as there is room for it. Panics if it can never have room.
    pub fn start(&mut self, round: &Round) {
        while self.flight.len() >= MOST_IN_FLIGHT || !self.has_room(round) {
            assert!(self.wait_for_one(), "a round needs more descriptors or queue than a shim tile has");
        }
        let mut started = Vec::with_capacity(round.tasks.len());
        for task in &round.tasks {
            started.push(self.start_task(task));
        }
        self.flight.push_back(Flight { started });
    }

    /// Waits until all that was started is done: what follows may read its results.
    pub fn barrier(&mut self) {
        while self.wait_for_one() {}
    }

    /// Whether nothing was started.
    pub fn is_empty(&self) -> bool {
        self.sequence.commands.is_empty()
    }

    /// The commands; all that was started is done at their end.
    pub fn finish(mut self) -> Sequence {
        self.barrier();
        self.sequence
    }

    fn has_room(&self, round: &Round) -> bool {
        let mut needed = vec![0; self.free.len()];
        let mut queued = self.queued.clone();
        for task in &round.tasks {
            let (column, direction, channel) = task.stream.shim();
            needed[column] += task.chain.len();
            queued[column].push((direction, channel));
        }
        let fits = |queue: &Vec<(Direction, usize)>| {
            queue.iter().all(|channel| queue.iter().filter(|other| *other == channel).count() <= TASK_QUEUE)
        };
        needed.iter().zip(&self.free).all(|(needed, free)| *needed <= free.len()) && queued.iter().all(fits)
    }

    fn start_task(&mut self, task: &Task) -> Started {
        let (column, direction, channel) = task.stream.shim();
        let numbers: Vec<usize> = task.chain.iter().filter_map(|_| self.free[column].pop()).collect();
        for (index, descriptor) in task.chain.iter().enumerate() {
            let next = numbers.get(index + 1).copied();
            let descriptor = ShimDescriptor { next, ..descriptor.clone() };
            self.sequence.commands.push(Command::Configure { column, number: numbers[index], descriptor });
        }
        let (number, repeat) = (numbers[0], task.repeat as u32);
        self.sequence.commands.push(Command::Start { column, direction, channel, number, repeat, token: true });
        self.queued[column].push((direction, channel));
        Started { column, direction, channel, numbers }
    }

    fn wait_for_one(&mut self) -> bool {
        let Some(flight) = self.flight.pop_front() else { return false };
        for Started { column, direction, channel, numbers } in flight.started {
            self.sequence.commands.push(Command::Wait { column, direction, channel });
            self.free[column].extend(numbers);
            let queue = &mut self.queued[column];
            if let Some(position) = queue.iter().position(|queued| *queued == (direction, channel)) {
                queue.remove(position);
            }
        }
        true
    }
}

impl Stream {
    /// The shim tile's column and channel that carry it.
    fn shim(self) -> (usize, Direction, usize) {
        match self {
            Stream::Row(row) => (row, Direction::Out, SHIM_ROW_OUT),
            Stream::Column(column) => (column, Direction::Out, SHIM_COLUMN_OUT),
            Stream::Result(column) => (column, Direction::In, SHIM_RESULT_IN),
        }
    }
}
