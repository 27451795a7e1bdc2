//! The command processor: it configures the shim, starts tasks and waits for their tokens.

use super::super::design::{Command, Direction, Place};
use super::super::target::SHIM_ROW;
use super::fault::Fault;
use super::machine::Run;
use super::plan::PROCESSOR;
use super::timeline::Activity;
use super::transfer::{ShimState, Task};

impl Run<'_> {
    pub(super) fn advance_processor(&mut self) -> Result<(), Fault> {
        let sequence = self.sequence;
        while let Some(command) = sequence.commands.get(self.machine.command) {
            if !self.command(command)? {
                return Ok(());
            }
            self.machine.command += 1;
            self.machine.report.commands += 1;
            self.machine.times[PROCESSOR] += self.machine.timing.command_cycles;
        }
        Ok(())
    }

    /// Executes a command; false if it has to wait.
    fn command(&mut self, command: &Command) -> Result<bool, Fault> {
        let index = self.machine.command;
        match command {
            Command::Configure { column, number, descriptor } => {
                let place = Place { column: *column, row: SHIM_ROW };
                let tile = self.plan.design.tiles.iter().position(|tile| tile.place == place);
                let missing = || Fault::Command { index, missing: format!("descriptor {number} of {place}") };
                let slot = tile.and_then(|tile| self.machine.shims[tile].get_mut(*number)).ok_or_else(missing)?;
                let product: usize = descriptor.dimensions.iter().map(|dimension| dimension.wrap as usize).product();
                let agrees = descriptor.dimensions.is_empty() || product == descriptor.length_words;
                if descriptor.buffer.0 >= self.ddr.len() || descriptor.length_words == 0 || !agrees {
                    let missing = format!(
                        "DDR buffer {} of {}, or {} words in a pattern of {product}",
                        descriptor.buffer.0,
                        self.ddr.len(),
                        descriptor.length_words
                    );
                    return Err(Fault::Command { index, missing });
                }
                *slot = Some(ShimState::new(descriptor));
            }
            Command::Start { column, direction, channel, number, repeat, token } => {
                let found = self.shim_channel(*column, *direction, *channel)?;
                let time_cycles = self.machine.times[PROCESSOR];
                let stamp = Some(self.machine.clocks.stamp(PROCESSOR));
                let task = Task { number: *number, repeat: *repeat, token: *token, time_cycles, stamp };
                let state = &mut self.machine.channels[found];
                state.tasks.push_back(task);
                state.promised += usize::from(*token);
                self.machine.wake(self.plan.channel_actor(found));
            }
            Command::Wait { column, direction, channel } => {
                let found = self.shim_channel(*column, *direction, *channel)?;
                let state = &mut self.machine.channels[found];
                let Some((time_cycles, stamp)) = state.tokens.pop_front() else {
                    if state.promised > 0 {
                        return Ok(false);
                    }
                    let channel = self.plan.name(self.plan.channel_actor(found));
                    return Err(Fault::Token { index, channel });
                };
                state.promised -= 1;
                self.machine.clocks.learn(PROCESSOR, stamp);
                let begin = self.machine.times[PROCESSOR];
                self.machine.times[PROCESSOR] = begin.max(time_cycles);
                self.note(PROCESSOR, begin, time_cycles, Activity::Wait);
                self.machine.report.waits += 1;
            }
        }
        Ok(true)
    }

    fn shim_channel(&self, column: usize, direction: Direction, number: usize) -> Result<usize, Fault> {
        let missing = || Fault::Command {
            index: self.machine.command,
            missing: format!("channel {direction:?} {number} of the shim of column {column}"),
        };
        self.plan.shim.get(&(column, direction, number)).copied().ok_or_else(missing)
    }

    /// Whether the sequence is over now that nothing moves; else who waits for what.
    pub(super) fn at_rest(&self) -> Result<(), Fault> {
        let machine = &*self.machine;
        let mut pending = machine.command < self.sequence.commands.len();
        let mut waits = Vec::new();
        if let Some(Command::Wait { column, direction, channel }) = self.sequence.commands.get(machine.command)
            && let Ok(channel) = self.shim_channel(*column, *direction, *channel)
        {
            let name = self.plan.name(self.plan.channel_actor(channel));
            waits.push(format!("command {} waits for a token of {name}", machine.command));
        }
        for (index, (planned, state)) in self.plan.channels.iter().zip(&machine.channels).enumerate() {
            pending |= state.task.is_some();
            let name = self.plan.name(self.plan.channel_actor(index));
            if state.active {
                let (source, ends) = &self.plan.flows[planned.flow];
                let idle = std::iter::once(source).chain(ends).filter(|other| !machine.channels[**other].active);
                let others: Vec<String> = idle.map(|other| self.plan.name(self.plan.channel_actor(*other))).collect();
                waits.push(format!(
                    "{name} has {} bytes left and waits for {}",
                    state.transfer.left_bytes,
                    others.join(", ")
                ));
            } else if planned.place.row != SHIM_ROW
                && let Some(lock) =
                    state.descriptor.and_then(|one| self.plan.tiles[planned.tile].descriptors[one].acquire)
            {
                waits.push(self.lock_wait(&name, planned.tile, lock.lock, lock.amount));
            }
        }
        for (index, (planned, state)) in self.plan.cores.iter().zip(&machine.cores).enumerate() {
            if let Some(lock) = state.awaited(&planned.code) {
                waits.push(self.lock_wait(&self.plan.name(self.plan.core_actor(index)), planned.tile, lock, 1));
            }
        }
        if pending { Err(Fault::Deadlock { waits }) } else { Ok(()) }
    }

    fn lock_wait(&self, name: &str, tile: usize, lock: usize, amount: i8) -> String {
        let value = self.machine.locks[tile][lock].value();
        format!("{name} waits for {amount} of {}, which is {value}", self.plan.lock_name(tile, lock))
    }
}
