//! Where a window is quiet.

/// The sounds of one voice differ by up to 28 dB, from the strongest vowel to the weakest consonant (H. Fletcher, Speech and
/// Hearing in Communication, 1953): what is further below is none.
const SPEECH_DECIBELS: f32 = 30.0;
/// What is to stand out of the background has twice its amplitude.
const BACKGROUND_DECIBELS: f32 = 6.0;
/// A background that speech hardly stands out of takes no speech with it.
const LEAST_DECIBELS: f32 = 12.0;
/// Share of the frames that are taken for background, and share of those that are not among the loudest.
const BACKGROUND_SHARE: f32 = 0.05;
const LOUD_SHARE: f32 = 0.9;

/// For each frame of the logarithms (frames, `bins`) of a window whether nothing is heard in it: it is far below the loud frames
/// or hardly above the background, which are the window's own.
pub fn quiet_frames(log_mel: &[f32], bins: usize) -> Vec<bool> {
    let level = |frame: &[f32]| 10.0 * frame.iter().map(|&x| 10f32.powf(x)).sum::<f32>().log10();
    let levels: Vec<f32> = log_mel.chunks_exact(bins).map(level).collect();
    let mut sorted = levels.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return Vec::new();
    };
    let at = |share: f32| sorted[(share * last as f32) as usize];
    let (loud, background) = (at(LOUD_SHARE), at(BACKGROUND_SHARE));
    let least = (loud - SPEECH_DECIBELS).max((background + BACKGROUND_DECIBELS).min(loud - LEAST_DECIBELS));
    levels.into_iter().map(|level| level < least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of two bins, at these levels in decibels.
    fn quiet(decibels: &[f32]) -> Vec<bool> {
        let log_mel: Vec<f32> = decibels.iter().flat_map(|level| [level / 10.0 - 0.301; 2]).collect();
        quiet_frames(&log_mel, 2)
    }

    #[test]
    fn what_is_far_below_speech_is_quiet() {
        let levels: Vec<f32> =
            (0..100).map(|frame| if frame < 20 { -70.0 } else { -10.0 - (frame % 25) as f32 }).collect();
        assert!(quiet(&levels).iter().enumerate().all(|(frame, quiet)| *quiet == (frame < 20)));
    }

    #[test]
    fn a_background_is_quiet_and_speech_in_it_is_not() {
        let levels: Vec<f32> = (0..100).map(|frame| if frame < 20 { -28.0 } else { -10.0 }).collect();
        assert!(quiet(&levels).iter().enumerate().all(|(frame, quiet)| *quiet == (frame < 20)));
        let even: Vec<f32> = (0..100).map(|frame| -10.0 - (frame % 3) as f32).collect();
        assert!(!quiet(&even).contains(&true));
        assert_eq!(quiet(&[]), [false; 0]);
    }
}
