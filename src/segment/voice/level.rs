//! Quiet sound → sound as loud as the speech that the network knows.
//!
//! The network sees magnitudes, not their logarithms. Speech 30 dB below what is usual is speech to it still, but a sixth of what is 45 dB
//! below is not, and a microphone may well be turned down so far (`docs/decisions/voice-activity.md`).

/// Root mean square of what is loud enough as it is: 40 dB below full scale. The loudest chunk of a sentence seldom has less.
const ENOUGH: f32 = 0.01;
/// What is quieter is made louder by at most so much: 20 dB.
const MOST_GAIN: f32 = 10.0;
/// How much of the loudest chunk's level counts one chunk later: it falls by 3 dB a second.
const KEPT: f32 = 0.989;

/// How loud a stream has been. At its beginning nothing was heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Level {
    /// Root mean square of the loudest chunk, the less the longer ago it was.
    loudest: f32,
}

impl Level {
    /// Takes the next [`super::CHUNK_SAMPLES`] in, or fewer at a stream's end, and makes them louder unless they, or what was heard
    /// lately, are loud enough.
    pub fn raise(&mut self, chunk: &mut [f32]) {
        let power: f32 = chunk.iter().map(|sample| sample * sample).sum::<f32>() / chunk.len().max(1) as f32;
        // What is not finite counts as silence, to the network too, and nothing is louder than full scale.
        let now = if power.is_finite() { power.sqrt().min(1.0) } else { 0.0 };
        self.loudest = (self.loudest * KEPT).max(ENOUGH / MOST_GAIN).max(now);
        let gain = ENOUGH / self.loudest;
        if gain > 1.0 {
            chunk.iter_mut().for_each(|sample| *sample *= gain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CHUNK_SAMPLES;
    use super::*;

    fn gain(level: &mut Level, amplitude: f32) -> f32 {
        let mut chunk = [amplitude; CHUNK_SAMPLES];
        level.raise(&mut chunk);
        chunk[0] / amplitude
    }

    #[test]
    fn what_is_loud_enough_stays_and_what_is_quiet_becomes_so() {
        for (amplitude, expected) in
            [(1.0, 1.0), (0.01, 1.0), (0.005, 2.0), (0.002, 5.0), (1e-6, 10.0), (0.0, f32::NAN)]
        {
            let gain = gain(&mut Level::default(), amplitude);
            assert!((gain / expected - 1.0).abs() < 0.001 || gain.is_nan() && expected.is_nan(), "{amplitude}: {gain}");
        }
    }

    #[test]
    fn what_was_loud_is_remembered_for_seconds() {
        let mut level = Level::default();
        gain(&mut level, 0.1);
        let gains: Vec<f32> = (0..650).map(|_| gain(&mut level, 0.0001)).collect();
        let decibels = |seconds: f32| 20.0 * gains[(seconds / 0.032) as usize].log10();
        assert_eq!(decibels(6.0), 0.0);
        assert!((decibels(10.0) - 10.0).abs() < 0.2 && (decibels(14.0) - 20.0).abs() < 0.1, "{}", decibels(10.0));
    }

    #[test]
    fn what_is_not_finite_is_not_loud() {
        for damaged in [f32::NAN, f32::INFINITY, 1e30] {
            let mut level = Level::default();
            gain(&mut level, damaged);
            assert!((gain(&mut level, 0.002) - 5.0).abs() < 0.01);
        }
    }
}
