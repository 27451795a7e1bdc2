//! The task's half of the data path: samples become windows, windows text, and text leaves with the gaps and events that
//! belong to it, in order.

use std::time::Instant;

use gst::{ClockTime, FlowError, prelude::*, subclass::prelude::*};

use super::{
    context::Context,
    errors::{self, Fault},
    imp::{CAT, WhisperNpu},
    lag::Effort,
    latency::{self, clock_time},
    loader::Loaded,
    output::{Output, Piece},
    position,
    queue::{Audio, Item as Queued},
    run::{self, InFlight, Run},
    settings::{Settings, WhisperNpuGranularity},
    subtitle::{self, Item, Spoken},
    text,
    time_line::TimeLine,
    unsynced,
    watch::{self, Watch},
};
use crate::{
    Error,
    decoder::Options,
    scheduler::Engine,
    stream::{Cue, Text},
    transcript::WindowTranscript,
};

/// The language of a live stream is not decided by less: 2 s.
const LEAST_HEARD_SAMPLES: usize = 32_000;

/// One stream on its way to text; starts anew after each flush.
pub(super) struct Transcription {
    generation: u64,
    loaded: Option<Loaded>,
    run: Option<Run>,
    output: Output,
    line: TimeLine,
    /// The language that downstream was told.
    tagged: Option<String>,
    watch: Watch,
    context: Context,
}

impl Transcription {
    /// Nothing heard, nothing said.
    pub fn new(generation: u64) -> Self {
        Self {
            generation,
            loaded: None,
            run: None,
            output: Output::default(),
            line: TimeLine::default(),
            tagged: None,
            watch: Watch::default(),
            context: Context::default(),
        }
    }

    /// The flush that this stream came after.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes the next entry of the queue and pushes what follows from it.
    pub fn take(&mut self, element: &WhisperNpu, item: Queued) -> Result<(), FlowError> {
        match item {
            Queued::Audio(audio) => {
                if self.run.is_none() {
                    self.watch.restart();
                }
                let length = position::time(ClockTime::ZERO, audio.longest_samples as u64);
                self.watch.end(element.now(), length, latency::listening(element.settings().latency_ms));
                self.hear(element, audio)?;
                self.watch.begin(element.now());
                Ok(())
            }
            Queued::Event(event) => {
                self.event(element, event)?;
                // A source that sends nothing but events has stopped all the same.
                if self.run.is_some() { self.wait(element) } else { Ok(()) }
            }
        }
    }

    /// Nothing came for a moment. When a live source has stopped, what it said is written and its time goes on without it.
    pub fn wait(&mut self, element: &WhisperNpu) -> Result<(), FlowError> {
        let now = element.now();
        self.watch.begin(now);
        if self.run.as_ref().is_some_and(|run| run.is_over(&self.watch, now, element.settings().latency_ms)) {
            let tail = element.stop_input();
            if let Some(tail) = tail.filter(|tail| self.run.as_ref().is_some_and(|run| run.is_followed_by(tail))) {
                self.hear(element, Audio { arrived: now, ..tail })?;
            }
            self.finish(element)?;
        }
        self.stand_by(element)
    }

    /// Gives up the stretch: nobody takes its text.
    pub fn abandon(&mut self, element: &WhisperNpu) {
        self.run = None;
        element.hold_latency(None);
    }

    /// Pushes the gap that is due in a live pipeline, where nothing can be said in time any more.
    fn stand_by(&mut self, element: &WhisperNpu) -> Result<(), FlowError> {
        let Some(now) = element.running_time().filter(|_| self.run.is_none()) else { return Ok(()) };
        let Some(upstream) = element.upstream_latency() else { return Ok(()) };
        // In time until somebody looks again.
        let soon = now.saturating_add(clock_time(2 * watch::LOOK));
        let due =
            soon.checked_sub(clock_time(latency::own_latency(element.settings().latency_ms)).saturating_add(upstream));
        let end = due.and_then(|due| self.line.position(due));
        end.map_or(Ok(()), |end| self.pass(element, end))
    }

    fn hear(&mut self, element: &WhisperNpu, audio: Audio) -> Result<(), FlowError> {
        if !self.run.as_ref().is_some_and(|run| run.is_followed_by(&audio)) {
            self.finish(element)?;
            self.output.mark_discont();
            let settings = element.settings();
            let start = position::time(audio.anchor, audio.start_samples);
            let was_moved = self.output.moved(start).is_some();
            let loaded = self.loaded(element)?;
            element.hold_latency(audio.is_live.then_some(settings.latency_ms));
            self.run = Some(Run::new(&audio, self.line.rate(), &settings, &loaded));
            if let Some(moved) = self.output.moved(start) {
                element.report_moved(start, moved, was_moved);
            }
            self.cover(element, start)?;
            // Lets a sink behind either pad preroll before there is text: else what is told at once fills a queue behind `unsynced_src`,
            // and whoever pushes there waits for a sink that waits for the other's.
            if audio.is_live
                && element.unsynced_srcpad().is_linked()
                && let Some([start, end]) = self.output.open()
            {
                self.push_gap(element, start, end)?;
            }
        }
        if let Some(run) = &mut self.run {
            run.stream.push(&audio.samples).map_err(|error| errors::report(element, &error.into()))?;
            run.heard_samples += audio.samples.len() as u64;
            run.lag.hear(run.heard_samples, audio.arrived);
        }
        // All that has come is heard before a window that still grows is transcribed.
        if audio.is_live && element.queue().is_audio_next() {
            return Ok(());
        }
        self.transcribe(element, false)
    }

    fn event(&mut self, element: &WhisperNpu, event: gst::Event) -> Result<(), FlowError> {
        use gst::EventView;
        match event.view() {
            EventView::StreamStart(start) => {
                self.finish(element)?;
                self.context = Context::default();
                self.tagged = None;
                self.line = TimeLine::default();
                self.push_event(element, text::stream_start(start))
            }
            EventView::Caps(_) => self.push_caps(element),
            EventView::Segment(segment) => {
                self.finish(element)?;
                self.context.forget_text();
                self.line = TimeLine::new(segment);
                self.output.begin(self.line.start());
                self.push_caps(element)?;
                self.push_event(element, event)
            }
            EventView::Gap(gap) => {
                self.finish(element)?;
                let (start, duration) = gap.get();
                self.pass(element, start.saturating_add(duration.unwrap_or(ClockTime::ZERO)))
            }
            // What tags say about a stream, they say about the audio.
            EventView::Tag(tag) if tag.tag().scope() == gst::TagScope::Stream => Ok(()),
            EventView::Eos(_) | EventView::SegmentDone(_) | EventView::StreamGroupDone(_) => {
                self.finish(element)?;
                self.push_event(element, event)
            }
            _ => self.push_event(element, event),
        }
    }

    /// Transcribes what is left of the stretch and closes its time line.
    fn finish(&mut self, element: &WhisperNpu) -> Result<(), FlowError> {
        if let Some(run) = &mut self.run {
            run.stream.end().map_err(|error| errors::report(element, &error.into()))?;
            self.transcribe(element, true)?;
            self.conclude(element)?;
        }
        if let Some(run) = self.run.take() {
            self.cover(element, run.time(run.heard_samples))?;
            element.hold_latency(None);
        }
        self.output.settle().map_or(Ok(()), |[start, end]| self.push_gap(element, start, end))
    }

    /// What was told and is not said is taken back, and the line that is open ends.
    fn conclude(&mut self, element: &WhisperNpu) -> Result<(), FlowError> {
        self.tell(element, None, None)?;
        if !self.run.as_mut().is_some_and(|run| std::mem::take(&mut run.is_open)) {
            return Ok(());
        }
        let end = gst::Structure::new_empty(subtitle::FINAL_TRANSCRIPT);
        self.push_event(element, gst::event::CustomDownstream::builder(end).seqnum_if_some(self.line.seqnum).build())
    }

    /// Hands complete windows to the engine and pushes the text that is there. Waits for all of it at the end, in a live
    /// pipeline, and where nothing else is to do; else only if the engine has as many windows as it takes.
    fn transcribe(&mut self, element: &WhisperNpu, is_end: bool) -> Result<(), FlowError> {
        loop {
            self.keep_up(element)?;
            let is_full = self.submit(element)?;
            let is_awaited = is_end || is_full || element.queue().is_empty();
            let Some(run) = &mut self.run else { return Ok(()) };
            let ready = run.windows.pop_front_if(|window| is_awaited || run.is_live || window.ticket.is_ready());
            let Some(window) = ready else { break };
            let Some(transcript) = self.collect(element, window)? else { continue };
            let Some(run) = &mut self.run else { return Ok(()) };
            let probability = transcript.language_probability;
            let Text { finals, tail, is_whole, .. } = run.stream.accept(transcript);
            if !finals.is_empty() {
                run.is_open = true;
                run.tail.clear();
            }
            finals.into_iter().try_for_each(|cue| self.say(element, cue, probability))?;
            self.tell(element, tail, probability)?;
            if is_whole {
                self.conclude(element)?;
            }
        }
        let Some(run) = &self.run else { return Ok(()) };
        let is_final_to = run.time(run.stream.position_samples());
        self.pass(element, is_final_to)
    }

    /// Gives up what cannot be written in time any more.
    fn keep_up(&mut self, element: &WhisperNpu) -> Result<(), FlowError> {
        let longest = latency::longest_delay(&element.settings());
        let Some(run) = &mut self.run else { return Ok(()) };
        let position = run.stream.position_samples();
        run.lag.forget(position);
        let Some(now) = element.now().filter(|_| run.windows.is_empty()) else { return Ok(()) };
        match run.lag.skip(position, now, longest) {
            Some(place) => self.skip(element, place),
            None => Ok(()),
        }
    }

    /// Gives up what was heard before `place` and not written.
    fn skip(&mut self, element: &WhisperNpu, place: u64) -> Result<(), FlowError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let from = run.stream.position_samples();
        let arrived = run.lag.arrived(from);
        run.stream.skip(place);
        let to = run.stream.position_samples();
        let start = run.time(from);
        if to > from {
            element.report_skipped(to - from, arrived, self.line.times(start));
            self.output.mark_discont();
        }
        let end = run.time(to);
        self.conclude(element)?;
        self.cover(element, end)
    }

    /// Hands windows to the engine; answers whether it takes no more before one is done.
    fn submit(&mut self, element: &WhisperNpu) -> Result<bool, FlowError> {
        loop {
            let settings = element.settings();
            // Until a language is heard, one window decides for all.
            let asked = settings.options();
            let is_deciding = asked.as_ref().is_ok_and(|asked| self.context.is_sequential(asked));
            let Some(run) = &mut self.run else { return Ok(false) };
            if is_deciding && !run.windows.is_empty() {
                return Ok(true);
            }
            if let Some(asked) = asked.ok().filter(|_| run.windows.is_empty()) {
                run.ask(&asked);
            }
            let effort = run.effort(element, &settings);
            run.stream.expect(position::frames(clock_time(run.lag.expected()), latency::SAMPLE_RATE));
            run.stream.hurry(effort > Effort::Full);
            let Some(window) = run.stream.window() else {
                return Ok(run.stream.is_waiting());
            };
            let (is_live, is_first) = (run.is_live, run.stream.awaited() == Some(window.start_samples));
            let engine = self.loaded(element)?.engine;
            let (options, language_probability) =
                self.options(&engine, &settings).map_err(|fault| errors::report(element, &fault))?;
            let options = if is_live { run::growing(options) } else { options };
            let options = if effort == Effort::Hasty { options.hasty() } else { options };
            let (place, samples) = (window.start_samples, window.length_samples);
            let ticket = engine.submit(window, options, latency::urgency(is_live, settings.latency_ms));
            element.queue().hold(self.generation, place, ticket.canceller()).map_err(|_| FlowError::Flushing)?;
            let window = InFlight { place, samples, ticket, since: Instant::now(), effort, language_probability };
            let Some(run) = &mut self.run else { return Ok(false) };
            if is_first { run.windows.push_front(window) } else { run.windows.push_back(window) }
        }
    }

    /// Waits for a window's transcript, in a live pipeline no longer than its text may take; gives it up then. The probability of its
    /// language is in it even if that was detected before.
    fn collect(&mut self, element: &WhisperNpu, window: InFlight) -> Result<Option<WindowTranscript>, FlowError> {
        let longest = latency::longest_delay(&element.settings());
        let Some(run) = &mut self.run else { return Ok(None) };
        let deadline = run.lag.deadline(run.stream.position_samples(), longest).filter(|_| run.is_live);
        let result = window.wait(element, deadline);
        let InFlight { place, samples, since, effort, language_probability, .. } = window;
        element.queue().release(place);
        let Some(result) = result else {
            run.lag.fear(effort, since.elapsed());
            let now = element.now().unwrap_or(deadline.unwrap_or_default());
            let to = run.lag.skip(run.stream.position_samples(), now, longest).unwrap_or(run.heard_samples);
            self.skip(element, to)?;
            return Ok(None);
        };
        run.lag.learn(effort, since.elapsed());
        let is_enough = !run.is_live || samples >= LEAST_HEARD_SAMPLES;
        let mut transcript = result.map_err(|error| errors::report(element, &error.into()))?;
        if is_enough {
            self.context.learn(&transcript);
        }
        transcript.language_probability = transcript.language_probability.or(language_probability);
        let timings = transcript.timings;
        element.count(|stats| {
            stats.windows += 1;
            stats.hasty_windows += u64::from(effort == Effort::Hasty);
            stats.inference += timings.encoder + timings.decoder;
        });
        gst::info!(
            CAT,
            imp = element,
            "window of {samples} samples at {place}: {} segments, {} samples consumed in {:?} ({timings:?})",
            transcript.segments.len(),
            transcript.consumed_samples,
            since.elapsed(),
        );
        Ok(Some(transcript))
    }

    /// The model; waits for it. That it could not be loaded has been reported by whoever tried.
    fn loaded(&mut self, element: &WhisperNpu) -> Result<Loaded, FlowError> {
        if let Some(loaded) = &self.loaded {
            return Ok(loaded.clone());
        }
        loop {
            let result = element.loader().wait(watch::LOOK, || element.queue().is_outdated(self.generation));
            let Some(loaded) = result.map_err(|_| FlowError::Flushing)? else {
                self.stand_by(element)?;
                continue;
            };
            let loaded = loaded.map_err(|_: Error| FlowError::Error)?;
            self.loaded = Some(loaded.clone());
            return Ok(loaded);
        }
    }

    fn options(&mut self, engine: &Engine, settings: &Settings) -> Result<(Options, Option<f32>), Fault> {
        Ok(self.context.next(settings.options()?, |asked| engine.check(asked))?)
    }

    /// Tells what may still change, if it has changed since that was told.
    fn tell(&mut self, element: &WhisperNpu, tail: Option<Cue>, probability: Option<f32>) -> Result<(), FlowError> {
        let settings = element.settings();
        let tail = tail.filter(|_| settings.partials);
        let Some(run) = &mut self.run else { return Ok(()) };
        let is_new = tail.as_ref().map_or("", |tail| tail.text.as_str()) != run.tail;
        if !is_new || !run.is_live {
            return Ok(());
        }
        let at_end = || Cue::nothing(run.stream.position_samples());
        let cue = tail.unwrap_or_else(at_end);
        run.tail.clone_from(&cue.text);
        let is_taken_back = cue.language.is_empty();
        let language = self.tagged.clone().filter(|_| is_taken_back).unwrap_or_else(|| cue.language.clone());
        let spoken = Spoken { language, probability };
        for item in Item::of(cue, WhisperNpuGranularity::Segment) {
            let Some(run) = &self.run else { return Ok(()) };
            self.announce(element, &item, &spoken, self.span(run, &item), false)?;
        }
        Ok(())
    }

    fn say(&mut self, element: &WhisperNpu, cue: Cue, probability: Option<f32>) -> Result<(), FlowError> {
        let settings = element.settings();
        let language = cue.language.clone();
        if self.tagged.as_ref() != Some(&language) {
            let tag = gst::event::Tag::builder(text::language_tag(&language)).seqnum_if_some(self.line.seqnum);
            self.push_event(element, tag.build())?;
            self.tagged = Some(language.clone());
        }
        let spoken = Spoken { language, probability };
        Item::of(cue, settings.granularity).into_iter().try_for_each(|item| self.say_item(element, &item, &spoken))
    }

    fn say_item(&mut self, element: &WhisperNpu, item: &Item, spoken: &Spoken) -> Result<(), FlowError> {
        let Some(run) = &self.run else { return Ok(()) };
        let [start, end] = self.span(run, item);
        for piece in self.output.say(start, end, &item.text) {
            match piece {
                Piece::Gap { start, end } => self.push_gap(element, start, end)?,
                Piece::Text { start, end, text, discont } => {
                    let at = |samples| self.line.running(run.time(samples));
                    let times = [start, end].map(|time| self.line.running(time));
                    self.announce(element, item, spoken, [start, end], true)?;
                    if let [Some(start), Some(end)] = times {
                        element.sinkpad().push_event(subtitle::new_item(&text, start, end.saturating_sub(start)));
                    }
                    gst::debug!(CAT, imp = element, "{start} to {end}: {text}");
                    let mut buffer = text::buffer(start, end, text, discont);
                    if let Some(buffer) = buffer.get_mut()
                        && let Ok(mut meta) = gst::meta::CustomMeta::add(buffer, subtitle::META)
                    {
                        item.describe(meta.mut_structure(), spoken, &at);
                    }
                    element.queue().stay(self.generation)?;
                    element.count(|stats| stats.cues += 1);
                    if let Some(end) = times[1].filter(|_| run.is_live) {
                        element.observe_delay(end);
                    }
                    element.push(|| element.srcpad().push(buffer))?;
                }
            }
        }
        Ok(())
    }

    /// The PTS from which and to which it is said.
    fn span(&self, run: &Run, item: &Item) -> [ClockTime; 2] {
        self.line.clip([item.start_samples, item.end_samples].map(|place| run.time(place)))
    }

    /// Says in an event, a message and a line of JSON what is said or may be.
    fn announce(
        &self,
        element: &WhisperNpu,
        item: &Item,
        spoken: &Spoken,
        span: [ClockTime; 2],
        is_final: bool,
    ) -> Result<(), FlowError> {
        let Some(run) = &self.run else { return Ok(()) };
        let at = |samples| self.line.running(run.time(samples));
        let times = span.map(|time| self.line.running(time));
        let said = item.structure(spoken, times, &at, is_final);
        let event = gst::event::CustomDownstream::builder(said.clone()).seqnum_if_some(self.line.seqnum);
        self.push_event(element, event.build())?;
        let message = gst::message::Element::builder(said).src(&*element.obj()).build();
        let _ = element.obj().post_message(message);
        element.push(|| unsynced::push(element, &unsynced::Said { item, spoken, is_final, span, times, at: &at }));
        Ok(())
    }

    fn cover(&mut self, element: &WhisperNpu, end: ClockTime) -> Result<(), FlowError> {
        self.output.cover(end).map_or(Ok(()), |[start, end]| self.push_gap(element, start, end))
    }

    fn pass(&mut self, element: &WhisperNpu, end: ClockTime) -> Result<(), FlowError> {
        self.output.pass(end).map_or(Ok(()), |[start, end]| self.push_gap(element, start, end))
    }

    fn push_gap(&self, element: &WhisperNpu, start: ClockTime, end: ClockTime) -> Result<(), FlowError> {
        let gap = gst::event::Gap::builder(start).duration(end - start);
        self.push_event(element, gap.seqnum_if_some(self.line.seqnum).build())
    }

    fn push_caps(&self, element: &WhisperNpu) -> Result<(), FlowError> {
        if element.srcpad().current_caps().is_some() {
            return Ok(());
        }
        let caps =
            gst::event::Caps::builder(&element.srcpad().pad_template_caps()).seqnum_if_some(self.line.seqnum).build();
        self.push_event(element, caps)
    }

    /// Pushes an event; what downstream makes of it shows with the next buffer.
    fn push_event(&self, element: &WhisperNpu, event: gst::Event) -> Result<(), FlowError> {
        element.queue().stay(self.generation)?;
        element.push(|| {
            unsynced::forward(element, &event);
            element.srcpad().push_event(event)
        });
        Ok(())
    }
}
