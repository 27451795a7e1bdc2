//! Where to end a window that has to end.

/// Energy is looked at over this long a stretch: longer than a glottal period or a stop's closure. 100 ms.
const STRETCH_SAMPLES: usize = 1_600;
/// Step between stretches: 10 ms.
const STEP_SAMPLES: usize = 160;

/// The middle of the quietest 100 ms within the last `search_samples`, the latest of equals; the end if that is too short.
pub fn quietest(samples: &[f32], search_samples: usize) -> usize {
    let first = samples.len() - search_samples.min(samples.len());
    let mut best = (f32::INFINITY, samples.len());
    for start in (first..(samples.len() + 1).saturating_sub(STRETCH_SAMPLES)).step_by(STEP_SAMPLES) {
        let energy: f32 = samples[start..start + STRETCH_SAMPLES].iter().map(|x| x * x).sum();
        if energy <= best.0 {
            best = (energy, start + STRETCH_SAMPLES / 2);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_falls_into_the_pause() {
        let mut samples: Vec<f32> = (0..64_000).map(|i| (i as f32 * 0.3).sin()).collect();
        samples[40_000..44_000].fill(0.0);
        let cut = quietest(&samples, 32_000);
        assert!((40_000..44_000).contains(&cut), "{cut}");
    }

    #[test]
    fn without_room_to_search_the_cut_is_the_end() {
        assert_eq!(quietest(&[0.5; 1000], 32_000), 1000);
        assert_eq!(quietest(&[0.5; 10_000], 0), 10_000);
        assert_eq!(quietest(&[], 0), 0);
    }
}
