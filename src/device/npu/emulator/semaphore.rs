//! A lock with the time and the knowledge that each of its units was released with.

use std::collections::VecDeque;

use super::super::target::LOCK_VALUE;
use super::clocks::Stamp;

/// A lock of a tile.
#[derive(Debug, Default)]
pub(super) struct Semaphore {
    value: i32,
    units: VecDeque<Units>,
}

#[derive(Debug)]
struct Units {
    amount: i32,
    time_cycles: u64,
    stamp: Option<Stamp>,
}

impl Semaphore {
    pub(super) fn new(initial: i8) -> Self {
        let value = i32::from(initial);
        Self { value, units: VecDeque::from([Units { amount: value, time_cycles: 0, stamp: None }]) }
    }

    pub(super) fn value(&self) -> i32 {
        self.value
    }

    /// Takes units in the order of their releases, so that the result does not depend on when it is tried: the time when the
    /// last of them was there. None if there are too few.
    pub(super) fn acquire(&mut self, amount: i8, mut learn: impl FnMut(Stamp)) -> Option<u64> {
        let mut missing = i32::from(amount);
        if self.value < missing {
            return None;
        }
        self.value -= missing;
        let mut time_cycles = 0;
        while missing > 0 {
            let units = self.units.front_mut()?;
            time_cycles = time_cycles.max(units.time_cycles);
            let some = missing.min(units.amount);
            missing -= some;
            units.amount -= some;
            // What is left of a release is taken by the same acquirer, who then knows it already.
            units.stamp.take().into_iter().for_each(&mut learn);
            if units.amount == 0 {
                self.units.pop_front();
            }
        }
        Some(time_cycles)
    }

    /// Adds units. Error: the value that the lock would have, which is beyond its register.
    pub(super) fn release(&mut self, amount: i8, time_cycles: u64, stamp: Stamp) -> Result<(), i32> {
        let value = self.value + i32::from(amount);
        if value > i32::from(LOCK_VALUE) {
            return Err(value);
        }
        self.value = value;
        self.units.push_back(Units { amount: i32::from(amount), time_cycles, stamp: Some(stamp) });
        Ok(())
    }

    /// Forgets times: a new run begins.
    pub(super) fn rest(&mut self) {
        self.units.iter_mut().for_each(|units| units.time_cycles = 0);
    }
}
