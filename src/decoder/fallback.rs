//! When a text is rejected and written again at a higher temperature (`decode_with_fallback` in openai/whisper `transcribe.py`).

use super::{Decoding, Options};

/// A text that was written at one of the temperatures.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub decoding: Decoding,
    /// Whether a loop was cut from it.
    pub is_loop: bool,
}

impl Attempt {
    /// Whether nothing is spoken: that is likely, and the text is not.
    pub fn is_silent(&self, options: &Options) -> bool {
        let decoding = &self.decoding;
        let is_quiet = options.no_speech_threshold.is_some_and(|most| decoding.no_speech_probability > most);
        is_quiet && options.log_probability_threshold.is_none_or(|least| decoding.average_log_probability < least)
    }

    /// Whether the text is to be written again.
    pub fn is_rejected(&self, options: &Options) -> bool {
        let is_unlikely =
            options.log_probability_threshold.is_some_and(|least| self.decoding.average_log_probability < least);
        (self.is_repetitive(options) || is_unlikely) && !(self.is_silent(options) && is_unlikely)
    }

    fn is_repetitive(&self, options: &Options) -> bool {
        self.is_loop || options.compression_ratio_threshold.is_some_and(|most| self.decoding.compression_ratio > most)
    }
}

/// Which of the texts is taken where all were rejected: the likeliest of those that do not repeat themselves, or of all, the first
/// of equals. (openai/whisper takes the last one; this is `generate_with_fallback` in SYSTRAN/faster-whisper `transcribe.py`.)
pub fn least_bad(attempts: Vec<Attempt>, options: &Options) -> Option<Attempt> {
    let score = |attempt: &Attempt| (!attempt.is_repetitive(options), attempt.decoding.average_log_probability);
    attempts.into_iter().reduce(|best, attempt| if score(&attempt) > score(&best) { attempt } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(average_log_probability: f32, compression_ratio: f32, no_speech_probability: f32) -> Attempt {
        let decoding = Decoding {
            tokens: Vec::new(),
            average_log_probability,
            no_speech_probability,
            language: "en".into(),
            language_probability: None,
            compression_ratio,
            temperature: 0.0,
            ..Decoding::default()
        };
        Attempt { decoding, is_loop: false }
    }

    #[test]
    fn repetitive_and_unlikely_texts_are_rejected_unless_nothing_is_spoken() {
        let options = Options::default();
        for (likely, ratio, no_speech, is_rejected, is_silent) in [
            (-0.3, 1.5, 0.1, false, false),
            (-0.3, 2.5, 0.1, true, false),
            (-1.1, 1.5, 0.1, true, false),
            (-1.1, 1.5, 0.7, false, true),
            (-1.1, 2.5, 0.7, false, true),
            (-0.3, 2.5, 0.7, true, false),
            (-0.3, 1.5, 0.7, false, false),
        ] {
            let attempt = attempt(likely, ratio, no_speech);
            let received = (attempt.is_rejected(&options), attempt.is_silent(&options));
            assert_eq!(received, (is_rejected, is_silent), "{likely} {ratio} {no_speech}");
        }
        assert!(Attempt { is_loop: true, ..attempt(-0.1, 1.0, 0.1) }.is_rejected(&options));
    }

    #[test]
    fn thresholds_that_are_not_there_reject_nothing() {
        let compression = Options { compression_ratio_threshold: None, ..Options::default() };
        assert!(!attempt(-0.3, 9.0, 0.1).is_rejected(&compression));
        let probability = Options { log_probability_threshold: None, ..Options::default() };
        assert!(!attempt(-3.0, 1.5, 0.1).is_rejected(&probability));
        assert!(attempt(-0.1, 1.5, 0.7).is_silent(&probability));
        let no_speech = Options { no_speech_threshold: None, ..Options::default() };
        assert!(attempt(-3.0, 1.5, 0.9).is_rejected(&no_speech) && !attempt(-3.0, 1.5, 0.9).is_silent(&no_speech));
    }

    #[test]
    fn the_likeliest_text_without_repetition_is_the_least_bad() {
        let options = Options::default();
        let taken = |attempts: &[(f32, f32)]| {
            let attempts = attempts.iter().map(|&(likely, ratio)| attempt(likely, ratio, 0.0)).collect();
            least_bad(attempts, &options).map(|attempt| attempt.decoding.average_log_probability)
        };
        assert_eq!(taken(&[(-0.1, 9.0), (-1.5, 1.2), (-1.2, 1.3), (-2.0, 1.1)]), Some(-1.2));
        assert_eq!(taken(&[(-0.2, 9.0), (-0.1, 8.0)]), Some(-0.1));
        assert_eq!(taken(&[]), None);
    }
}
