//! Where windows begin and end.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::ears::Ears;
use super::reason::{Cut, Reason};
use super::voice::{CHUNK_SAMPLES, Stretch, Voice};
use super::{Limits, UPDATE_SAMPLES, quietest};
use crate::mel::{FRAME_SAMPLES, HOP_SAMPLES, on_grid};

/// What a window has of the pause before its speech, so that no first sound is lost: 0.3 s.
const LEAD_SAMPLES: u64 = 4_800;
/// What it has of the pause behind.
const TAIL_SAMPLES: u64 = 4_800;
/// A pause after which nothing that was said before helps to hear what is said next: 3 s.
const CLOSING_PAUSE_SAMPLES: u64 = 48_000;
/// How much longer speech takes to be noticed than it must last, its padding left out: the detector hears it in pieces of this length.
const NOTICE_SAMPLES: u64 = 3 * CHUNK_SAMPLES as u64;
/// What is said within 2 s before the end of what was heard may sound otherwise with what follows.
const CONTEXT_SAMPLES: u64 = 32_000;

/// Who begins to speak is listened to every 0.2 s for a second: a window of the first sound alone may have no text.
const NEW_SAMPLES: u64 = LEAD_SAMPLES + 16_000;
const NEW_UPDATE_SAMPLES: u64 = 3_200;

/// What the last frame of a window sees behind its end.
const SEEN_SAMPLES: u64 = (FRAME_SAMPLES / 2 - HOP_SAMPLES) as u64;

/// A window is at least one hop long.
const HOP: u64 = HOP_SAMPLES as u64;

/// Cuts one stream, where frames of its spectrogram are centred, or at its end. What it decides depends on the samples
/// alone, not on how many came at a time, and, of windows that grow, on what is done with each before more is listened to.
pub struct Cutter {
    limits: Limits,
    /// Whether words of a window that is open may be final. If not, only what was said since text was final last is transcribed
    /// before its speech pauses.
    commits_updates: bool,
    ears: Option<Ears>,
    /// Everything before is in a window, or is silence.
    begin: u64,
    /// What was looked at.
    analysed: u64,
    /// Windows that nobody took yet.
    cut: VecDeque<Cut>,
    /// Where the open window is to be transcribed next.
    next_update: Option<u64>,
    /// How long a window takes.
    inference_samples: u64,
    /// Where what is said since the last pause begins.
    onset: Option<u64>,
    /// Up to here the open window was to be transcribed at the last pause, or place like one.
    flushed: u64,
    /// Whether its speech has paused.
    has_paused: bool,
    /// Whether the stream has ended and all of it is in windows, or is silence.
    is_over: bool,
}

/// Samples of a stream, the first of which stands at a known place.
#[derive(Default)]
pub struct Heard {
    /// Place of the first sample.
    pub start: u64,
    /// 16 kHz, mono.
    pub samples: Vec<f32>,
}

impl Heard {
    /// Place behind the last sample.
    pub fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    fn from(&self, place: u64) -> &[f32] {
        &self.samples[(place - self.start) as usize..]
    }
}

impl Cutter {
    /// Cuts by voice activity, or, without a voice, at quiet places.
    pub fn new(mut limits: Limits, commits_updates: bool, voice: Option<&Arc<Voice>>) -> Self {
        limits.window_samples = on_grid(limits.window_samples as u64).max(HOP) as usize;
        let ears = voice.map(|voice| Ears::new(limits.voice, voice));
        Self {
            limits,
            commits_updates,
            ears,
            begin: 0,
            analysed: 0,
            cut: VecDeque::new(),
            next_update: None,
            inference_samples: 0,
            onset: None,
            flushed: 0,
            has_paused: false,
            is_over: false,
        }
    }

    /// Looks at what was heard since the last call, of windows that grow up to where one is cut whose text may be final: it may change where
    /// the next begins. `heard` begins at or before [`Cutter::needed`].
    pub fn listen(&mut self, heard: &Heard) {
        self.listen_until(heard, Cut::is_awaited);
    }

    fn listen_until(&mut self, heard: &Heard, is_stop: impl Fn(&Cut) -> bool) {
        let piece = if self.ears.is_some() { CHUNK_SAMPLES as u64 } else { HOP };
        while heard.end() - self.analysed >= piece && !self.is_stopped(&is_stop) {
            let whole = (heard.end() - self.analysed) / piece;
            self.look(if self.limits.is_growing { 1 } else { whole as usize }, heard);
        }
    }

    fn is_stopped(&self, is_stop: impl Fn(&Cut) -> bool) -> bool {
        self.limits.is_growing && self.cut.iter().any(is_stop)
    }

    /// Looks at the next chunks, or hops if nobody listens for a voice.
    fn look(&mut self, count: usize, heard: &Heard) {
        let Some(ears) = &mut self.ears else {
            for _ in 0..count {
                self.analysed += HOP;
                self.flush(self.begin, heard);
                if self.analysed - self.begin >= self.limits.window_samples as u64 {
                    let end = self.split(self.begin, heard);
                    self.close(end, Some(end));
                }
                self.update(Some(self.begin));
            }
            return;
        };
        ears.hear(&heard.from(self.analysed)[..count * CHUNK_SAMPLES]);
        for index in 0..count {
            self.analysed += CHUNK_SAMPLES as u64;
            self.chunk(index, heard);
            self.update(self.ears.as_ref().and_then(|ears| ears.window));
        }
    }

    /// Has the open window transcribed if it has grown enough.
    fn update(&mut self, window: Option<u64>) {
        let Some(begin) = window.filter(|_| self.limits.update_samples > 0 && !self.has_paused) else { return };
        // A voice is heard late, so that its first words are there when its window opens.
        let is_first = self.next_update.is_none() && self.ears.is_some();
        let next = *self.next_update.get_or_insert(begin + self.interval());
        let end = self.seen();
        if !(is_first || self.analysed >= next) || end <= begin {
            return;
        }
        if is_first {
            self.onset = self.spoken_from();
        }
        let is_new = |onset: &u64| (begin..end).contains(onset) && end < onset + NEW_SAMPLES;
        let (start, reason, next) = match self.onset.filter(is_new) {
            Some(onset) => (onset, Reason::Glance, self.analysed + NEW_UPDATE_SAMPLES),
            None if self.commits_updates => (begin, Reason::Update, self.later()),
            None => {
                let start = self.onset.unwrap_or_default().max(self.flushed).max(begin).min(end);
                (start, Reason::Glance, self.later())
            }
        };
        if start < end && (self.limits.is_told || reason != Reason::Glance) {
            self.cut.push_back(Cut { place: start..end, reason });
        }
        self.next_update = Some(next);
    }

    /// Where a window of what is being said now would begin.
    fn spoken_from(&self) -> Option<u64> {
        let open = self.ears.as_ref()?.speech.open();
        open.is_speech.then(|| begin(&open, self.begin))
    }

    /// Up to here frames see nothing that was not looked at.
    pub fn seen(&self) -> u64 {
        on_grid(self.analysed.saturating_sub(SEEN_SAMPLES))
    }

    /// When the open window is to be transcribed next if it is now.
    fn later(&self) -> u64 {
        self.analysed + self.interval()
    }

    /// How often a window that grows is transcribed: half of the time nothing is, up to each 0.5 s.
    fn interval(&self) -> u64 {
        self.limits.update_samples.max((2 * self.inference_samples).min(UPDATE_SAMPLES))
    }

    /// Says how long it takes to transcribe a window, in samples.
    pub fn expect(&mut self, inference_samples: u64) {
        self.inference_samples = inference_samples;
    }

    /// Cuts the open window at `end`; what follows belongs to one that begins at `window`, if any.
    fn close(&mut self, end: u64, window: Option<u64>) {
        if end > self.begin {
            self.cut.push_back(Cut { place: self.begin..end, reason: Reason::End });
            self.begin = end;
        }
        self.flushed = self.flushed.max(end);
        self.has_paused = false;
        self.next_update = window.map(|_| self.later());
        if let Some(ears) = &mut self.ears {
            ears.window = window;
        }
    }

    /// Has the window that is open from `window` on transcribed if its text has not been final for long, or will not have been when it is
    /// transcribed next.
    fn flush(&mut self, window: u64, heard: &Heard) {
        let (from, most @ 1..) = (self.flushed.max(window), self.limits.flush_samples) else { return };
        let is_update = self.commits_updates && self.next_update.is_some_and(|next| self.analysed >= next);
        let due = from + if is_update { most.saturating_sub(self.interval()).max(most / 2) } else { most };
        if self.has_paused || self.analysed < due {
            return;
        }
        let most = most.min(self.analysed - from);
        let until = self.quiet(from + most / 4..from + most - CONTEXT_SAMPLES.min(most / 3), heard);
        self.flush_until(window, cut(from, until));
    }

    /// Has all that was heard of the window transcribed that is open from `window` on, for what is said before `until`.
    fn flush_until(&mut self, window: u64, until: u64) {
        let end = self.seen().max(until);
        self.cut.push_back(Cut { place: window..end, reason: Reason::Flush(until) });
        self.flushed = until;
        self.next_update = self.next_update.map(|_| self.later());
    }

    /// Ends the open window, which is as long as may be, in the longest pause of a part of it, or where that is quietest.
    fn split(&mut self, window: u64, heard: &Heard) -> u64 {
        let Limits { window_samples, kept_samples, cut_search_samples, .. } = self.limits;
        let end = window + (window_samples - kept_samples) as u64;
        let end = cut(window, self.quiet(end - cut_search_samples as u64..end, heard));
        if self.limits.is_growing && self.flushed < end {
            self.flush_until(window, end);
        }
        end
    }

    /// The middle of the longest pause, or of the quietest stretch if nobody pauses; the end of a search that is too short.
    fn quiet(&self, search: Range<u64>, heard: &Heard) -> u64 {
        match self.ears.as_ref().and_then(|ears| ears.longest_pause(search.clone())) {
            Some(pause) => (pause.start + pause.end) / 2,
            None => {
                let length = (search.end - search.start) as usize;
                search.start + quietest(&heard.from(search.start)[..length], length) as u64
            }
        }
    }

    /// The stream is at its end: what is left becomes windows, as far as [`Cutter::listen`] goes.
    pub fn end(&mut self, heard: &Heard) {
        self.listen(heard);
        if self.is_over || self.is_stopped(Cut::is_awaited) {
            return;
        }
        self.is_over = true;
        let end = heard.end();
        let Some(ears) = &mut self.ears else {
            if end > self.begin {
                self.close(end, None);
            }
            return;
        };
        ears.finish(heard.from(self.analysed));
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
            self.cut.push_back(Cut { place: begin..cut(begin, last + TAIL_SAMPLES).min(end), reason: Reason::End });
        }
        self.begin = end;
    }

    /// The next window's place.
    pub fn peek(&self) -> Option<&Cut> {
        self.cut.front()
    }

    /// Takes the next window.
    pub fn take(&mut self) {
        self.cut.pop_front();
    }

    /// Looks at what was heard and drops what is outdated, windows that still grow and behind which another one is; or all that still grow.
    /// The last one, if it is to be heard again, grows by what was heard since it was cut. So does one whose words may be final by then
    /// anyway, and then it is in place of those that grow behind it.
    pub fn hurry(&mut self, drops_all: bool, heard: &Heard) {
        let commits_updates = self.commits_updates;
        let grows = |cut: &Cut| match cut.reason {
            Reason::Flush(_) => commits_updates,
            reason => reason.is_passing(),
        };
        self.listen_until(heard, |cut| !grows(cut));
        let Some(last) = self.cut.pop_back() else { return };
        self.cut.retain(|cut| !cut.reason.is_passing());
        let is_dropped = last.reason.is_passing() && (drops_all || self.cut.back().is_some_and(grows));
        self.cut.extend((!is_dropped).then_some(last));
        let (end, later) = (self.seen(), self.later());
        if let Some(cut) = self.cut.back_mut().filter(|cut| grows(cut) && cut.place.end < end) {
            cut.place.end = end;
            self.next_update = Some(later);
        }
    }

    /// Drops what is before `place`, where a frame is centred, but for what is in windows that were taken.
    pub fn skip(&mut self, place: u64, heard: &Heard) {
        self.listen_until(heard, |cut| cut.place.end > place);
        self.cut.retain(|cut| cut.place.end > place);
        for cut in &mut self.cut {
            cut.place.start = cut.place.start.max(place);
        }
        if place <= self.begin {
            return;
        }
        self.begin = place.min(on_grid(self.analysed)).max(self.begin);
        self.flushed = self.flushed.max(self.begin);
        let Some(ears) = &mut self.ears else { return };
        let open = ears.speech.open();
        if !open.is_speech && on_grid(open.start_samples + TAIL_SAMPLES) <= self.begin {
            // Of the window that is open nothing is left but the pause behind it.
            (ears.window, self.has_paused, self.next_update) = (None, false, None);
        } else if let Some(window) = &mut ears.window {
            *window = self.begin.max(*window);
            ears.pauses.retain(|pause| pause.end > *window);
        }
    }

    /// Whether the stream has ended and every window was taken.
    pub fn is_done(&self) -> bool {
        self.is_over && self.cut.is_empty()
    }

    /// Everything before is in a window that was taken, or is silence.
    pub fn begin(&self) -> u64 {
        self.cut.iter().map(|cut| cut.place.start).min().unwrap_or(self.begin).min(self.begin)
    }

    /// Where the silence ends that lasts, if the open window's speech has paused and nothing waits to be taken.
    pub fn silent_to(&self) -> Option<u64> {
        let is_silent = self.has_paused && self.cut.is_empty();
        is_silent.then(|| self.idle_to().max(self.flushed))
    }

    /// Before that nothing belongs to a window that is to open.
    fn idle_to(&self) -> u64 {
        let voice = self.limits.voice;
        let notice = voice.min_speech_samples + voice.padding_samples + NOTICE_SAMPLES;
        let noticed = self.analysed.saturating_sub(notice);
        let coming = self.ears.as_ref().and_then(|ears| ears.speech.coming());
        on_grid(coming.unwrap_or(noticed).min(noticed).saturating_sub(LEAD_SAMPLES))
    }

    /// Lets the window that is open from `begin` on begin anew, for what follows on `place`: in a quiet place `kept_samples` before or half
    /// of that, or at `place` if it has no more than them. Where it does, if it is open.
    pub fn restart(&mut self, begin: u64, place: u64, kept_samples: u64, heard: &Heard) -> Option<u64> {
        let is_before = |cut: &Cut| cut.reason != Reason::End && place < cut.place.end;
        let window = self.ears.as_ref().map_or(Some(self.begin), |ears| ears.window);
        if window != Some(begin) || !self.cut.iter().all(is_before) {
            return None;
        }
        let kept = place.checked_sub(kept_samples).filter(|from| *from > begin);
        let start = kept.map_or(place, |from| cut(begin, self.quiet(from..from + kept_samples / 2, heard)));
        if let Some(ears) = &mut self.ears {
            ears.window = Some(start);
        }
        self.begin = start;
        self.cut.iter_mut().for_each(|cut| cut.place.start = cut.place.start.max(start));
        Some(start)
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

    fn chunk(&mut self, index: usize, heard: &Heard) {
        let Some(ears) = &mut self.ears else { return };
        if let Some(stretch) = ears.speech.push(ears.probabilities[index])
            && !stretch.is_speech
        {
            ears.pauses.push(stretch.start_samples..stretch.end_samples);
        }
        let open = ears.speech.open();
        let analysed = self.analysed;
        let Some(begin) = ears.window else {
            if open.is_speech {
                let begin = begin(&open, self.begin);
                (self.begin, ears.window) = (begin, Some(begin));
                self.flushed = self.flushed.max(begin);
                (self.next_update, self.has_paused) = (None, false);
                ears.pauses.clear();
            } else {
                self.begin = self.begin.max(self.idle_to());
            }
            return;
        };
        let quiet = if open.is_speech { 0 } else { self.analysed - open.start_samples };
        if quiet >= self.limits.pause_samples as u64 {
            let end = cut(begin, (open.start_samples + TAIL_SAMPLES).min(begin + self.limits.window_samples as u64));
            if !self.limits.is_growing {
                return self.close(end, None);
            }
            if !self.has_paused {
                (self.has_paused, self.flushed) = (true, end);
                self.cut.push_back(Cut { place: begin..end, reason: Reason::Pause });
            }
        } else if open.is_speech && self.has_paused {
            (self.has_paused, self.next_update) = (false, None);
        }
        if self.has_paused && (quiet >= CLOSING_PAUSE_SAMPLES || analysed >= begin + self.limits.window_samples as u64)
        {
            return self.close(self.flushed, None);
        }
        let (is_speech, open_samples) = (open.is_speech, open.start_samples);
        self.flush(begin, heard);
        if self.analysed < begin + self.limits.window_samples as u64 {
            return;
        }
        let end = self.split(begin, heard);
        let Some(ears) = &mut self.ears else { return };
        ears.pauses.retain(|pause| pause.end > end);
        // What follows is speech, unless the pause that was cut lasts on.
        let is_over = !is_speech && open_samples <= end;
        self.close(end, (!is_over).then_some(end));
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
