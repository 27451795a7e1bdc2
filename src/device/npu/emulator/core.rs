//! Cores: they take and give buffers, and come to kernels.

use std::ops::Range;

use super::super::design::{LockUse, Operand, Scalar};
use super::clocks::Actor;
use super::code::{Code, Step};
use super::cost;
use super::extent::Extent;
use super::fault::Fault;
use super::ledger::User;
use super::machine::{Machine, Run};
use super::memory::Words;
use super::plan::PlannedCore;
use super::timeline::Activity;

/// Steps that a core may take without waiting for a buffer.
const PATIENCE_STEPS: u64 = 1 << 24;

/// Where a core stands.
#[derive(Debug)]
pub(super) struct CoreState {
    step: usize,
    /// Count and number of times of the loops around it, the outermost first.
    loops: Vec<(i32, i32)>,
    rings: Vec<RingState>,
    /// Steps since it last took a buffer.
    idle_steps: u64,
    took: bool,
    /// Its kernel is not computed yet.
    pub(super) calling: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct RingState {
    position: usize,
    held: bool,
}

impl CoreState {
    pub(super) fn new(code: &Code) -> Self {
        let rings = vec![RingState::default(); code.rings.len()];
        Self { step: 0, loops: Vec::new(), rings, idle_steps: 0, took: false, calling: false }
    }

    /// The lock that the core would acquire next, if that is its next step.
    pub(super) fn awaited(&self, code: &Code) -> Option<usize> {
        match code.steps.get(self.step) {
            Some(Step::Take(ring)) => Some(code.rings[*ring].take),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Goes on to the next kernel, or to where the core has to wait.
    pub(super) fn advance_core(&mut self, core: usize) -> Result<(), Fault> {
        let planned = &self.plan.cores[core];
        let actor = self.plan.core_actor(core);
        while !self.machine.cores[core].calling {
            let state = &mut self.machine.cores[core];
            if state.step == planned.code.steps.len() {
                state.step = 0;
                if !std::mem::replace(&mut state.took, false) {
                    return Err(Fault::Spin { core: self.plan.name(actor) });
                }
            }
            state.idle_steps += 1;
            if state.idle_steps > PATIENCE_STEPS {
                return Err(Fault::Spin { core: self.plan.name(actor) });
            }
            let step = state.step;
            let next = match &planned.code.steps[step] {
                Step::Take(ring) => {
                    if !self.take(core, actor, *ring)? {
                        return Ok(());
                    }
                    step + 1
                }
                Step::Give(ring) => {
                    self.give(core, actor, *ring)?;
                    step + 1
                }
                Step::Call(call) => {
                    self.prepare_call(core, actor, *call)?;
                    self.machine.cores[core].calling = true;
                    self.machine.ready.push(core);
                    step + 1
                }
                Step::Repeat { times, end } => {
                    let times = self.scalar(core, actor, *times)?;
                    if times > 0 {
                        self.machine.cores[core].loops.push((0, times));
                        step + 1
                    } else {
                        *end
                    }
                }
                Step::Again { body } => {
                    let loops = &mut self.machine.cores[core].loops;
                    match loops.last_mut() {
                        Some((count, times)) if *count + 1 < *times => {
                            *count += 1;
                            *body
                        }
                        _ => {
                            loops.pop();
                            step + 1
                        }
                    }
                }
                Step::Select { case, cases } => {
                    let case = self.scalar(core, actor, *case)?;
                    let start = usize::try_from(case).ok().and_then(|case| cases.get(case));
                    let fault = || Fault::Case { core: self.plan.name(actor), case, cases: cases.len() };
                    *start.ok_or_else(fault)?
                }
                Step::Go(step) => *step,
            };
            self.machine.cores[core].step = next;
        }
        Ok(())
    }

    fn take(&mut self, core: usize, actor: Actor, ring: usize) -> Result<bool, Fault> {
        let planned = &self.plan.cores[core];
        if self.machine.cores[core].rings[ring].held {
            return Err(self.ring_fault(core, "takes once more of", ring));
        }
        let lock = LockUse { lock: planned.code.rings[ring].take, amount: 1 };
        if !self.acquire(actor, planned.tile, lock) {
            return Ok(false);
        }
        let state = &mut self.machine.cores[core];
        state.rings[ring].held = true;
        state.took = true;
        state.idle_steps = 0;
        Ok(true)
    }

    fn give(&mut self, core: usize, actor: Actor, ring: usize) -> Result<(), Fault> {
        let planned = &self.plan.cores[core];
        let state = &mut self.machine.cores[core].rings[ring];
        if !state.held {
            return Err(self.ring_fault(core, "gives", ring));
        }
        state.held = false;
        state.position = (state.position + 1) % planned.code.rings[ring].buffers.len();
        self.machine.clocks.finish(actor);
        self.release(actor, planned.tile, LockUse { lock: planned.code.rings[ring].give, amount: 1 })
    }

    fn ring_fault(&self, core: usize, verb: &'static str, ring: usize) -> Fault {
        let held = usize::from(self.machine.cores[core].rings[ring].held);
        let planned = &self.plan.cores[core];
        Fault::Ring {
            core: self.plan.name(self.plan.core_actor(core)),
            verb,
            ring: planned.code.rings[ring].name,
            held,
        }
    }

    fn scalar(&mut self, core: usize, actor: Actor, scalar: Scalar) -> Result<i32, Fault> {
        match scalar {
            Scalar::Constant(value) => Ok(value),
            Scalar::Loop(depth) => {
                let loops = &self.machine.cores[core].loops;
                let value = loops.iter().rev().nth(depth).map(|(count, _)| *count);
                let reason = || format!("{} has no loop {depth} around a step", self.plan.name(actor));
                value.ok_or_else(|| Fault::Design { reason: reason() })
            }
            Scalar::Sum { parameter, depth } => {
                let first = self.scalar(core, actor, Scalar::Parameter(parameter))?;
                Ok(first.wrapping_add(self.scalar(core, actor, Scalar::Loop(depth))?))
            }
            Scalar::Parameter(word) => {
                let planned = &self.plan.cores[core];
                self.enter_operand(planned, actor, planned.code.parameters, word * 4, &Extent::reading(0..4))?;
                let tile = &self.plan.design.tiles[planned.tile];
                let start = tile.buffers[planned.code.parameters].address + word * 4;
                let mut bytes = [0; 4];
                bytes.copy_from_slice(&self.seat(planned.tile).memory.bytes()[start..start + 4]);
                Ok(i32::from_le_bytes(bytes))
            }
        }
    }

    fn prepare_call(&mut self, core: usize, actor: Actor, call: usize) -> Result<(), Fault> {
        let planned = &self.plan.cores[core];
        let call = &planned.code.calls[call];
        let mut pending = std::mem::take(&mut self.seat(planned.tile).call);
        pending.kernel = Some(call.kernel);
        pending.scalars.clear();
        for scalar in &call.scalars {
            pending.scalars.push(self.scalar(core, actor, *scalar)?);
        }
        pending.operands.clear();
        for (operand, signature) in call.operands.iter().zip(call.kernel.buffers()) {
            let (buffer, offset) = match *operand {
                Operand::Buffer { buffer, offset_bytes } => (buffer, offset_bytes),
                Operand::Ring(ring) => {
                    let RingState { position, held } = self.machine.cores[core].rings[ring];
                    if !held {
                        return Err(self.ring_fault(core, "uses", ring));
                    }
                    (planned.code.rings[ring].buffers[position], 0)
                }
            };
            let extent = Extent::of(call.kernel, signature, &pending.scalars);
            self.enter_operand(planned, actor, buffer, offset, &extent)?;
            let start = self.plan.design.tiles[planned.tile].buffers[buffer].address + offset;
            pending.operands.push(start..start + signature.bytes);
        }
        let cycles = (self.machine.timing.kernel_cycles)(call.kernel, &pending.scalars);
        let multiplications = cost::multiplications(call.kernel, &pending.scalars);
        self.seat(planned.tile).call = pending;
        let begin = self.machine.times[actor];
        self.machine.times[actor] = begin + cycles;
        self.note(actor, begin, begin + cycles, Activity::Call(call.kernel));
        let report = &mut self.machine.report;
        *report.busy_cycles.entry(planned.place).or_default() += cycles;
        let total = report.kernels.entry(call.kernel.name()).or_default();
        total.calls += 1;
        total.cycles += cycles;
        total.multiplications += multiplications;
        Ok(())
    }

    /// Checks a core's use of part of a buffer, and counts what it writes as written.
    fn enter_operand(
        &mut self,
        planned: &PlannedCore,
        actor: Actor,
        buffer: usize,
        offset: usize,
        extent: &Extent,
    ) -> Result<(), Fault> {
        let plan = self.plan;
        let shift = |range: &Range<usize>, by: usize| range.start + by..range.end + by;
        let Machine { clocks, ledgers, .. } = &mut *self.machine;
        let ledger = &mut ledgers[planned.tile][buffer];
        // A range that is read and written is entered as written.
        let uses = extent.reads.iter().filter(|range| **range != extent.writes).map(|range| (range, false));
        for (range, writes) in uses.chain([(&extent.writes, true)]) {
            let user = User { actor, work: clocks.current(actor), knows: clocks.of(actor), writes };
            if let Err(conflict) = ledger.enter_range(shift(range, offset), user) {
                return Err(self.overlap(actor, writes, plan.buffer_name(planned.tile, buffer), conflict));
            }
        }
        let start = plan.design.tiles[planned.tile].buffers[buffer].address;
        let memory = &mut self.seat(planned.tile).memory;
        for range in &extent.reads {
            if let Err(address) = memory.check(shift(range, start + offset)) {
                let memory = plan.buffer_name(planned.tile, buffer);
                return Err(Fault::Unwritten { reader: plan.name(actor), memory, offset_bytes: address - start });
            }
        }
        memory.mark(shift(&extent.writes, start + offset));
        Ok(())
    }
}
