//! The sink pad: audio and events enter the queue.

use std::ops::ControlFlow;

use gst::{prelude::*, subclass::prelude::*};

use super::{CAT, WhisperNpu};
use crate::{
    element::{
        errors::{self, Fault},
        input::{self, Admitted, Bridge},
        queue::Audio,
        text,
        time_line::TimeLine,
    },
    lock::lock,
};

impl WhisperNpu {
    pub(super) fn sink_chain(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        // What nobody took leaves a hole.
        self.take_in(buffer).inspect_err(|_| drop(lock(&self.input).end()))
    }

    fn take_in(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        gst::trace!(CAT, imp = self, "Heard {buffer:?}");
        self.queue.outcome()?;
        if lock(&self.input).line.backwards().is_some() {
            return Ok(gst::FlowSuccess::Ok);
        }
        self.learn_liveness();
        let buffer = self.stamp(buffer);
        self.settle_segment(buffer.pts());
        let admitted = lock(&self.input).admit(buffer);
        let Admitted { before, buffer, heard_frames } = admitted.map_err(|fault| errors::report(self, &fault))?;
        self.hear(before)?;
        if let Some(buffer) = buffer {
            self.convert(&buffer, heard_frames)?;
        }
        self.queue.outcome()
    }

    /// Converts a buffer from this frame on second by second, so that a long one needs little memory.
    fn convert(&self, buffer: &gst::BufferRef, from: usize) -> Result<(), gst::FlowError> {
        let report = |fault: Fault| errors::report(self, &fault);
        let info = lock(&self.input).info().map_err(report)?;
        let audio = input::map(buffer, &info).map_err(report)?;
        let frames = input::frames(&audio, &info);
        let step = info.rate() as usize;
        for start in (from..frames).step_by(step) {
            let converted = lock(&self.input).convert(&audio, start..frames.min(start + step));
            self.hear(converted.map_err(report)?)?;
        }
        Ok(())
    }

    /// Hands samples to the task.
    fn hear(&self, audio: Option<Audio>) -> Result<(), gst::FlowError> {
        let audio = audio.map(|audio| {
            let arrived = self.now().filter(|_| audio.is_live);
            Audio { arrived, ..audio }
        });
        let damaged_samples = std::mem::take(&mut lock(&self.input).damaged_samples);
        let heard_samples = audio.as_ref().map_or(0, |audio| audio.samples.len() as u64);
        let dropped = audio.map_or_else(|| Ok(Vec::new()), |audio| self.queue.push_audio(audio))?;
        let is_first_damage = {
            let mut stats = lock(&self.stats);
            let is_first_damage = stats.damaged_samples == 0 && damaged_samples > 0;
            stats.damaged_samples += damaged_samples;
            stats.heard_samples += heard_samples;
            is_first_damage
        };
        if is_first_damage {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Decode,
                ("the audio has samples that are no numbers; they are heard as silence, and counted in stats")
            );
        }
        if let Some(first) = dropped.first() {
            let at = lock(&self.input).times(first);
            self.report_skipped(dropped.iter().map(|audio| audio.samples.len() as u64).sum(), first.arrived, at);
        }
        Ok(())
    }

    /// Asks upstream whether it is live, once a stream and where that may have changed, which ends a stretch.
    fn learn_liveness(&self) {
        let (is_doubted, before) = {
            let mut input = lock(&self.input);
            (std::mem::take(&mut input.is_liveness_doubted), input.is_live)
        };
        if before.is_some() && !is_doubted {
            return;
        }
        let answer = self.ask_upstream().map(|(is_live, ..)| is_live);
        let is_live = answer.or(before).unwrap_or(false);
        if before == Some(is_live) {
            return;
        }
        gst::debug!(CAT, imp = self, "The pipeline is {}live", if is_live { "" } else { "not " });
        self.end_stretch();
        lock(&self.input).is_live = Some(is_live);
    }

    /// What comes without a timestamp behind a stop of a live source is what sounded just now.
    fn stamp(&self, mut buffer: gst::Buffer) -> gst::Buffer {
        if buffer.pts().is_some() || !lock(&self.input).is_over {
            return buffer;
        }
        let began = self.running_time().zip(self.upstream_latency()).and_then(|(now, upstream)| {
            let input = lock(&self.input);
            let duration = input.duration(buffer.size())?;
            input.line.position(now.saturating_sub(upstream).saturating_sub(duration))
        });
        buffer.make_mut().set_pts(began);
        buffer
    }

    /// A live upstream is kept waiting by no query for what is done downstream: samples are copied, so nothing of its is held here.
    pub(super) fn sink_query(&self, query: &mut gst::QueryRef) -> bool {
        query.type_() == gst::QueryType::Drain || gst::Pad::query_default(&self.sinkpad, Some(&*self.obj()), query)
    }

    pub(super) fn sink_event(&self, event: gst::Event) -> bool {
        use gst::EventView;
        gst::debug!(CAT, imp = self, "Received {event:?}");
        match event.view() {
            EventView::FlushStart(_) => self.flush_start(event),
            EventView::FlushStop(_) => self.flush_stop(event),
            EventView::StreamStart(_) => {
                self.end_stretch();
                lock(&self.input).end_line();
                lock(&self.input).is_live = None;
                self.queue.push_event(event)
            }
            EventView::Caps(caps) => self.sink_caps(caps.caps()) && self.queue.push_event(event),
            EventView::Segment(segment) => {
                let line = TimeLine::new(segment);
                let (is_time, backwards) = (line.segment().is_some(), line.backwards());
                // Downstream that had enough of it may want it again.
                let may_go_on = self.queue.failure().is_ok() && lock(&self.input).may_go_on_in(&line);
                if !may_go_on {
                    self.end_stretch();
                }
                lock(&self.input).set_line(line);
                if may_go_on {
                    lock(&self.input).announced = Some(event);
                    return true;
                }
                if !is_time {
                    let received = format!("{:?}", segment.segment().format()).to_lowercase();
                    self.queue.refuse(errors::report(self, &Fault::SegmentFormat { received }));
                    return true;
                }
                let is_taken = self.queue.push_event(event);
                if let Some([start, end]) = backwards {
                    self.leave_out(start, end);
                }
                is_taken
            }
            EventView::Gap(gap) => {
                let (start, duration) = gap.get();
                self.settle_segment(Some(start));
                let end = start.saturating_add(duration.unwrap_or(gst::ClockTime::ZERO));
                let bridge = lock(&self.input).bridge(end);
                match bridge {
                    Bridge::Stretch(silence) => self.hear(silence).is_ok(),
                    Bridge::End(tail) => {
                        let _ = self.hear(tail);
                        self.queue.push_event(event)
                    }
                }
            }
            EventView::Eos(_) | EventView::SegmentDone(_) | EventView::StreamGroupDone(_) => {
                self.end_stretch();
                lock(&self.input).end_line();
                let is_eos = event.type_() == gst::EventType::Eos;
                let is_taken = self.queue.push_event(event);
                if is_eos && let Err(flow) = self.queue.failure() {
                    self.report_unseen(flow);
                }
                is_taken
            }
            _ if event.is_serialized() => self.queue.push_event(event),
            _ => gst::Pad::event_default(&self.sinkpad, Some(&*self.obj()), event),
        }
    }

    fn sink_caps(&self, caps: &gst::CapsRef) -> bool {
        let info = gst_audio::AudioInfo::from_caps(caps)
            .map_err(|error| Fault::Caps { caps: caps.to_string(), reason: error.to_string() });
        let tail = info.and_then(|info| lock(&self.input).set_format(info));
        match tail {
            Ok(tail) => self.hear(tail).is_ok(),
            Err(fault) => {
                let _ = errors::report(self, &fault);
                false
            }
        }
    }

    /// A segment that was announced again is passed on if what comes next goes back in it; else the stretch goes on.
    fn settle_segment(&self, time: Option<gst::ClockTime>) {
        let going_back = lock(&self.input).going_back_at(time);
        if let Some(event) = going_back {
            self.end_stretch();
            self.queue.push_event(event);
        }
    }

    /// What the resampler holds back is heard; the next buffer starts a stretch of its own. A flush that comes in between is
    /// no matter: it drops both.
    fn end_stretch(&self) {
        let tail = lock(&self.input).end();
        let _ = self.hear(tail);
    }

    /// Speech that plays backwards is none: one gap stands for it.
    fn leave_out(&self, start: gst::ClockTime, end: gst::ClockTime) {
        gst::element_imp_warning!(
            self,
            gst::StreamError::NotImplemented,
            ("audio that plays backwards is not transcribed: there is text again when it plays forwards")
        );
        self.queue.push_event(gst::event::Gap::builder(start).duration(end.saturating_sub(start)).build());
    }

    fn flush_start(&self, event: gst::Event) -> bool {
        self.queue.flush();
        self.loader.wake();
        self.unsynced_srcpad.push_event(event.clone());
        let is_taken = self.srcpad.push_event(event);
        self.stop_task();
        is_taken
    }

    fn flush_stop(&self, event: gst::Event) -> bool {
        {
            let mut input = lock(&self.input);
            input.end();
            input.set_line(TimeLine::default());
            input.is_liveness_doubted = true;
        }
        self.unsynced_srcpad.push_event(event.clone());
        let is_taken = self.srcpad.push_event(event);
        self.queue.start();
        self.restore_sticky();
        self.start_task();
        is_taken
    }

    /// A flush may have caught sticky events in the queue; what they say outlives it. A segment does not.
    fn restore_sticky(&self) {
        use gst::EventView;
        let (mut stream_id, mut pushed) = (None, Vec::new());
        self.srcpad.sticky_events_foreach(|event| {
            match event.view() {
                EventView::StreamStart(start) => stream_id = Some(start.stream_id().to_owned()),
                _ => pushed.push((event.type_(), event.seqnum())),
            }
            ControlFlow::Continue(gst::EventForeachAction::Keep)
        });
        self.sinkpad.sticky_events_foreach(|event| {
            let is_missing = match event.view() {
                EventView::StreamStart(start) => stream_id.as_deref() != Some(text::stream_id(start).as_str()),
                EventView::Caps(_) => !self.srcpad.has_current_caps(),
                EventView::Segment(_) | EventView::Eos(_) => false,
                _ => !pushed.contains(&(event.type_(), event.seqnum())),
            };
            if is_missing {
                self.queue.push_event(event.clone());
            }
            ControlFlow::Continue(gst::EventForeachAction::Keep)
        });
    }
}
