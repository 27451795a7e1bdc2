//! What each actor knows to be over, whatever the speed of the others.
//!
//! Vector clocks after Mattern, "Virtual Time and Global States of Distributed Systems" (1989): entry *b* of actor *a*'s clock
//! is the number of *b*'s last piece of work whose end *a* has learnt of, by a lock, a stream or a token.

/// Position of something that acts by itself: the command processor, a channel or a core.
pub(super) type Actor = usize;

/// A clock that a release left for the acquire that it makes possible.
pub(super) type Stamp = Box<[u32]>;

/// The clocks of all actors.
#[derive(Debug)]
pub(super) struct Clocks {
    rows: Vec<Stamp>,
    spare: Vec<Stamp>,
}

impl Clocks {
    pub(super) fn new(actors: usize) -> Self {
        Self { rows: (0..actors).map(|_| vec![0; actors].into()).collect(), spare: Vec::new() }
    }

    /// What an actor knows.
    pub(super) fn of(&self, actor: Actor) -> &[u32] {
        &self.rows[actor]
    }

    /// Number of the piece of work that the actor is at.
    pub(super) fn current(&self, actor: Actor) -> u32 {
        self.rows[actor][actor] + 1
    }

    /// The piece of work is over: who hears from the actor from now on knows it.
    pub(super) fn finish(&mut self, actor: Actor) {
        self.rows[actor][actor] += 1;
    }

    /// What the actor knows now, to be left somewhere.
    pub(super) fn stamp(&mut self, actor: Actor) -> Stamp {
        let mut stamp = self.spare.pop().unwrap_or_else(|| vec![0; self.rows.len()].into());
        stamp.copy_from_slice(&self.rows[actor]);
        stamp
    }

    /// The actor learns what was left.
    pub(super) fn learn(&mut self, actor: Actor, stamp: Stamp) {
        merge(&mut self.rows[actor], &stamp);
        self.spare.push(stamp);
    }

    /// The actor learns what another one knows now.
    pub(super) fn hear(&mut self, actor: Actor, from: Actor) {
        if let Ok([row, other]) = self.rows.get_disjoint_mut([actor, from]) {
            merge(row, other);
        }
    }

    /// All learn what any of them knows: the host has seen the end of a run.
    pub(super) fn join(&mut self) {
        let mut all = vec![0; self.rows.len()];
        self.rows.iter().for_each(|row| merge(&mut all, row));
        self.rows.iter_mut().for_each(|row| row.copy_from_slice(&all));
    }
}

fn merge(row: &mut [u32], other: &[u32]) {
    row.iter_mut().zip(other).for_each(|(mine, other)| *mine = (*mine).max(*other));
}
