//! What is kept of a window that grows.

/// States so near the end of what was heard change with what follows: 200 positions, 4 s.
const UNSETTLED_POSITIONS: usize = 200;

/// A stream's last window.
#[derive(Default)]
pub struct Lane {
    /// What was heard of it (2·positions, bins), whose keys and values the device keeps.
    pub mel: Vec<f32>,
    /// (positions, width).
    pub states: Vec<f32>,
}

impl Lane {
    /// Keeps nothing but the memory.
    pub fn forget(&mut self) {
        self.mel.clear();
    }

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
