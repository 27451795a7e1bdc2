//! What is kept for the streams that were heard last.

/// Streams of which something is kept. One more, and whoever was heard longest ago is forgotten.
pub const COUNT: usize = 4;

/// Something for each of [`COUNT`] streams, in places that are numbered from 0.
#[derive(Default)]
pub struct Recent<T> {
    places: [Place<T>; COUNT],
    /// Times that one was looked for.
    time: u64,
}

#[derive(Default)]
struct Place<T> {
    /// None if there was none yet.
    stream: Option<u64>,
    /// When it was looked for last.
    time: u64,
    kept: T,
}

impl<T: Default> Recent<T> {
    /// What is kept for a stream, with the number of its place; nothing if the stream was forgotten or never heard.
    pub fn of(&mut self, stream: u64) -> (usize, &mut T) {
        self.time += 1;
        let stream = Some(stream);
        let order = |index: &usize| (self.places[*index].stream != stream, self.places[*index].time);
        let index = (0..COUNT).min_by_key(order).unwrap_or(0);
        let place = &mut self.places[index];
        if place.stream != stream {
            *place = Place { stream, ..Place::default() };
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

    #[test]
    fn a_stream_keeps_its_place_and_the_one_heard_longest_ago_makes_room() {
        let mut recent = Recent::<bool>::default();
        let mut place = |stream| {
            let (index, is_known) = recent.of(stream);
            (index, std::mem::replace(is_known, true))
        };
        let first: Vec<_> = (10..10 + COUNT as u64).map(&mut place).collect();
        assert!(first.iter().all(|(_, is_known)| !is_known));
        assert_eq!(place(10), (first[0].0, true));
        assert_eq!(place(99), (first[1].0, false));
        assert_eq!(place(11), (first[2].0, false));
        assert_eq!(place(10), (first[0].0, true));
    }
}
