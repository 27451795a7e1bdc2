//! What is kept of windows that grow, for a few streams.

/// Streams of which something is kept. One more, and whoever was heard longest ago is forgotten.
const COUNT: usize = 4;
/// States so near the end of what was heard change with what follows: 200 positions, 4 s.
const UNSETTLED_POSITIONS: usize = 200;

/// One lane for each stream.
#[derive(Default)]
pub struct Lanes {
    lanes: [Lane; COUNT],
    /// Windows so far.
    time: u64,
}

/// A stream's last window.
#[derive(Default)]
pub struct Lane {
    /// None if there was none yet.
    stream: Option<u64>,
    /// When it was looked for last.
    time: u64,
    /// What was heard of it (2·positions, bins), whose keys and values the device keeps.
    pub mel: Vec<f32>,
    /// (positions, width).
    pub states: Vec<f32>,
}

impl Lanes {
    /// Lanes.
    pub fn count(&self) -> usize {
        self.lanes.len()
    }

    /// The lane of a stream, with its index.
    pub fn of(&mut self, stream: u64) -> (usize, &mut Lane) {
        self.time += 1;
        let stream = Some(stream);
        let order = |index: &usize| (self.lanes[*index].stream != stream, self.lanes[*index].time);
        let index = (0..COUNT).min_by_key(order).unwrap_or(0);
        let lane = &mut self.lanes[index];
        if lane.stream != stream {
            lane.mel.clear();
        }
        (lane.stream, lane.time) = (stream, self.time);
        (index, lane)
    }
}

impl Lane {
    /// How many positions of a window, each so many numbers of its spectrogram, are as they were and stay as they are.
    pub fn settled(&self, mel: &[f32], position: usize) -> usize {
        let [before, now] = [&self.mel[..], mel].map(|mel| mel.len() / position);
        let settled = before.saturating_sub(UNSETTLED_POSITIONS).min(now.saturating_sub(1));
        if mel.starts_with(&self.mel[..settled * position]) { settled } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_its_lane_and_the_one_heard_longest_ago_makes_room() {
        let mut lanes = Lanes::default();
        let mut index = |stream| {
            let (index, lane) = lanes.of(stream);
            let is_new = lane.mel.is_empty();
            lane.mel = vec![1.0];
            (index, is_new)
        };
        let first: Vec<_> = (10..10 + COUNT as u64).map(&mut index).collect();
        assert!(first.iter().all(|(_, is_new)| *is_new));
        assert_eq!(index(10), (first[0].0, false));
        assert_eq!(index(99), (first[1].0, true));
        assert_eq!(index(11), (first[2].0, true));
        assert_eq!(index(10), (first[0].0, false));
    }

    #[test]
    fn what_is_near_the_end_or_was_heard_otherwise_is_encoded_again() {
        let heard = vec![0.5; 2 * 300];
        let lane = Lane { mel: heard.clone(), ..Lane::default() };
        let mut longer = [heard, vec![0.1; 2 * 50]].concat();
        longer[2 * 299] = 0.6;
        for end in [350, 299] {
            assert_eq!(lane.settled(&longer[..2 * end], 2), 300 - UNSETTLED_POSITIONS);
        }
        assert_eq!(lane.settled(&longer[..2 * 60], 2), 59, "something is to be encoded");
        longer[2 * 99] = 0.6;
        assert_eq!(lane.settled(&longer, 2), 0);
        assert_eq!(Lane { mel: vec![0.1; 2 * 20], ..Lane::default() }.settled(&[0.1; 100], 2), 0);
    }
}
