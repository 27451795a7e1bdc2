//! Where windows begin and end.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::voice::{CHUNK_SAMPLES, Listener, Speech, Stretch, Voice};
use super::voiced::Voiced;
use super::{Limits, quietest};
use crate::mel::{HOP_SAMPLES, on_grid};

/// What a window has of the pause before its speech, so that no first sound is lost: 0.3 s.
const LEAD_SAMPLES: u64 = 4_800;
/// What it has of the pause behind.
const TAIL_SAMPLES: u64 = 4_800;
/// How much longer speech takes to be noticed than it must last, its padding left out: the detector hears it in pieces of this length.
const NOTICE_SAMPLES: u64 = 3 * CHUNK_SAMPLES as u64;

/// A window is at least one hop long.
const HOP: u64 = HOP_SAMPLES as u64;

/// Cuts one stream, where frames of its spectrogram are centred, or at its end. What it decides depends on the samples
/// alone, not on how many came at a time.
pub struct Cutter {
    limits: Limits,
    ears: Option<Ears>,
    /// Everything before is in a window, or is silence.
    begin: u64,
    /// What was looked at.
    analysed: u64,
    /// Windows that nobody took yet.
    cut: VecDeque<Range<u64>>,
}

/// The part that tells speech from silence.
struct Ears {
    listener: Listener,
    probabilities: Vec<f32>,
    voiced: Voiced,
    speech: Speech,
    /// Pauses within the window that is open.
    pauses: Vec<Range<u64>>,
    /// Where the open window begins.
    window: Option<u64>,
}

/// Samples of a stream, the first of which stands at a known place.
#[derive(Clone, Copy)]
pub struct Heard<'a> {
    /// Place of the first sample.
    pub start: u64,
    /// 16 kHz, mono.
    pub samples: &'a [f32],
}

impl Heard<'_> {
    fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    fn from(&self, place: u64) -> &[f32] {
        &self.samples[(place - self.start) as usize..]
    }
}

impl Cutter {
    /// Cuts by voice activity, or, without a voice, at quiet places.
    pub fn new(mut limits: Limits, voice: Option<&Arc<Voice>>) -> Self {
        limits.window_samples = on_grid(limits.window_samples as u64).max(HOP) as usize;
        let ears = voice.map(|voice| Ears {
            listener: voice.listener(),
            probabilities: Vec::new(),
            voiced: Voiced::new(limits.voice),
            speech: Speech::new(limits.voice),
            pauses: Vec::new(),
            window: None,
        });
        Self { limits, ears, begin: 0, analysed: 0, cut: VecDeque::new() }
    }

    /// Looks at what was heard since the last call; `heard` begins at or before [`Cutter::needed`].
    pub fn listen(&mut self, heard: Heard<'_>) {
        let Some(ears) = &mut self.ears else {
            self.analysed = heard.end();
            while heard.end() - self.begin >= self.limits.window_samples as u64 {
                let window = &heard.from(self.begin)[..self.limits.window_samples];
                let end = cut(self.begin, self.begin + quietest(window, self.limits.cut_search_samples) as u64);
                self.cut.push_back(self.begin..end);
                self.begin = end;
            }
            return;
        };
        let whole = (heard.end() - self.analysed) / CHUNK_SAMPLES as u64 * CHUNK_SAMPLES as u64;
        ears.probabilities.clear();
        ears.listener.push(&heard.from(self.analysed)[..whole as usize], &mut ears.probabilities);
        ears.probabilities.iter().for_each(|&probability| ears.voiced.push(probability));
        for index in 0..whole as usize / CHUNK_SAMPLES {
            self.analysed += CHUNK_SAMPLES as u64;
            self.chunk(index, heard);
        }
    }

    /// The stream is at its end: what is left becomes a window.
    pub fn end(&mut self, heard: Heard<'_>) {
        self.listen(heard);
        let end = heard.end();
        let Some(ears) = &mut self.ears else {
            if end > self.begin {
                self.cut.push_back(self.begin..end);
            }
            self.begin = end;
            return;
        };
        ears.probabilities.clear();
        ears.listener.push(heard.from(self.analysed), &mut ears.probabilities);
        ears.listener.finish(&mut ears.probabilities);
        ears.probabilities.iter().for_each(|&probability| ears.voiced.push(probability));
        // Speech of the open window that has ended already.
        let open = ears.speech.open();
        let spoken = (ears.window.is_some() && !open.is_speech).then_some(open.start_samples);
        let mut stretches: Vec<Stretch> =
            ears.probabilities.iter().filter_map(|&probability| ears.speech.push(probability)).collect();
        stretches.extend(ears.speech.finish(end));
        stretches.retain(|stretch| stretch.is_speech && stretch.end_samples > self.begin);
        let first = stretches.first().map(|first| begin(first, self.begin));
        let last = stretches.last().map(|last| last.end_samples).or(spoken);
        if let (Some(begin), Some(last)) = (ears.window.take().or(first), last)
            && end > begin
        {
            self.cut.push_back(begin..cut(begin, last + TAIL_SAMPLES).min(end));
        }
        self.begin = end;
    }

    /// The next window's place.
    pub fn peek(&self) -> Option<Range<u64>> {
        self.cut.front().cloned()
    }

    /// Takes the next window.
    pub fn take(&mut self) {
        self.cut.pop_front();
    }

    /// Whether every window was taken.
    pub fn is_done(&self) -> bool {
        self.cut.is_empty()
    }

    /// Everything before is in a window that was taken, or is silence.
    pub fn begin(&self) -> u64 {
        self.cut.front().map_or(self.begin, |window| window.start)
    }

    /// What is before was looked at for the last time.
    pub fn needed(&self) -> u64 {
        self.begin.min(self.analysed)
    }

    /// For each frame of a window at this place whether a voice was heard; empty if nobody listened for one.
    pub fn voiced(&self, place: &Range<u64>) -> Vec<bool> {
        self.ears.as_ref().map(|ears| ears.voiced.frames(place)).unwrap_or_default()
    }

    /// Forgets what [`Cutter::voiced`] was before `place`.
    pub fn forget_voiced(&mut self, place: u64) {
        if let Some(ears) = &mut self.ears {
            ears.voiced.forget(place);
        }
    }

    fn chunk(&mut self, index: usize, heard: Heard<'_>) {
        let Some(ears) = &mut self.ears else { return };
        if let Some(stretch) = ears.speech.push(ears.probabilities[index])
            && !stretch.is_speech
        {
            ears.pauses.push(stretch.start_samples..stretch.end_samples);
        }
        let open = ears.speech.open();
        // Before that, what was heard may yet belong to a window.
        let voice = self.limits.voice;
        let notice = voice.min_speech_samples + voice.padding_samples + NOTICE_SAMPLES;
        let Some(begin) = ears.window else {
            if open.is_speech {
                let begin = begin(&open, self.begin);
                (self.begin, ears.window) = (begin, Some(begin));
                ears.pauses.clear();
            } else {
                self.begin = self.begin.max(on_grid(self.analysed.saturating_sub(LEAD_SAMPLES + notice)));
            }
            return;
        };
        let quiet = if open.is_speech { 0 } else { self.analysed - open.start_samples };
        if quiet >= self.limits.pause_samples as u64 {
            let end = cut(begin, (open.start_samples + TAIL_SAMPLES).min(begin + self.limits.window_samples as u64));
            self.cut.push_back(begin..end);
            (self.begin, ears.window) = (end, None);
            return;
        }
        let limit = begin + self.limits.window_samples as u64;
        if self.analysed < limit {
            return;
        }
        let search = limit - self.limits.cut_search_samples as u64..limit;
        let open_pause = (!open.is_speech).then_some(open.start_samples..self.analysed);
        let within = |pause: &Range<u64>| pause.start.max(search.start)..pause.end.min(search.end);
        let pauses = ears.pauses.iter().cloned().chain(open_pause).map(|pause| within(&pause));
        let longest = pauses.filter(|pause| pause.start < pause.end).max_by_key(|pause| pause.end - pause.start);
        let end = match longest {
            Some(pause) => (pause.start + pause.end) / 2,
            None => {
                let window = &heard.from(begin)[..self.limits.window_samples];
                begin + quietest(window, self.limits.cut_search_samples) as u64
            }
        };
        let end = cut(begin, end);
        self.cut.push_back(begin..end);
        ears.pauses.retain(|pause| pause.end > end);
        // What follows is speech, unless the pause that was cut lasts on.
        let is_over = !open.is_speech && open.start_samples <= end;
        (self.begin, ears.window) = (end, (!is_over).then_some(end));
    }
}

/// Where a window begins that has `speech` in it, not before `earliest`.
fn begin(speech: &Stretch, earliest: u64) -> u64 {
    on_grid(speech.start_samples.saturating_sub(LEAD_SAMPLES)).max(earliest)
}

/// Where a window ends that should end at `place`.
fn cut(begin: u64, place: u64) -> u64 {
    on_grid(place).max(begin + HOP)
}
