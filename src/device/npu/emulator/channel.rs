//! Channels: a descriptor begins when its lock lets it, and ends with a release.

use std::sync::PoisonError;

use super::super::design::Direction;
use super::super::target::Kind;
use super::clocks::Actor;
use super::fault::Fault;
use super::ledger::{Conflict, Footprint, User};
use super::machine::{Machine, Run, Seat};
use super::plan::PROCESSOR;
use super::timeline::Activity;

impl Run<'_> {
    pub(super) fn advance_channel(&mut self, channel: usize) -> Result<(), Fault> {
        while self.machine.channels[channel].active || self.begin_transfer(channel)? {
            if !self.move_words(self.plan.channels[channel].flow)? {
                break;
            }
        }
        Ok(())
    }

    /// Starts the channel's next descriptor; false if there is none or its lock is not to be had.
    fn begin_transfer(&mut self, channel: usize) -> Result<bool, Fault> {
        let planned = &self.plan.channels[channel];
        let actor = self.plan.channel_actor(channel);
        let begun = if planned.place.kind() == Kind::Shim {
            self.begin_shim(channel, actor)?
        } else {
            self.begin_tile(channel, actor)
        };
        if begun && planned.direction == Direction::Out {
            self.enter_use(channel)?;
        }
        Ok(begun)
    }

    fn begin_tile(&mut self, channel: usize, actor: Actor) -> bool {
        let planned = &self.plan.channels[channel];
        let Some(position) = self.machine.channels[channel].descriptor else { return false };
        let descriptor = &self.plan.tiles[planned.tile].descriptors[position];
        if let Some(lock) = descriptor.acquire
            && !self.acquire(actor, planned.tile, lock)
        {
            return false;
        }
        self.machine.channels[channel].start(&descriptor.pattern, descriptor.start);
        true
    }

    fn begin_shim(&mut self, channel: usize, actor: Actor) -> Result<bool, Fault> {
        let tile = self.plan.channels[channel].tile;
        let Machine { channels, clocks, times, shims, timing, .. } = &mut *self.machine;
        let state = &mut channels[channel];
        if state.task.is_none() {
            let Some(mut task) = state.tasks.pop_front() else { return Ok(false) };
            task.stamp.take().into_iter().for_each(|stamp| clocks.learn(actor, stamp));
            times[actor] = times[actor].max(task.time_cycles) + timing.shim_start_cycles;
            state.descriptor = Some(task.number);
            let again = task.repeat.saturating_sub(1);
            state.task = Some((task, again));
        }
        let number = state.descriptor.unwrap_or(usize::MAX);
        let Some(shim) = shims[tile].get_mut(number).and_then(Option::as_mut) else {
            let missing = format!("{} has no descriptor {number}", self.plan.name(actor));
            return Err(Fault::Design { reason: missing });
        };
        let start = shim.begin();
        let bytes = self.ddr.get(shim.buffer).map_or(0, |memory| memory.bytes().len());
        let end_bytes = start + shim.pattern.span_bytes() as u64;
        if end_bytes > bytes as u64 || start % 4 != 0 {
            let memory = format!("DDR buffer {}", shim.buffer);
            return Err(Fault::Address { actor: self.plan.name(actor), memory, end_bytes, bytes });
        }
        state.start(&shim.pattern, start as usize);
        Ok(true)
    }

    /// Enters what the channel's transfer is going to use.
    pub(super) fn enter_use(&mut self, channel: usize) -> Result<(), Fault> {
        let planned = &self.plan.channels[channel];
        let actor = self.plan.channel_actor(channel);
        let writes = planned.direction == Direction::In;
        let Machine { channels, clocks, shims, ledgers, ddr_ledgers, .. } = &mut *self.machine;
        let user = User { actor, work: clocks.current(actor), knows: clocks.of(actor), writes };
        let state = &channels[channel];
        let position = state.descriptor.unwrap_or(0);
        let result = match shims[planned.tile].get(position).and_then(Option::as_ref) {
            Some(shim) if shim.pattern.is_contiguous() => {
                let start = state.transfer.offset_bytes;
                ddr_ledgers[shim.buffer].enter_range(start..start + shim.pattern.bytes, user)
            }
            Some(shim) => {
                ddr_ledgers[shim.buffer].enter(&Footprint::of_pattern(&shim.pattern, state.transfer.offset_bytes), user)
            }
            None => {
                let descriptor = &self.plan.tiles[planned.tile].descriptors[position];
                ledgers[planned.tile][descriptor.buffer].enter(&descriptor.footprint, user)
            }
        };
        result.map_err(|conflict: Conflict| self.overlap(actor, writes, self.transfer_memory(channel), conflict))
    }

    /// Name of the buffer of the channel's descriptor.
    pub(super) fn transfer_memory(&self, channel: usize) -> String {
        let planned = &self.plan.channels[channel];
        let position = self.machine.channels[channel].descriptor.unwrap_or(0);
        match self.machine.shims[planned.tile].get(position).and_then(Option::as_ref) {
            Some(shim) => format!("DDR buffer {}", shim.buffer),
            None => self.plan.buffer_name(planned.tile, self.plan.tiles[planned.tile].descriptors[position].buffer),
        }
    }

    /// The last word was moved.
    pub(super) fn end_transfer(&mut self, channel: usize) -> Result<(), Fault> {
        let planned = &self.plan.channels[channel];
        let actor = self.plan.channel_actor(channel);
        let begin = self.machine.channels[channel].transfer.begin_cycles.unwrap_or(0);
        self.note(actor, begin, self.machine.times[actor], Activity::Transfer);
        let state = &mut self.machine.channels[channel];
        state.active = false;
        let position = state.descriptor.unwrap_or(0);
        if planned.place.kind() == Kind::Shim {
            self.end_shim(channel, actor);
        } else {
            let descriptor = &self.plan.tiles[planned.tile].descriptors[position];
            state.descriptor = descriptor.next;
            if let Some(lock) = descriptor.release {
                self.release(actor, planned.tile, lock)?;
            }
        }
        self.machine.wake(actor);
        Ok(())
    }

    fn end_shim(&mut self, channel: usize, actor: Actor) {
        let tile = self.plan.channels[channel].tile;
        let Machine { channels, clocks, times, shims, .. } = &mut *self.machine;
        let state = &mut channels[channel];
        let number = state.descriptor.unwrap_or(0);
        state.descriptor = shims[tile][number].as_ref().and_then(|shim| shim.next);
        let Some((task, again)) = &mut state.task else { return };
        if state.descriptor.is_some() {
            return;
        }
        if *again > 0 {
            *again -= 1;
            state.descriptor = Some(task.number);
            return;
        }
        if task.token {
            state.tokens.push_back((times[actor], clocks.stamp(actor)));
        }
        state.task = None;
        self.machine.wake(PROCESSOR);
    }

    /// A tile's memory, while no kernel runs.
    pub(super) fn seat(&mut self, tile: usize) -> &mut Seat {
        self.machine.seats[tile].get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
