//! Streams: words move while the source and all destinations have a transfer under way.

use std::sync::PoisonError;

use super::super::design::Direction;
use super::super::target::{Kind, WORD_BYTES};
use super::fault::Fault;
use super::machine::{Machine, Run};
use super::memory::{DdrMemory, Words};
use super::plan::{Plan, PlannedChannel};

/// Bytes that are copied at a time, so that they stay in the processor's first cache.
const CHUNK_BYTES: usize = 8192;

impl Run<'_> {
    /// Moves as many words as all ends of the stream have left; false if one of them is not ready.
    pub(super) fn move_words(&mut self, flow: usize) -> Result<bool, Fault> {
        let plan = self.plan;
        let (source, destinations) = &plan.flows[flow];
        let channels = &self.machine.channels;
        if !channels[*source].active || !destinations.iter().all(|channel| channels[*channel].active) {
            return Ok(false);
        }
        let ends = || std::iter::once(*source).chain(destinations.iter().copied());
        let bytes = ends().map(|channel| channels[channel].transfer.left_bytes).min().unwrap_or(0);
        self.keep_time(*source, destinations, bytes);
        if bytes == channels_left(self.machine, *source) {
            self.machine.clocks.finish(plan.channel_actor(*source));
        }
        for &channel in destinations {
            self.machine.clocks.hear(plan.channel_actor(channel), plan.channel_actor(*source));
            let transfer = &self.machine.channels[channel].transfer;
            if transfer.left_bytes == transfer.total_bytes {
                self.enter_use(channel)?;
            }
        }
        self.copy(*source, destinations, bytes)?;
        self.machine.report.stream_bytes += bytes as u64;
        for channel in ends() {
            let transfer = &mut self.machine.channels[channel].transfer;
            transfer.left_bytes -= bytes;
            if transfer.left_bytes == 0 {
                if channel != *source {
                    self.machine.clocks.finish(plan.channel_actor(channel));
                }
                self.end_transfer(channel)?;
            }
        }
        Ok(true)
    }

    /// A word a cycle from the time on when all ends are ready; from and to DDR slower if others use it too.
    fn keep_time(&mut self, source: usize, destinations: &[usize], bytes: usize) {
        let plan = self.plan;
        let machine = &mut *self.machine;
        let ends = || std::iter::once(source).chain(destinations.iter().copied());
        let begin = ends().map(|channel| machine.times[plan.channel_actor(channel)]).max().unwrap_or(0);
        let mut end = begin + (bytes / WORD_BYTES) as u64;
        for channel in ends() {
            let planned = &plan.channels[channel];
            if planned.place.kind() == Kind::Shim {
                let (book, counter) = match planned.direction {
                    Direction::Out => (&mut machine.reads, &mut machine.report.ddr_read_bytes),
                    Direction::In => (&mut machine.writes, &mut machine.report.ddr_write_bytes),
                };
                *counter += bytes as u64;
                end = end.max(book.take(begin, bytes));
                let key = (planned.place.column, planned.direction, planned.number);
                let total = machine.report.channels.entry(key).or_default();
                total.bytes += bytes as u64;
                total.cycles += end - begin;
            }
        }
        for channel in ends() {
            machine.times[plan.channel_actor(channel)] = end;
            machine.channels[channel].transfer.begin_cycles.get_or_insert(begin);
        }
    }

    fn copy(&mut self, source: usize, destinations: &[usize], bytes: usize) -> Result<(), Fault> {
        let mut scratch = std::mem::take(&mut self.machine.scratch);
        scratch.resize(CHUNK_BYTES, 0);
        let mut left = bytes;
        while left > 0 {
            let chunk = &mut scratch[..left.min(CHUNK_BYTES)];
            left -= chunk.len();
            if let Err(address) = gather(self.plan, self.machine, self.ddr, source, chunk) {
                return Err(self.unwritten(source, address));
            }
            for &channel in destinations {
                scatter(self.plan, self.machine, self.ddr, channel, chunk);
            }
        }
        self.machine.scratch = scratch;
        Ok(())
    }

    fn unwritten(&self, channel: usize, address: usize) -> Fault {
        let planned = &self.plan.channels[channel];
        let position = self.machine.channels[channel].descriptor.unwrap_or(0);
        let tile = &self.plan.design.tiles[planned.tile];
        let start = match self.plan.tiles[planned.tile].descriptors.get(position) {
            Some(descriptor) if planned.place.kind() != Kind::Shim => tile.buffers[descriptor.buffer].address,
            _ => 0,
        };
        Fault::Unwritten {
            reader: self.plan.name(self.plan.channel_actor(channel)),
            memory: self.transfer_memory(channel),
            offset_bytes: address - start,
        }
    }
}

fn channels_left(machine: &Machine, channel: usize) -> usize {
    machine.channels[channel].transfer.left_bytes
}

/// Reads the channel's next words. Error: the address of one that was never written.
fn gather(
    plan: &Plan,
    machine: &mut Machine,
    ddr: &[DdrMemory],
    channel: usize,
    chunk: &mut [u8],
) -> Result<(), usize> {
    let PlannedChannel { tile, place, .. } = plan.channels[channel];
    let state = &mut machine.channels[channel];
    let position = state.descriptor.unwrap_or(0);
    let (cursor, bytes) = (&mut state.transfer.cursor, chunk.len());
    if place.kind() == Kind::Shim {
        let Some(shim) = &machine.shims[tile][position] else { return Ok(()) };
        let memory = &ddr[shim.buffer];
        return shim.pattern.advance(cursor, bytes, |address, range| memory.read(address, &mut chunk[range]));
    }
    let memory = &machine.seats[tile].get_mut().unwrap_or_else(PoisonError::into_inner).memory;
    let pattern = &plan.tiles[tile].descriptors[position].pattern;
    pattern.advance(cursor, bytes, |address, range| memory.read(address, &mut chunk[range]))
}

/// Writes the channel's next words.
fn scatter(plan: &Plan, machine: &mut Machine, ddr: &mut [DdrMemory], channel: usize, chunk: &[u8]) {
    let PlannedChannel { tile, place, .. } = plan.channels[channel];
    let state = &mut machine.channels[channel];
    let position = state.descriptor.unwrap_or(0);
    let (cursor, bytes) = (&mut state.transfer.cursor, chunk.len());
    let result: Result<(), std::convert::Infallible> = if place.kind() == Kind::Shim {
        let Some(shim) = &machine.shims[tile][position] else { return };
        let memory = &mut ddr[shim.buffer];
        shim.pattern.advance(cursor, bytes, |address, range| {
            memory.write(address, &chunk[range]);
            Ok(())
        })
    } else {
        let memory = &mut machine.seats[tile].get_mut().unwrap_or_else(PoisonError::into_inner).memory;
        plan.tiles[tile].descriptors[position].pattern.advance(cursor, bytes, |address, range| {
            memory.write(address, &chunk[range]);
            Ok(())
        })
    };
    match result {
        Ok(()) => {}
    }
}
