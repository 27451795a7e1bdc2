//! What is kept for the streams that were heard last.

use std::sync::{Arc, Weak};

/// Streams of which something is kept. One more, and whoever was heard longest ago is forgotten.
pub const COUNT: usize = 8;

/// Who something is kept for. Clones are the same; what is kept for one that is gone, with all clones, makes room first.
#[derive(Clone, Debug, Default)]
pub struct Owner(Arc<()>);

/// Something for each of [`COUNT`] owners, in places that are numbered from 0.
#[derive(Default)]
pub struct Recent<T> {
    places: [Place<T>; COUNT],
    /// Times that one was looked for.
    time: u64,
}

#[derive(Default)]
struct Place<T> {
    owner: Weak<()>,
    /// When it was looked for last; 0 if it never was.
    time: u64,
    kept: T,
}

impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Owner {}

impl<T> Recent<T> {
    /// What is kept for an owner, with the number of its place; if it was forgotten or never known, what `forget` leaves of another's. A
    /// place that has been used, and with it its memory, is used again before another is.
    pub fn of(&mut self, owner: &Owner, forget: impl FnOnce(&mut T)) -> (usize, &mut T) {
        self.time += 1;
        let owner = Arc::downgrade(&owner.0);
        let order = |index: &usize| {
            let place = &self.places[*index];
            (!place.owner.ptr_eq(&owner), place.owner.strong_count() > 0, place.time == 0, place.time)
        };
        let index = (0..COUNT).min_by_key(order).unwrap_or(0);
        let place = &mut self.places[index];
        if !place.owner.ptr_eq(&owner) {
            place.owner = owner;
            forget(&mut place.kept);
        }
        place.time = self.time;
        (index, &mut place.kept)
    }

    /// What is kept in a place.
    pub fn at(&self, place: usize) -> &T {
        &self.places[place].kept
    }

    /// The same, to be changed.
    pub fn at_mut(&mut self, place: usize) -> &mut T {
        &mut self.places[place].kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(recent: &mut Recent<bool>, owner: &Owner) -> (usize, bool) {
        let (index, is_known) = recent.of(owner, |is_known| *is_known = false);
        (index, std::mem::replace(is_known, true))
    }

    #[test]
    fn an_owner_keeps_its_place_and_the_one_looked_for_longest_ago_makes_room() {
        let mut recent = Recent::default();
        let owners: [Owner; COUNT + 1] = Default::default();
        let (last, first) = owners.split_last().unwrap();
        let places: Vec<_> = first.iter().map(|owner| place(&mut recent, owner)).collect();
        assert!(places.iter().all(|(_, is_known)| !is_known));
        assert_eq!(place(&mut recent, &owners[0].clone()), (places[0].0, true));
        assert_eq!(place(&mut recent, last), (places[1].0, false));
        assert_eq!(place(&mut recent, &owners[1]), (places[2].0, false));
        assert_eq!(place(&mut recent, &owners[0]), (places[0].0, true));
    }

    #[test]
    fn who_follows_on_one_that_is_gone_has_its_place_and_knows_nothing_of_it() {
        let mut recent = Recent::default();
        let other = Owner::default();
        let (other_place, _) = place(&mut recent, &other);
        let first = place(&mut recent, &Owner::default());
        for _ in 0..2 * COUNT {
            assert_eq!(place(&mut recent, &Owner::default()), first);
        }
        assert_eq!(place(&mut recent, &other), (other_place, true));
    }
}
