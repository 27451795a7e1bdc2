//! One stream's state: what was heard and what was said. Places are sample indexes at 16 kHz from the stream's start.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::mel::{Spectrogram, on_grid};
pub use crate::segment::Window;
use crate::segment::{Cutter, Heard, Limits, voice::Voice};
use crate::transcript::{WindowTranscript, Word};

/// What is left of a window behind its text is transcribed again if it is longer: 2.5 s. A decoder may end its text at a
/// pause, with speech behind it.
const LEAST_REST_SAMPLES: usize = 40_000;
/// A text that covers less than 1 s of its window is no reason to try again.
const LEAST_ADVANCE_SAMPLES: usize = 16_000;

/// What was heard of a stream and not yet transcribed.
///
/// ```text
/// push → window → window → (the scheduler) → accept → window → … → end → … → is_done
/// ```
pub struct Stream {
    limits: Limits,
    cutter: Cutter,
    spectrogram: Spectrogram,
    /// What may still decide where to cut.
    heard: Vec<f32>,
    /// Place of `heard`'s first sample.
    start_samples: u64,
    /// Where the last cue ended.
    said_samples: u64,
    /// Where the last word ended.
    word_samples: u64,
    ended: bool,
    /// Rest of a window, to be transcribed before those that are.
    rest: Option<Range<u64>>,
    /// Windows that are being transcribed, in order.
    in_flight: VecDeque<Range<u64>>,
}

/// A line of text with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// Not before the last cue's end.
    pub start_samples: u64,
    /// Behind `start_samples`.
    pub end_samples: u64,
    /// One line without spaces around it, never empty.
    pub text: String,
    /// Language code.
    pub language: String,
    /// Mean log-probability of its window's tokens.
    pub average_log_probability: f32,
    /// The text's words, if they were asked for; they may begin and end somewhat outside of the cue.
    pub words: Vec<CueWord>,
}

/// A word with its time, as [`crate::transcript::Word`] has it.
#[derive(Clone, Debug, PartialEq)]
pub struct CueWord {
    /// With its punctuation, and the space before it where there is one.
    pub text: String,
    /// Not before the end of the stream's last word.
    pub start_samples: u64,
    /// Not before `start_samples`.
    pub end_samples: u64,
    /// Mean probability of its tokens.
    pub probability: f32,
}

impl Stream {
    /// A stream of which nothing was heard. With a voice its silence is skipped and its windows are cut in pauses.
    pub fn new(limits: Limits, voice: Option<&Arc<Voice>>, spectrogram: Spectrogram) -> Self {
        Self {
            limits,
            cutter: Cutter::new(limits, voice),
            spectrogram,
            heard: Vec::new(),
            start_samples: 0,
            said_samples: 0,
            word_samples: 0,
            ended: false,
            rest: None,
            in_flight: VecDeque::new(),
        }
    }

    /// Takes more samples, 16 kHz mono.
    ///
    /// Errors: a fault of the device that makes the spectrogram.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.heard.extend_from_slice(samples);
        self.cutter.listen(Heard { start: self.start_samples, samples: &self.heard });
        self.spectrogram.push(samples)?;
        self.forget();
        Ok(())
    }

    /// Says that no more samples come: what is left becomes windows.
    ///
    /// Errors: a fault of the device that makes the spectrogram.
    pub fn end(&mut self) -> Result<(), Error> {
        if !self.ended {
            self.ended = true;
            self.cutter.end(Heard { start: self.start_samples, samples: &self.heard });
            self.spectrogram.end()?;
        }
        Ok(())
    }

    /// The next window, if there is one and not too many are being transcribed. Windows come in order, except that the rest
    /// of one whose transcript was accepted comes before all that are being transcribed.
    pub fn window(&mut self) -> Option<Window> {
        if let Some(rest) = self.rest.take() {
            let window = self.cut(&rest);
            self.in_flight.push_front(rest);
            return window;
        }
        if self.is_waiting() {
            return None;
        }
        let place = self.cutter.peek()?;
        let window = self.cut(&place)?;
        self.cutter.take();
        self.in_flight.push_back(place);
        Some(window)
    }

    /// Whether as many windows are being transcribed as may be.
    pub fn is_waiting(&self) -> bool {
        self.in_flight.len() >= self.limits.windows_at_a_time
    }

    /// Place of the window whose transcript is to be accepted next.
    pub fn awaited(&self) -> Option<u64> {
        self.in_flight.front().map(|place| place.start)
    }

    /// Takes the transcript of the first of the windows that are being transcribed and gives its text.
    ///
    /// Does nothing if no window is being transcribed.
    pub fn accept(&mut self, transcript: WindowTranscript) -> Vec<Cue> {
        let Some(place) = self.in_flight.pop_front() else {
            return Vec::new();
        };
        let mut cues = Vec::with_capacity(transcript.segments.len());
        for segment in transcript.segments {
            let start_samples = (place.start + segment.start_samples as u64).max(self.said_samples);
            let end_samples = place.start + segment.end_samples as u64;
            if start_samples < end_samples {
                self.said_samples = end_samples;
                let words = segment.words.into_iter().map(|word| self.place(&place, word)).collect();
                cues.push(Cue {
                    start_samples,
                    end_samples,
                    text: segment.text,
                    language: transcript.language.clone(),
                    average_log_probability: transcript.average_log_probability,
                    words,
                });
            }
        }
        let (length, consumed) = ((place.end - place.start) as usize, transcript.consumed_samples);
        if consumed >= LEAST_ADVANCE_SAMPLES && consumed + LEAST_REST_SAMPLES < length {
            self.rest = Some(on_grid(place.start + consumed as u64)..place.end);
        }
        self.forget();
        cues
    }

    /// A word of the window at `window`.
    fn place(&mut self, window: &Range<u64>, word: Word) -> CueWord {
        let start_samples = (window.start + word.start_samples as u64).max(self.word_samples);
        let end_samples = (window.start + word.end_samples as u64).max(start_samples);
        self.word_samples = end_samples;
        CueWord { text: word.text, start_samples, end_samples, probability: word.probability }
    }

    /// A window, unless its last frame sees samples that are still to come.
    fn cut(&self, place: &Range<u64>) -> Option<Window> {
        let log_mel = self.spectrogram.window(place)?.to_vec();
        let is_last = self.ended && place.end == self.heard_samples();
        Some(Window {
            start_samples: place.start,
            length_samples: (place.end - place.start) as usize,
            log_mel,
            voiced: self.cutter.voiced(place),
            is_last,
        })
    }

    fn heard_samples(&self) -> u64 {
        self.start_samples + self.heard.len() as u64
    }

    /// Drops what no window will need. It moves what stays, so it waits until that is worth it.
    fn forget(&mut self) {
        self.spectrogram.forget(self.position_samples());
        self.cutter.forget_voiced(self.position_samples());
        let unneeded = (self.cutter.needed() - self.start_samples) as usize;
        if unneeded > self.heard.len() / 2 {
            self.heard.drain(..unneeded);
            self.start_samples += unneeded as u64;
        }
    }

    /// Whether the stream ended and everything was transcribed.
    pub fn is_done(&self) -> bool {
        self.ended && self.in_flight.is_empty() && self.rest.is_none() && self.cutter.is_done()
    }

    /// Everything before this place is final.
    pub fn position_samples(&self) -> u64 {
        let rest = self.rest.as_ref().map(|place| place.start);
        rest.or(self.awaited()).unwrap_or(self.cutter.begin())
    }

    /// Samples that were heard and are not final.
    pub fn pending_samples(&self) -> usize {
        (self.heard_samples() - self.position_samples()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mel::spectrogram_on_cpu;
    use crate::segment::voice::Thresholds;
    use crate::transcript::Segment;

    const LIMITS: Limits = Limits {
        window_samples: 100_000,
        cut_search_samples: 0,
        pause_samples: 1000,
        windows_at_a_time: 2,
        voice: Thresholds {
            speech: 0.5,
            silence: 0.35,
            min_speech_samples: 0,
            min_silence_samples: 0,
            padding_samples: 0,
        },
    };

    fn stream() -> Stream {
        Stream::new(LIMITS, None, spectrogram_on_cpu())
    }

    fn transcript(segments: &[(usize, usize)], consumed_samples: usize) -> WindowTranscript {
        let segments = segments.iter().map(|&(start_samples, end_samples)| Segment {
            start_samples,
            end_samples,
            text: "word".into(),
            tokens: Vec::new(),
            words: Vec::new(),
        });
        WindowTranscript { segments: segments.collect(), consumed_samples, ..WindowTranscript::default() }
    }

    fn place(window: Option<Window>) -> Option<(u64, usize, bool)> {
        window.map(|window| (window.start_samples, window.length_samples, window.is_last))
    }

    fn times(cues: &[Cue]) -> Vec<(u64, u64)> {
        cues.iter().map(|cue| (cue.start_samples, cue.end_samples)).collect()
    }

    #[test]
    fn windows_follow_one_another_and_wait_for_room() {
        let mut stream = stream();
        stream.push(&[0.0; 99_999]).unwrap();
        assert_eq!(stream.window(), None);
        stream.push(&[0.0; 250_001]).unwrap();
        assert_eq!(place(stream.window()), Some((0, 100_000, false)));
        assert_eq!(place(stream.window()), Some((100_000, 100_000, false)));
        assert_eq!(stream.window(), None, "two at a time");
        let cues = stream.accept(transcript(&[(0, 300), (300, 99_000)], 99_000));
        assert_eq!(times(&cues), [(0, 300), (300, 99_000)]);
        assert_eq!((stream.position_samples(), stream.pending_samples()), (100_000, 250_000));
        stream.end().unwrap();
        assert_eq!(place(stream.window()), Some((200_000, 100_000, false)));
        stream.accept(transcript(&[], 100_000));
        assert_eq!(place(stream.window()), Some((300_000, 50_000, true)));
        stream.accept(transcript(&[], 100_000));
        assert!(!stream.is_done());
        assert_eq!(times(&stream.accept(transcript(&[(0, 50_000)], 50_000))), [(300_000, 350_000)]);
        assert!(stream.is_done());
    }

    #[test]
    fn a_window_waits_for_the_samples_that_its_last_frame_sees() {
        let mut stream = stream();
        stream.push(&[0.1; 100_039]).unwrap();
        assert_eq!(stream.window(), None);
        stream.push(&[0.1]).unwrap();
        assert_eq!(place(stream.window()), Some((0, 100_000, false)));
        stream.push(&[0.1; 100_000]).unwrap();
        stream.end().unwrap();
        assert_eq!(place(stream.window()), Some((100_000, 100_000, false)));
        stream.accept(transcript(&[], 100_000));
        assert_eq!(place(stream.window()), Some((200_000, 40, true)));
    }

    #[test]
    fn what_a_text_leaves_of_its_window_is_heard_again_before_all_else() {
        let mut stream = stream();
        stream.push(&[0.0; 200_040]).unwrap();
        stream.window();
        stream.window();
        stream.accept(transcript(&[(0, 20_000)], 20_000));
        assert_eq!(stream.position_samples(), 20_000);
        assert_eq!(place(stream.window()), Some((20_000, 80_000, false)));
        assert_eq!(stream.awaited(), Some(20_000));
        assert_eq!(times(&stream.accept(transcript(&[(0, 5_000)], 5_000))), [(20_000, 25_000)]);
        assert_eq!(stream.awaited(), Some(100_000), "less than a second is no reason to try again");
        stream.accept(transcript(&[(0, 70_000)], 70_000));
        assert_eq!(stream.position_samples(), 200_000, "nor is a rest of less than 2.5 seconds");
    }

    #[test]
    fn cues_do_not_overlap() {
        let mut stream = stream();
        stream.push(&[0.0; 200_040]).unwrap();
        stream.window();
        stream.window();
        stream.accept(transcript(&[(0, 100_000)], 100_000));
        stream.said_samples = 100_500;
        let cues = stream.accept(transcript(&[(0, 400), (200, 800)], 100_000));
        assert_eq!(times(&cues), [(100_500, 100_800)]);
    }

    #[test]
    fn words_stand_at_their_place_in_the_stream() {
        let mut stream = stream();
        stream.push(&[0.0; 200_040]).unwrap();
        stream.window();
        stream.window();
        stream.accept(transcript(&[(0, 100_000)], 100_000));
        let mut transcript = transcript(&[(0, 800)], 100_000);
        let word = |text: &str, start_samples, end_samples| Word {
            text: text.into(),
            start_samples,
            end_samples,
            probability: 0.5,
        };
        transcript.segments[0].words = vec![word(" a", 0, 300), word(" b", 300, 900)];
        stream.word_samples = 100_100;
        let cues = stream.accept(transcript);
        let words = cues[0].words.iter().map(|word| (word.text.as_str(), word.start_samples, word.end_samples));
        assert_eq!(words.collect::<Vec<_>>(), [(" a", 100_100, 100_300), (" b", 100_300, 100_900)]);
    }

    #[test]
    fn an_empty_stream_is_done_at_its_end() {
        let mut stream = stream();
        stream.end().unwrap();
        assert_eq!(stream.window(), None);
        assert!(stream.is_done());
    }
}
