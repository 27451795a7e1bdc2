//! One stream's state: what was heard and what was said. Places are sample indexes at 16 kHz from the stream's start.

mod cue;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::commit::{Draft, Drafted, Extent, Policy};
use crate::mel::{HOP_SAMPLES, Spectrogram, on_grid};
pub use crate::segment::Window;
use crate::segment::{Cut, Cutter, Heard, Limits, Owner, Purpose, Reason, voice::Voice};
use crate::transcript::{LEAST_ADVANCE_SAMPLES, LEAST_REST_SAMPLES, Segment, WindowTranscript};
pub use cue::{Cue, CueWord, Text};
use cue::{Said, joined};

/// A word that begins so long before a place may be said behind it: 0.5 s.
const LATE_SAMPLES: u64 = 8_000;
/// What is left of a window behind its text is transcribed again, too, if it has so much of a voice, which is more than a text's last sound:
/// 0.6 s. Where a text's words were timed, 1 s.
const LEAST_REST_VOICED_SAMPLES: usize = 9_600;
const LEAST_GROWN_REST_VOICED_SAMPLES: usize = 16_000;
/// Where the same is heard again anyway, 2 s: a text that its given beginning keeps from going on.
const STUCK_VOICED_SAMPLES: usize = 32_000;
/// A voice that is not heard for 0.3 s has ended its word. Whether the last frames of a window are near one is heard behind them.
const QUIET_SAMPLES: u64 = 4_800;
const UNHEARD_SAMPLES: u64 = 800;

/// What was heard of a stream and not yet transcribed.
///
/// ```text
/// push → window → window → (the scheduler) → accept → window → … → end → … → is_done
/// ```
pub struct Stream {
    /// What is kept of its windows is its own.
    owner: Owner,
    limits: Limits,
    policy: Policy,
    /// The open window's text, and that of one that follows on it.
    draft: Draft,
    next_draft: Draft,
    /// Where the window begins that `draft` is the text of.
    draft_samples: u64,
    cutter: Cutter,
    spectrogram: Spectrogram,
    /// What may still decide where to cut.
    heard: Heard,
    /// Where the last cue ended.
    said_samples: u64,
    /// Where the last word ended.
    word_samples: u64,
    /// Up to here some window goes that was made.
    heard_to_samples: u64,
    /// Up to here all windows that were made are whole.
    transcribed_samples: u64,
    /// Up to here all that will be said is.
    settled_samples: u64,
    ended: bool,
    /// Which windows are dropped that wait, as [`Stream::hurry`] was asked last.
    drops_all: Option<bool>,
    /// Rest of a window, to be transcribed before those that are.
    rest: Option<Cut>,
    /// Windows that are being transcribed, in order.
    in_flight: VecDeque<Cut>,
}

/// Where nobody speaks any more if the voice has paused at `end`.
fn quiet_end(end: u64) -> Range<u64> {
    end.saturating_sub(QUIET_SAMPLES)..end.saturating_sub(UNHEARD_SAMPLES)
}

/// How windows of a live stream are cut whose text is final when `policy` says and may take `latency`.
pub fn limits(policy: Policy, latency: Duration) -> Limits {
    match policy {
        Policy::Segment => Limits::live(latency),
        Policy::LocalAgreement => Limits::streaming(latency),
        Policy::AlignAtt => Limits::streaming(latency).often(),
    }
}

impl Stream {
    /// A stream of which nothing was heard. With a voice its silence is skipped and its windows are cut in pauses. Its text is
    /// final where its windows are, or, if these are transcribed while they grow, as soon as `policy` says.
    pub fn new(limits: Limits, policy: Policy, voice: Option<&Arc<Voice>>, spectrogram: Spectrogram) -> Self {
        // What is final of a window is where the text of its next transcript begins.
        let windows_at_a_time = if limits.is_growing { 1 } else { limits.windows_at_a_time };
        let limits = Limits { windows_at_a_time, ..limits };
        Self {
            owner: Owner::default(),
            limits,
            policy,
            draft: Draft::new(policy),
            next_draft: Draft::new(policy),
            draft_samples: 0,
            cutter: Cutter::new(limits, policy.commits_updates(), voice),
            spectrogram,
            heard: Heard::default(),
            said_samples: 0,
            word_samples: 0,
            heard_to_samples: 0,
            transcribed_samples: 0,
            settled_samples: 0,
            ended: false,
            drops_all: None,
            rest: None,
            in_flight: VecDeque::new(),
        }
    }

    /// Takes more samples, 16 kHz mono.
    ///
    /// Errors: a fault of the device that makes the spectrogram.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.heard.samples.extend_from_slice(samples);
        self.listen();
        self.spectrogram.push(samples)?;
        self.settle(self.settled_samples);
        self.forget();
        Ok(())
    }

    /// Says that no more samples come: what is left becomes windows.
    ///
    /// Errors: a fault of the device that makes the spectrogram.
    pub fn end(&mut self) -> Result<(), Error> {
        if !self.ended {
            self.ended = true;
            self.listen();
            self.spectrogram.end()?;
        }
        Ok(())
    }

    /// Looks for windows in what was heard, unless a text is awaited that may change where they begin.
    fn listen(&mut self) {
        if self.is_awaiting() {
            return;
        }
        if self.ended {
            self.cutter.end(&self.heard)
        } else {
            self.cutter.listen(&self.heard)
        }
        if let Some(drops_all) = self.drops_all {
            self.cutter.hurry(drops_all, &self.heard);
        }
    }

    /// Whether a window that grows is being transcribed, or is to be again, whose text may be final.
    fn is_awaiting(&self) -> bool {
        self.limits.is_growing && (self.rest.is_some() || self.in_flight.iter().any(Cut::is_awaited))
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
        let cut = loop {
            self.listen();
            let mut cut = self.cutter.peek()?.clone();
            if cut.reason.is_passing() && cut.place.end <= self.heard_to_samples {
                // All of it was heard with more behind it.
                self.cutter.take();
                continue;
            }
            if cut.reason == Reason::Glance {
                break cut;
            }
            if cut.place.start != self.draft_samples {
                self.begin_draft(Draft::new(self.policy), cut.place.start);
            }
            if cut.reason == Reason::End {
                self.next_draft = self.draft.split((cut.place.end - cut.place.start) as usize);
            }
            if let Reason::Flush(until) = cut.reason
                && self.is_final_to(until)
            {
                cut.reason = Reason::Update;
                self.transcribed_samples = until;
                self.settle(until.saturating_sub(LATE_SAMPLES));
            }
            if cut.reason != Reason::End || cut.place.end > self.transcribed_samples {
                break cut;
            }
            // All that is said in it is final.
            self.begin_next_draft(cut.place.end);
            self.cutter.take();
        };
        let window = self.cut(&cut)?;
        if cut.reason != Reason::Glance {
            self.heard_to_samples = self.heard_to_samples.max(cut.place.end);
        }
        match cut.reason {
            Reason::Glance | Reason::Update => {}
            Reason::Flush(until) => self.transcribed_samples = until,
            Reason::Pause | Reason::End => self.transcribed_samples = cut.place.end,
        }
        self.cutter.take();
        self.in_flight.push_back(cut);
        Some(window)
    }

    /// From now on drops windows that wait and grow still, if they have grown already or `drops_all` says so; one that is left ends at what
    /// was heard last.
    pub fn hurry(&mut self, drops_all: bool) {
        self.drops_all = Some(drops_all);
        self.listen();
    }

    /// Says how long it takes to transcribe a window, in samples: windows that grow are transcribed no more often than leaves half of the
    /// time, up to each 0.5 s.
    pub fn expect(&mut self, inference_samples: u64) {
        self.cutter.expect(inference_samples);
    }

    /// Gives up the transcript of the first of the windows that are being transcribed, and everything heard before `place` of which the
    /// text is not final. What that window has behind is transcribed next.
    pub fn skip(&mut self, place: u64) {
        // Behind it, or the same sound would have to be given up again.
        let place = place.next_multiple_of(HOP_SAMPLES as u64);
        let given_up = self.in_flight.pop_front();
        let behind = self.rest.take().or(given_up).filter(|cut| place < cut.reason.awaited_to(cut.place.end));
        self.rest = behind.map(|Cut { place: whole, reason }| Cut { place: whole.start.max(place)..whole.end, reason });
        self.cutter.skip(place, &self.heard);
        self.settle(self.needed_samples());
        let begin = self.rest.as_ref().map_or(place, |rest| rest.place.start);
        self.begin_draft(Draft::new(self.policy), begin);
        self.forget();
    }

    /// Lets what is transcribed next begin as it likes: final text is in another language.
    pub fn forget_prefix(&mut self) {
        self.draft.forget_prefix();
        self.next_draft.forget_prefix();
    }

    /// Whether as many windows are being transcribed as may be.
    pub fn is_waiting(&self) -> bool {
        self.in_flight.len() >= self.limits.windows_at_a_time
    }

    /// Place of the window whose transcript is to be accepted next.
    pub fn awaited(&self) -> Option<u64> {
        self.in_flight.front().map(|cut| cut.place.start)
    }

    /// Takes the transcript of the first of the windows that are being transcribed and gives its text.
    ///
    /// Does nothing if no window is being transcribed.
    pub fn accept(&mut self, transcript: WindowTranscript) -> Text {
        let Some(Cut { place, reason }) = self.in_flight.pop_front() else {
            return Text::default();
        };
        let heard_samples = place.end;
        let (length, consumed) = ((place.end - place.start) as usize, transcript.consumed_samples);
        let cue = Cue {
            language: transcript.written.clone(),
            average_log_probability: transcript.average_log_probability,
            ..Cue::nothing(0)
        };
        let mut said = Said { said_samples: self.said_samples, word_samples: self.word_samples };
        let cues = |segments: Vec<Segment>, said: &mut Said| -> Vec<Cue> {
            segments.into_iter().map(|segment| said.cue(&place, segment, &cue)).collect()
        };
        let extent = match reason {
            Reason::Glance => {
                return Text { tail: joined(cues(transcript.segments, &mut said)), heard_samples, ..Text::default() };
            }
            Reason::Update => Extent::Policy { has_paused: self.is_quiet_at_end(&place) },
            Reason::Flush(until) => Extent::Until(until.saturating_sub(place.start) as usize),
            Reason::Pause | Reason::End => Extent::Whole,
        };
        let was_given = !self.draft.prefix().is_empty();
        let drafted = if self.limits.is_growing {
            self.draft.take(transcript, length, extent)
        } else {
            Drafted { finals: transcript.segments, ..Drafted::default() }
        };
        let is_voiced = |end: usize, least| self.voiced_behind(end, &place) >= least;
        // A decoder that was given the beginning of a text may take it for the whole.
        let drafted_end = drafted.end_samples.map(|end| end.max(self.draft.said_samples()));
        let written = drafted_end.filter(|end| is_voiced(*end, LEAST_GROWN_REST_VOICED_SAMPLES));
        let consumed = written.map_or(consumed, |end| end.min(consumed)).max(self.draft.said_samples()).min(length);
        let is_long = consumed + LEAST_REST_SAMPLES < length;
        let has_rest = match self.limits.is_growing {
            true => written.is_some() || is_long && !self.is_quiet(&(place.start + consumed as u64..place.end)),
            false => is_long || is_voiced(consumed, LEAST_REST_VOICED_SAMPLES),
        };
        if reason == Reason::Update && written.is_some_and(|end| is_voiced(end, STUCK_VOICED_SAMPLES)) {
            self.draft.forget_prefix();
        }
        let finals = cues(drafted.finals, &mut said);
        (self.said_samples, self.word_samples) = (said.said_samples, said.word_samples);
        let tail = joined(cues(drafted.tail, &mut said));
        if reason == Reason::End {
            self.begin_next_draft(place.end);
        }
        let whole_to = match has_rest {
            true => self.leave_rest(Cut { place, reason }, consumed, was_given),
            false => heard_samples,
        };
        self.forget();
        self.listen();
        if self.rest.is_none() {
            let settled = match reason {
                Reason::Glance | Reason::Update => self.settled_samples,
                Reason::Flush(until) => until.saturating_sub(LATE_SAMPLES),
                Reason::Pause | Reason::End => heard_samples,
            };
            self.settle(settled.min(whole_to));
        }
        let is_whole =
            self.rest.is_none() && whole_to == heard_samples && matches!(reason, Reason::Pause | Reason::End);
        Text { finals, tail, heard_samples, is_whole }
    }

    /// The text of the window that follows on the last one, at this place.
    fn begin_next_draft(&mut self, place: u64) {
        let next = std::mem::replace(&mut self.next_draft, Draft::new(self.policy));
        self.begin_draft(next, place);
    }

    fn begin_draft(&mut self, draft: Draft, place: u64) {
        (self.draft, self.draft_samples) = (draft, place);
    }

    /// Has what follows on the first `consumed` samples of a window transcribed again: all of it if it was given its beginning, else with what
    /// was said shortly before. Up to where the window is whole if nobody but the window that ends it hears the rest again.
    fn leave_rest(&mut self, Cut { place, reason }: Cut, consumed: usize, was_given: bool) -> u64 {
        let rest = on_grid(place.start + consumed as u64)..place.end;
        let whole_to = place.end;
        let is_worth_it = consumed >= LEAST_ADVANCE_SAMPLES;
        if rest.start >= reason.awaited_to(place.end) {
            return whole_to;
        }
        if reason == Reason::End {
            // What is final behind the window leaves nothing to be said in it.
            if is_worth_it && self.draft.prefix().is_empty() {
                self.rest = Some(Cut { place: rest, reason });
            }
        } else if was_given && self.draft.forget_prefix() {
            self.rest = Some(Cut { place, reason });
        } else if is_worth_it && let Some(begin) = self.restart(place.start, rest.start) {
            let draft = self.draft.split((begin - place.start) as usize);
            self.begin_draft(draft, begin);
            self.rest = Some(Cut { place: begin..place.end, reason });
        } else if is_worth_it {
            self.transcribed_samples = self.transcribed_samples.min(rest.start);
            return rest.start;
        }
        whole_to
    }

    /// Lets the open window begin anew for what follows on `place`: with what was said shortly before if its text can begin with that. Where.
    fn restart(&mut self, begin: u64, place: u64) -> Option<u64> {
        let kept_samples = if self.draft.prefix().is_empty() { 0 } else { self.limits.kept_samples };
        self.cutter.restart(begin, place, kept_samples as u64, &self.heard)
    }

    /// Whether everything is final that was said in the open window before `place`.
    fn is_final_to(&self, place: u64) -> bool {
        let said = self.draft_samples + self.draft.said_samples() as u64;
        said >= place || self.is_quiet(&(said..place))
    }

    /// How much of a voice was heard in a window behind its first `consumed` samples.
    fn voiced_behind(&self, consumed: usize, place: &Range<u64>) -> usize {
        let behind = (place.start + consumed as u64).min(place.end)..place.end;
        self.cutter.voiced(&behind).iter().filter(|is_voiced| **is_voiced).count() * HOP_SAMPLES
    }

    /// Whether a voice was heard in the last 0.3 s: what comes next may belong to its word.
    pub fn ends_in_voice(&self) -> bool {
        self.cutter.voiced(&quiet_end(self.cutter.seen())).contains(&true)
    }

    /// Whether the voice has paused at a window's end for as long as between two words.
    fn is_quiet_at_end(&self, place: &Range<u64>) -> bool {
        let quiet = quiet_end(place.end);
        quiet.start > place.start && self.is_quiet(&quiet)
    }

    /// Whether a voice was listened for at this place, and none was heard.
    fn is_quiet(&self, place: &Range<u64>) -> bool {
        let voiced = self.cutter.voiced(place);
        !voiced.is_empty() && voiced.iter().all(|is_voiced| !is_voiced)
    }

    /// A window, unless its last frame sees samples that are still to come.
    fn cut(&self, Cut { place, reason }: &Cut) -> Option<Window> {
        let log_mel = self.spectrogram.window(place)?.to_vec();
        let is_last = self.ended && place.end == self.heard.end();
        let prefix = if *reason == Reason::Glance { Vec::new() } else { self.draft.prefix().to_vec() };
        Some(Window {
            stream: self.owner.clone(),
            start_samples: place.start,
            length_samples: (place.end - place.start) as usize,
            log_mel,
            voiced: self.cutter.voiced(place),
            is_last,
            purpose: match reason {
                Reason::Glance => Purpose::Glance,
                Reason::Update => Purpose::Draft,
                Reason::Pause | Reason::Flush(_) if self.policy.commits_updates() => Purpose::Close,
                Reason::Flush(_) => Purpose::Part,
                Reason::Pause if !prefix.is_empty() => Purpose::Part,
                Reason::Pause | Reason::End => Purpose::Final,
            },
            prefix,
        })
    }

    /// Drops what no window will need. It moves what stays, so it waits until that is worth it.
    fn forget(&mut self) {
        self.spectrogram.forget(self.needed_samples());
        self.cutter.forget_voiced(self.needed_samples());
        let Heard { start, samples } = &mut self.heard;
        let unneeded = (self.cutter.needed() - *start) as usize;
        if unneeded > samples.len() / 2 {
            samples.drain(..unneeded);
            *start += unneeded as u64;
        }
    }

    /// Whether the stream ended and everything was transcribed.
    pub fn is_done(&self) -> bool {
        self.ended && self.in_flight.is_empty() && self.rest.is_none() && self.cutter.is_done()
    }

    /// Everything before `place` is final, and so is the silence that lasts if nothing else is to be written.
    fn settle(&mut self, place: u64) {
        let silent = self.cutter.silent_to().filter(|_| self.in_flight.is_empty() && self.rest.is_none());
        self.settled_samples = self.settled_samples.max(place).max(silent.unwrap_or_default());
    }

    /// Everything before this place is final. It never goes back.
    pub fn position_samples(&self) -> u64 {
        let settled = if self.limits.is_growing { self.settled_samples } else { 0 };
        self.needed_samples().max(self.said_samples).max(settled)
    }

    /// Everything before this place is in no window that is to come.
    fn needed_samples(&self) -> u64 {
        let rest = self.rest.as_ref().map(|rest| rest.place.start);
        rest.or(self.awaited()).unwrap_or(self.cutter.begin()).min(self.cutter.begin())
    }

    /// Samples that were heard and are not final.
    pub fn pending_samples(&self) -> usize {
        self.heard.end().saturating_sub(self.position_samples()) as usize
    }
}
