//! The array's state, and the rounds of a run.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::super::design::{LockUse, Place, Sequence};
use super::super::target::Kind;
use super::super::{Kernel, Role};
use super::clocks::{Actor, Clocks};
use super::core::CoreState;
use super::fault::Fault;
use super::ledger::{Conflict, Ledger};
use super::memory::{DdrMemory, Memory, POISON};
use super::plan::{PROCESSOR, Plan};
use super::report::Report;
use super::semaphore::Semaphore;
use super::timeline::{Activity, Interval, Timeline};
use super::timing::{Bandwidth, Timing};
use super::transfer::{Channel, ShimState};
use super::{Kernels, Team};
use crate::lock::lock;

/// Everything that changes while a design runs.
pub(super) struct Machine {
    pub(super) timing: Timing,
    /// After a fault, and while a run is under way.
    pub(super) stopped: bool,
    /// By tile.
    pub(super) seats: Vec<Mutex<Seat>>,
    /// By tile and lock.
    pub(super) locks: Vec<Vec<Semaphore>>,
    /// By tile and buffer.
    pub(super) ledgers: Vec<Vec<Ledger>>,
    pub(super) ddr_ledgers: Vec<Ledger>,
    /// By tile and number; empty for tiles that are no shim.
    pub(super) shims: Vec<Vec<Option<ShimState>>>,
    pub(super) channels: Vec<Channel>,
    pub(super) cores: Vec<CoreState>,
    /// The next command.
    pub(super) command: usize,
    pub(super) clocks: Clocks,
    /// By actor, in cycles.
    pub(super) times: Vec<u64>,
    pub(super) reads: Bandwidth,
    pub(super) writes: Bandwidth,
    pub(super) report: Report,
    pub(super) timeline: Option<Timeline>,
    pub(super) scratch: Vec<u8>,
    /// Cores that came to a kernel.
    pub(super) ready: Vec<usize>,
    work: VecDeque<Actor>,
    queued: Vec<bool>,
}

/// A tile's memory with the call that its core is at; of one thread at a time.
pub(super) struct Seat {
    pub(super) memory: Memory,
    pub(super) call: PendingCall,
}

/// A call whose operands and numbers are known.
#[derive(Default)]
pub(super) struct PendingCall {
    pub(super) kernel: Option<Kernel>,
    pub(super) operands: Vec<Range<usize>>,
    pub(super) scalars: Vec<i32>,
    pub(super) refusal: Option<String>,
}

impl Machine {
    pub(super) fn new(plan: &Plan, timing: Timing) -> Self {
        let tiles = &plan.design.tiles;
        let memory = |place: Place| Memory::new(place.kind().limits().memory_bytes);
        let shim = |place: Place| if place.kind() == Kind::Shim { Kind::Shim.limits().descriptors } else { 0 };
        let channels = plan.channels.iter().map(|one| Channel { descriptor: one.first, ..Channel::default() });
        Self {
            timing,
            stopped: false,
            seats: tiles
                .iter()
                .map(|tile| Mutex::new(Seat { memory: memory(tile.place), call: PendingCall::default() }))
                .collect(),
            locks: tiles
                .iter()
                .map(|tile| tile.locks.iter().map(|lock| Semaphore::new(lock.initial)).collect())
                .collect(),
            ledgers: tiles
                .iter()
                .map(|tile| tile.buffers.iter().map(|buffer| Ledger::new(buffer.bytes)).collect())
                .collect(),
            ddr_ledgers: Vec::new(),
            shims: tiles.iter().map(|tile| (0..shim(tile.place)).map(|_| None).collect()).collect(),
            channels: channels.collect(),
            cores: plan.cores.iter().map(|core| CoreState::new(&core.code)).collect(),
            command: 0,
            clocks: Clocks::new(plan.actors()),
            times: vec![0; plan.actors()],
            reads: Bandwidth::new(timing.ddr_bytes_per_cycle),
            writes: Bandwidth::new(timing.ddr_bytes_per_cycle),
            report: Report::default(),
            timeline: None,
            scratch: Vec::new(),
            ready: Vec::new(),
            work: VecDeque::new(),
            queued: vec![false; plan.actors()],
        }
    }

    pub(super) fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
        self.reads = Bandwidth::new(timing.ddr_bytes_per_cycle);
        self.writes = Bandwidth::new(timing.ddr_bytes_per_cycle);
    }

    /// The actor may be able to go on.
    pub(super) fn wake(&mut self, actor: Actor) {
        if !std::mem::replace(&mut self.queued[actor], true) {
            self.work.push_back(actor);
        }
    }

    fn begin(&mut self, ddr: &[DdrMemory]) {
        self.times.fill(0);
        self.locks.iter_mut().flatten().for_each(Semaphore::rest);
        self.clocks.join();
        self.reads.clear();
        self.writes.clear();
        self.ddr_ledgers = ddr.iter().map(|memory| Ledger::new(memory.bytes().len())).collect();
        self.report = Report::default();
        let cycles_per_second = self.timing.cycles_per_second;
        self.timeline.iter_mut().for_each(|one| *one = Timeline { cycles_per_second, ..Timeline::default() });
        self.command = 0;
        (0..self.queued.len()).for_each(|actor| self.wake(actor));
    }
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) machine: &'a mut Machine,
    pub(super) plan: &'a Plan,
    pub(super) sequence: &'a Sequence,
    pub(super) ddr: &'a mut [DdrMemory],
}

impl Run<'_> {
    pub(super) fn execute(&mut self, team: &Team, kernels: &dyn Kernels) -> Result<Report, Fault> {
        self.machine.begin(self.ddr);
        loop {
            while let Some(actor) = self.machine.work.pop_front() {
                self.machine.queued[actor] = false;
                self.advance(actor)?;
            }
            if self.machine.ready.is_empty() {
                break;
            }
            self.compute(team, kernels)?;
        }
        self.at_rest()?;
        Ok(self.finish())
    }

    fn advance(&mut self, actor: Actor) -> Result<(), Fault> {
        let channels = self.plan.channels.len();
        match actor {
            PROCESSOR => self.advance_processor(),
            _ if actor <= channels => self.advance_channel(actor - 1),
            _ => self.advance_core(actor - 1 - channels),
        }
    }

    fn compute(&mut self, team: &Team, kernels: &dyn Kernels) -> Result<(), Fault> {
        let (machine, plan) = (&mut *self.machine, self.plan);
        machine.report.rounds += 1;
        let mut ready = std::mem::take(&mut machine.ready);
        let seats = &machine.seats;
        team.run(ready.len(), &|task, _| {
            let mut seat = lock(&seats[plan.cores[ready[task]].tile]);
            seat.compute(kernels);
        });
        for core in ready.drain(..) {
            let seat = machine.seats[plan.cores[core].tile].get_mut().unwrap_or_else(PoisonError::into_inner);
            if let (Some(reason), Some(kernel)) = (seat.call.refusal.take(), seat.call.kernel) {
                return Err(Fault::Refusal { kernel, core: plan.name(plan.core_actor(core)), reason });
            }
            machine.cores[core].calling = false;
            machine.wake(plan.core_actor(core));
        }
        machine.ready = ready;
        Ok(())
    }

    fn finish(&mut self) -> Report {
        let mut report = std::mem::take(&mut self.machine.report);
        report.launches = 1;
        report.cycles = self.machine.times.iter().copied().max().unwrap_or(0);
        report.seconds = report.cycles as f64 / self.machine.timing.cycles_per_second;
        report
    }

    /// Acquires a lock for an actor; false if it has to wait.
    pub(super) fn acquire(&mut self, actor: Actor, tile: usize, lock: LockUse) -> bool {
        let Machine { locks, clocks, times, .. } = &mut *self.machine;
        let Some(time_cycles) = locks[tile][lock.lock].acquire(lock.amount, |stamp| clocks.learn(actor, stamp)) else {
            return false;
        };
        let begin = times[actor];
        times[actor] = begin.max(time_cycles);
        self.note(actor, begin, time_cycles, Activity::Wait);
        true
    }

    /// Adds to the timeline what an actor did until a time.
    pub(super) fn note(&mut self, actor: Actor, begin_cycles: u64, end_cycles: u64, activity: Activity) {
        if end_cycles > begin_cycles
            && let Some(timeline) = &mut self.machine.timeline
        {
            let row = self.plan.row(actor);
            timeline.intervals.push(Interval { row, begin_cycles, end_cycles, activity });
        }
    }

    /// Releases a lock for an actor.
    pub(super) fn release(&mut self, actor: Actor, tile: usize, lock: LockUse) -> Result<(), Fault> {
        let Machine { locks, clocks, times, .. } = &mut *self.machine;
        let released = locks[tile][lock.lock].release(lock.amount, times[actor], clocks.stamp(actor));
        released.map_err(|value| Fault::LockOverflow {
            actor: self.plan.name(actor),
            lock: self.plan.lock_name(tile, lock.lock),
            value,
        })?;
        for waiter in &self.plan.tiles[tile].acquirers[lock.lock] {
            self.machine.wake(*waiter);
        }
        Ok(())
    }

    /// The message about a use that nothing orders after another.
    pub(super) fn overlap(&self, actor: Actor, writes: bool, memory: String, conflict: Conflict) -> Fault {
        let verb = |writes: bool| if writes { "writes" } else { "reads" };
        Fault::Overlap {
            actor: self.plan.name(actor),
            verb: verb(writes),
            memory,
            offset_bytes: conflict.offset_bytes,
            other: self.plan.name(conflict.actor),
            other_verb: verb(conflict.writes),
        }
    }
}

impl Seat {
    fn compute(&mut self, kernels: &dyn Kernels) {
        let Some(kernel) = self.call.kernel else { return };
        let memory = self.memory.tile_mut();
        if cfg!(debug_assertions) {
            for (range, signature) in self.call.operands.iter().zip(kernel.buffers()) {
                if signature.role == Role::Write {
                    memory[range.clone()].fill(POISON);
                }
            }
        }
        self.call.refusal = kernels.call(kernel, memory, &self.call.operands, &self.call.scalars).err();
    }
}
