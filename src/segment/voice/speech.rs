//! Probabilities of speech → stretches of speech and pauses, as they become certain.
//!
//! The rules are those of `get_speech_timestamps` in Silero's package, without its longest length of speech, for streams.

use super::CHUNK_SAMPLES;

/// When speech begins and ends. The default is Silero's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From this probability on a chunk is speech.
    pub speech: f32,
    /// Below this probability a chunk within speech is silence; between the two it is what the chunk before it was.
    pub silence: f32,
    /// Speech of at most this length is none.
    pub min_speech_samples: u64,
    /// Silence that is shorter does not end speech.
    pub min_silence_samples: u64,
    /// What is added to speech at both ends, within the stream; two stretches that this makes touch are one.
    pub padding_samples: u64,
}

/// A part of a stream that is all speech or all pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Speech, with padding, rather than pause.
    pub is_speech: bool,
    /// Its first sample in the stream.
    pub start_samples: u64,
    /// The sample after its last.
    pub end_samples: u64,
}

/// One stream's speech so far.
///
/// Finished stretches leave in order, speech and pause by turns, without gaps from sample 0 on. A pause is finished when
/// the speech after it has lasted `min_speech_samples`, speech when the silence after it has lasted `min_silence_samples`
/// and both paddings.
#[derive(Clone, Debug)]
pub struct Speech {
    thresholds: Thresholds,
    /// Length of what was heard.
    heard_samples: u64,
    /// Kind and start of the stretch that is not finished.
    is_open_speech: bool,
    open_start_samples: u64,
    /// Where a voice began that has not ended. It counts as speech when it has lasted.
    voice: Option<u64>,
    /// Where silence began within that voice.
    silence: Option<u64>,
    /// Where the open speech has ended, until it is certain that the padding leaves a pause.
    ending: Option<u64>,
    /// Where the last voice ended, whether it counted or not.
    quiet: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { speech: 0.5, silence: 0.35, min_speech_samples: 4_000, min_silence_samples: 1_600, padding_samples: 480 }
    }
}

impl Speech {
    /// A stream of which nothing was heard.
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            heard_samples: 0,
            is_open_speech: false,
            open_start_samples: 0,
            voice: None,
            silence: None,
            ending: None,
            quiet: 0,
        }
    }

    /// Takes the next chunk's probability; returns the stretch that it finishes, if any.
    pub fn push(&mut self, probability: f32) -> Option<Stretch> {
        let chunk = self.heard_samples;
        self.heard_samples += CHUNK_SAMPLES as u64;
        if probability >= self.thresholds.speech {
            self.silence = None;
            self.voice.get_or_insert(chunk);
        } else if self.voice.is_some() && probability < self.thresholds.silence {
            let silence = *self.silence.get_or_insert(chunk);
            if chunk - silence >= self.thresholds.min_silence_samples {
                self.end_voice(silence);
            }
        }
        if self.silence.is_none() && self.is_long_enough(self.heard_samples) {
            return self.count_voice();
        }
        self.end_speech()
    }

    /// Whether it is speech now: whether a voice has begun that no silence of `min_silence_samples` has ended.
    ///
    /// This is the earliest word: the voice may yet turn out too short to count.
    pub fn is_speech(&self) -> bool {
        self.voice.is_some()
    }

    /// How long it has been quiet, up to the last chunk: 0 while somebody speaks.
    ///
    /// A silence counts from its first chunk on, without padding, whether or not it will last.
    pub fn quiet_samples(&self) -> u64 {
        match (self.voice, self.silence) {
            (None, _) => self.heard_samples - self.quiet,
            (Some(_), Some(silence)) => self.heard_samples - silence,
            (Some(_), None) => 0,
        }
    }

    /// The stretch that is not finished, up to the last chunk.
    pub fn open(&self) -> Stretch {
        Stretch {
            is_speech: self.is_open_speech,
            start_samples: self.open_start_samples,
            end_samples: self.heard_samples,
        }
    }

    /// Where speech would begin, with padding, of a voice that does not count yet.
    pub fn coming(&self) -> Option<u64> {
        self.voice.filter(|_| !self.is_open_speech).map(|voice| voice.saturating_sub(self.thresholds.padding_samples))
    }

    /// Ends the stream, which was `length_samples` long, and returns the stretches up to its end. Another stream may follow.
    pub fn finish(&mut self, length_samples: u64) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        if self.is_long_enough(length_samples) {
            stretches.extend(self.count_voice());
        }
        if let Some(ending) = self.ending {
            stretches.extend(self.turn((ending + self.thresholds.padding_samples).min(length_samples)));
        }
        stretches.extend(self.turn(length_samples));
        *self = Self::new(self.thresholds);
        stretches
    }

    /// Whether there is a voice that does not count yet, but does if it lasts until `end`.
    fn is_long_enough(&self, end: u64) -> bool {
        let counts = self.is_open_speech && self.ending.is_none();
        !counts && self.voice.is_some_and(|voice| end.saturating_sub(voice) > self.thresholds.min_speech_samples)
    }

    /// The voice is speech: the pause before it is finished, or the speech before it goes on.
    fn count_voice(&mut self) -> Option<Stretch> {
        if self.ending.take().is_some() {
            return None;
        }
        let start = self.voice?.saturating_sub(self.thresholds.padding_samples);
        self.turn(start)
    }

    fn end_voice(&mut self, end: u64) {
        if self.is_open_speech {
            // A voice that did not count leaves the end that is there.
            self.ending.get_or_insert(end);
        }
        (self.voice, self.silence) = (None, None);
        self.quiet = end;
    }

    /// Finishes the speech that has ended, once no voice can begin any more so close that both paddings touch.
    fn end_speech(&mut self) -> Option<Stretch> {
        let ending = self.ending?;
        let touching = ending + 2 * self.thresholds.padding_samples;
        if self.voice.unwrap_or(self.heard_samples) <= touching {
            return None;
        }
        self.ending = None;
        self.turn(ending + self.thresholds.padding_samples)
    }

    /// Finishes the open stretch and opens one of the other kind. An empty one is not worth mentioning.
    fn turn(&mut self, end_samples: u64) -> Option<Stretch> {
        let finished = Stretch { end_samples, ..self.open() };
        self.is_open_speech = !self.is_open_speech;
        self.open_start_samples = end_samples;
        (finished.start_samples < end_samples).then_some(finished)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHUNK: u64 = CHUNK_SAMPLES as u64;

    fn all(thresholds: Thresholds, probabilities: &[f32]) -> Vec<Stretch> {
        let mut speech = Speech::new(thresholds);
        let mut stretches: Vec<Stretch> = probabilities.iter().filter_map(|p| speech.push(*p)).collect();
        stretches.extend(speech.finish(probabilities.len() as u64 * CHUNK));
        stretches
    }

    fn bounds(stretches: &[Stretch], is_speech: bool) -> Vec<(u64, u64)> {
        let of_kind = stretches.iter().filter(|stretch| stretch.is_speech == is_speech);
        of_kind.map(|stretch| (stretch.start_samples, stretch.end_samples)).collect()
    }

    fn chunks(parts: &[(usize, f32)]) -> Vec<f32> {
        parts.iter().flat_map(|(count, probability)| std::iter::repeat_n(*probability, *count)).collect()
    }

    #[test]
    fn speech_is_padded_and_pauses_lie_between() {
        let stretches = all(Thresholds::default(), &chunks(&[(20, 0.1), (30, 0.9), (10, 0.1), (20, 0.6), (5, 0.1)]));
        let speech = [(20 * CHUNK - 480, 50 * CHUNK + 480), (60 * CHUNK - 480, 80 * CHUNK + 480)];
        assert_eq!(bounds(&stretches, true), speech);
        let pauses = [(0, speech[0].0), (speech[0].1, speech[1].0), (speech[1].1, 85 * CHUNK)];
        assert_eq!(bounds(&stretches, false), pauses);
    }

    #[test]
    fn short_silences_and_doubtful_chunks_do_not_end_speech() {
        let stretches = all(Thresholds::default(), &chunks(&[(10, 0.9), (3, 0.1), (2, 0.9), (50, 0.4), (2, 0.9)]));
        assert_eq!(bounds(&stretches, true), [(0, 67 * CHUNK)]);
        assert!(bounds(&stretches, false).is_empty());
    }

    #[test]
    fn speech_that_is_too_short_leaves_one_pause() {
        let stretches = all(Thresholds::default(), &chunks(&[(20, 0.1), (7, 0.9), (20, 0.1)]));
        assert_eq!(bounds(&stretches, false), [(0, 47 * CHUNK)]);
        assert!(bounds(&stretches, true).is_empty());
    }

    #[test]
    fn paddings_that_touch_join_speech() {
        let thresholds = Thresholds { padding_samples: 4 * CHUNK, ..Thresholds::default() };
        let with_gap = |gap| bounds(&all(thresholds, &chunks(&[(20, 0.9), (gap, 0.1), (20, 0.9)])), false);
        assert!(with_gap(8).is_empty());
        assert_eq!(with_gap(9), [(24 * CHUNK, 25 * CHUNK)]);
    }

    #[test]
    fn the_present_is_told_before_it_is_certain() {
        let mut speech = Speech::new(Thresholds::default());
        assert_eq!((speech.is_speech(), speech.quiet_samples()), (false, 0));
        assert_eq!(speech.push(0.1), None);
        assert_eq!((speech.is_speech(), speech.quiet_samples()), (false, CHUNK));
        assert_eq!(speech.push(0.9), None);
        assert_eq!((speech.is_speech(), speech.quiet_samples(), speech.open().is_speech), (true, 0, false));
        assert_eq!(speech.coming(), Some(CHUNK - 480));
        let pause = (0..8).find_map(|_| speech.push(0.9)).unwrap();
        assert_eq!(pause, Stretch { is_speech: false, start_samples: 0, end_samples: CHUNK - 480 });
        assert_eq!(speech.push(0.1), None);
        assert_eq!((speech.is_speech(), speech.quiet_samples(), speech.open().is_speech), (true, CHUNK, true));
        let spoken = (0..4).find_map(|_| speech.push(0.1)).unwrap();
        assert_eq!(spoken.start_samples, CHUNK - 480);
        assert_eq!((speech.is_speech(), speech.open().is_speech, speech.coming()), (false, false, None));
        assert_eq!(speech.open().start_samples, spoken.end_samples);
    }

    /// The rules applied to a whole recording at once: voices, those of them that count, those padded, those joined.
    fn at_once(thresholds: Thresholds, probabilities: &[f32]) -> Vec<(u64, u64)> {
        let length = probabilities.len() as u64 * CHUNK;
        let mut speech: Vec<(u64, u64)> = Vec::new();
        let mut at = 0;
        while let Some(offset) = probabilities[at..].iter().position(|p| *p >= thresholds.speech) {
            let start = at + offset;
            let (end, next) = end_of_voice(thresholds, probabilities, start);
            let (start, end) = (start as u64 * CHUNK, end as u64 * CHUNK);
            if end - start > thresholds.min_speech_samples {
                let padded = start.saturating_sub(thresholds.padding_samples);
                let end = (end + thresholds.padding_samples).min(length);
                match speech.last_mut() {
                    Some(last) if padded <= last.1 => last.1 = end,
                    _ => speech.push((padded, end)),
                }
            }
            at = next;
        }
        speech
    }

    /// The chunk where the voice that begins in chunk `start` ends, and the one from where on the next may begin.
    fn end_of_voice(thresholds: Thresholds, probabilities: &[f32], start: usize) -> (usize, usize) {
        let count = probabilities.len();
        let is_silent = |chunk: &usize| probabilities[*chunk] < thresholds.silence;
        for end in (start..count).filter(is_silent) {
            let again = (end..count).find(|chunk| probabilities[*chunk] >= thresholds.speech).unwrap_or(count);
            let lasting = |chunk: &usize| (chunk - end) as u64 * CHUNK >= thresholds.min_silence_samples;
            if let Some(chunk) = (end..again).filter(is_silent).find(lasting) {
                return (end, chunk + 1);
            }
        }
        (count, count)
    }

    fn thresholds() -> impl Strategy<Value = Thresholds> {
        (0..6_000_u64, 0..4_000_u64, 0..4_000_u64).prop_map(
            |(min_speech_samples, min_silence_samples, padding_samples)| Thresholds {
                min_speech_samples,
                min_silence_samples,
                padding_samples,
                ..Thresholds::default()
            },
        )
    }

    /// Runs of loud, doubtful and quiet chunks.
    fn probabilities() -> impl Strategy<Value = Vec<f32>> {
        let run = (prop_oneof![Just(0.9_f32), Just(0.4), Just(0.1)], 1..14_usize);
        prop::collection::vec(run, 0..40).prop_map(|runs| {
            runs.into_iter().flat_map(|(probability, count)| std::iter::repeat_n(probability, count)).collect()
        })
    }

    proptest! {
        #[test]
        fn a_stream_gives_what_the_whole_gives(thresholds in thresholds(), probabilities in probabilities()) {
            let stretches = all(thresholds, &probabilities);
            prop_assert_eq!(bounds(&stretches, true), at_once(thresholds, &probabilities));
        }

        #[test]
        fn stretches_tile_the_stream(
            thresholds in thresholds(), probabilities in probabilities(), missing_samples in 0..CHUNK
        ) {
            let length = (probabilities.len() as u64 * CHUNK).saturating_sub(missing_samples);
            let mut speech = Speech::new(thresholds);
            let mut stretches: Vec<Stretch> = probabilities.iter().filter_map(|p| speech.push(*p)).collect();
            stretches.extend(speech.finish(length));
            let mut end = 0;
            for stretch in &stretches {
                prop_assert_eq!(stretch.start_samples, end);
                prop_assert!(stretch.end_samples > end);
                end = stretch.end_samples;
            }
            prop_assert_eq!(end, length);
            prop_assert!(stretches.windows(2).all(|pair| pair[0].is_speech != pair[1].is_speech));
        }
    }
}
