//! Locks: what their registers hold, and who uses them.
//!
//! With one acquirer and one releaser for each lock, and streams of one source, the array is a network of processes that
//! only wait for each other's output (Kahn, "The Semantics of a Simple Language for Parallel Programming", 1974): whatever
//! their speed, the results are the same.

use std::collections::BTreeSet;

use super::super::design::{LockUse, Tile};
use super::super::target::LOCK_VALUE;
use super::{Violation, chain, channel_name};

pub(super) fn check(tile: &Tile, violations: &mut Vec<Violation>) {
    let place = tile.place;
    let (count, limit) = (tile.locks.len(), place.kind().limits().locks);
    if count > limit {
        violations.push(Violation::LockCount { place, count, limit });
    }
    for (index, lock) in tile.locks.iter().enumerate() {
        if !(0..=LOCK_VALUE).contains(&lock.initial) {
            violations.push(Violation::LockInitial { place, lock: lock.name.clone(), initial: lock.initial });
        }
        if tile.locks[..index].iter().any(|other| other.name == lock.name) {
            violations.push(Violation::NameTwice { place, name: lock.name.clone() });
        }
    }
    for descriptor in &tile.descriptors {
        let user = || format!("descriptor {}", descriptor.number);
        for LockUse { lock, amount } in [descriptor.acquire, descriptor.release].into_iter().flatten() {
            if lock >= count {
                violations.push(Violation::LockMissing { place, user: user(), lock, count });
            }
            if !(0..=LOCK_VALUE).contains(&amount) {
                violations.push(Violation::LockAmount { place, user: user(), amount });
            }
        }
    }
    for ring in tile.core.iter().flat_map(|core| &core.rings) {
        for lock in [ring.take, ring.give].into_iter().filter(|lock| *lock >= count) {
            violations.push(Violation::LockMissing { place, user: format!("ring {}", ring.name), lock, count });
        }
    }
    check_users(tile, violations);
}

fn check_users(tile: &Tile, violations: &mut Vec<Violation>) {
    let mut acquirers = vec![BTreeSet::new(); tile.locks.len()];
    let mut releasers = acquirers.clone();
    let add = |users: &mut Vec<BTreeSet<String>>, lock: usize, user: &str| {
        if let Some(users) = users.get_mut(lock) {
            users.insert(user.to_owned());
        }
    };
    for channel in &tile.channels {
        let name = channel_name(channel.direction, channel.number);
        for descriptor in chain(tile, channel.first).into_iter().map(|index| &tile.descriptors[index]) {
            descriptor.acquire.iter().for_each(|one| add(&mut acquirers, one.lock, &name));
            descriptor.release.iter().for_each(|one| add(&mut releasers, one.lock, &name));
        }
    }
    for ring in tile.core.iter().flat_map(|core| &core.rings) {
        add(&mut acquirers, ring.take, "the core");
        add(&mut releasers, ring.give, "the core");
    }
    let place = tile.place;
    for (lock, (acquirers, releasers)) in tile.locks.iter().zip(acquirers.into_iter().zip(releasers)) {
        if acquirers.len() > 1 {
            let users = acquirers.into_iter().collect();
            violations.push(Violation::LockAcquirers { place, lock: lock.name.clone(), users });
        }
        if releasers.len() > 1 {
            let users = releasers.into_iter().collect();
            violations.push(Violation::LockReleasers { place, lock: lock.name.clone(), users });
        }
    }
}
