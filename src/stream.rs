//! One stream's state: what was heard and what was said. Places are sample indexes at 16 kHz from the stream's start.

pub use crate::segment::Window;
use crate::segment::{Limits, quietest};
use crate::transcript::WindowTranscript;

/// What was heard of a stream and not yet transcribed.
///
/// ```text
/// push → window → (the scheduler) → accept → window → … → end → … → is_done
/// ```
#[derive(Debug)]
pub struct Stream {
    limits: Limits,
    heard: Vec<f32>,
    /// Place of `heard`'s first sample.
    start_samples: u64,
    /// Where the last cue ended.
    said_samples: u64,
    ended: bool,
    /// Length of the window that is being transcribed.
    in_flight: Option<usize>,
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
}

impl Stream {
    /// A stream of which nothing was heard.
    pub fn new(limits: Limits) -> Self {
        Self { limits, heard: Vec::new(), start_samples: 0, said_samples: 0, ended: false, in_flight: None }
    }

    /// Takes more samples, 16 kHz mono.
    pub fn push(&mut self, samples: &[f32]) {
        self.heard.extend_from_slice(samples);
    }

    /// Says that no more samples come: what is left becomes windows.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next window, if enough was heard and the last one's transcript was accepted.
    pub fn window(&mut self) -> Option<Window> {
        let limit = self.limits.window_samples;
        let pending = self.heard.len();
        if self.in_flight.is_some() || pending == 0 || (pending < limit && !self.ended) {
            return None;
        }
        let length = if pending <= limit && self.ended {
            pending
        } else {
            quietest(&self.heard[..limit], self.limits.cut_search_samples)
        };
        self.in_flight = Some(length);
        let samples = self.heard[..length].to_vec();
        Some(Window { start_samples: self.start_samples, samples, is_last: self.ended && length == pending })
    }

    /// Takes the transcript of the last window, drops what it accounts for and gives its text.
    ///
    /// Does nothing if no window is being transcribed.
    pub fn accept(&mut self, transcript: WindowTranscript) -> Vec<Cue> {
        let Some(length) = self.in_flight.take() else {
            return Vec::new();
        };
        let mut cues = Vec::with_capacity(transcript.segments.len());
        for segment in transcript.segments {
            let start_samples = (self.start_samples + segment.start_samples as u64).max(self.said_samples);
            let end_samples = self.start_samples + segment.end_samples as u64;
            if start_samples < end_samples {
                self.said_samples = end_samples;
                cues.push(Cue {
                    start_samples,
                    end_samples,
                    text: segment.text,
                    language: transcript.language.clone(),
                    average_log_probability: transcript.average_log_probability,
                });
            }
        }
        let consumed = transcript.consumed_samples.clamp(1, length);
        self.heard.drain(..consumed);
        self.start_samples += consumed as u64;
        cues
    }

    /// Whether the stream ended and everything was transcribed.
    pub fn is_done(&self) -> bool {
        self.ended && self.heard.is_empty()
    }

    /// Everything before this place is final.
    pub fn position_samples(&self) -> u64 {
        self.start_samples
    }

    /// Samples that were heard and are not final.
    pub fn pending_samples(&self) -> usize {
        self.heard.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Segment, Timings};

    const LIMITS: Limits = Limits { window_samples: 1000, cut_search_samples: 0 };

    fn transcript(segments: &[(usize, usize)], consumed_samples: usize) -> WindowTranscript {
        let segments = segments.iter().map(|&(start_samples, end_samples)| Segment {
            start_samples,
            end_samples,
            text: "word".into(),
            tokens: Vec::new(),
        });
        WindowTranscript {
            segments: segments.collect(),
            consumed_samples,
            language: "en".into(),
            average_log_probability: 0.0,
            no_speech_probability: 0.0,
            device: "cpu",
            timings: Timings::default(),
        }
    }

    #[test]
    fn windows_follow_what_was_consumed() {
        let mut stream = Stream::new(LIMITS);
        stream.push(&[0.0; 999]);
        assert_eq!(stream.window(), None);
        stream.push(&[0.0; 501]);
        assert_eq!(stream.window().map(|w| (w.start_samples, w.samples.len(), w.is_last)), Some((0, 1000, false)));
        assert_eq!(stream.window(), None, "one window at a time");
        let cues = stream.accept(transcript(&[(0, 300), (300, 600)], 600));
        assert_eq!(
            cues.iter().map(|cue| (cue.start_samples, cue.end_samples)).collect::<Vec<_>>(),
            [(0, 300), (300, 600)]
        );
        stream.end();
        let last = stream.window().map(|w| (w.start_samples, w.samples.len(), w.is_last));
        assert_eq!(last, Some((600, 900, true)));
        assert!(!stream.is_done());
        stream.accept(transcript(&[], 900));
        assert!(stream.is_done());
    }

    #[test]
    fn cues_do_not_overlap_and_a_transcript_that_consumes_nothing_still_moves_on() {
        let mut stream = Stream::new(LIMITS);
        stream.push(&[0.0; 2000]);
        stream.window();
        stream.accept(transcript(&[(0, 900)], 500));
        stream.window();
        let cues = stream.accept(transcript(&[(100, 300), (350, 800)], 0));
        assert_eq!(cues.iter().map(|cue| (cue.start_samples, cue.end_samples)).collect::<Vec<_>>(), [(900, 1300)]);
        assert_eq!(stream.position_samples(), 501);
    }

    #[test]
    fn an_empty_stream_is_done_at_its_end() {
        let mut stream = Stream::new(LIMITS);
        stream.end();
        assert_eq!(stream.window(), None);
        assert!(stream.is_done());
    }
}
