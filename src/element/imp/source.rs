//! The source pad: its task takes what is in the queue.

use std::{sync::atomic::Ordering, thread};

use gst::{prelude::*, subclass::prelude::*};

use super::{CAT, WhisperNpu};
use crate::{
    element::{errors, input::Input, latency, pushes::Pushes, transcription::Transcription, watch},
    lock::lock,
};

impl WhisperNpu {
    fn is_task(&self) -> bool {
        *lock(&self.task_thread) == Some(thread::current().id())
    }

    /// Starts the task, unless it is the task itself that asks, from within a push.
    pub(super) fn start_task(&self) {
        if self.is_task() {
            return;
        }
        self.is_reported.store(false, Ordering::Relaxed);
        self.hold_latency(None);
        *lock(&self.pushes) = Pushes::default();
        let weak = self.downgrade();
        let mut transcription = Transcription::new(0);
        let started = self.srcpad.start_task(move || {
            if let Some(element) = weak.upgrade() {
                element.iterate(&mut transcription);
            }
        });
        if started.is_err() {
            gst::element_imp_error!(self, gst::CoreError::Thread, ("the task of the source pad did not start"));
        }
    }

    /// Stops the task and waits until it has, unless it is the task itself that asks, from within a push.
    pub(super) fn stop_task(&self) {
        if !self.is_task() {
            let _ = self.srcpad.stop_task();
            *lock(&self.task_thread) = None;
        }
    }

    /// One turn of the task.
    fn iterate(&self, transcription: &mut Transcription) {
        *lock(&self.task_thread) = Some(thread::current().id());
        // Only a live source may stop without a word; until something came, nobody knows whether it is live.
        let patience = (lock(&self.input).is_live != Some(false)).then_some(watch::LOOK);
        let Ok((generation, item)) = self.queue.pop(patience) else {
            let _ = self.srcpad.pause_task();
            return;
        };
        if transcription.generation() != generation {
            *transcription = Transcription::new(generation);
            self.hold_latency(None);
        }
        let result = self.catch_panic(
            || Err(gst::FlowError::Error),
            |element| match item {
                Some(item) => transcription.take(element, item),
                None => transcription.wait(element),
            },
        );
        let Err(flow) = result else { return };
        gst::debug!(CAT, imp = self, "Stopping: {flow:?}");
        transcription.abandon(self);
        if let Ok(has_eos) = self.queue.fail(generation, flow)
            && has_eos
        {
            self.report_unseen(flow);
        }
    }

    /// The bus has heard why this stream fails.
    pub(in crate::element) fn mark_reported(&self) {
        self.is_reported.store(true, Ordering::Relaxed);
    }

    /// Upstream sees what downstream answered with its next buffer; after EOS there is none, so the bus must hear of it.
    pub(super) fn report_unseen(&self, flow: gst::FlowError) {
        let is_fault = !matches!(flow, gst::FlowError::Flushing | gst::FlowError::Eos);
        if is_fault && !self.is_reported.swap(true, Ordering::Relaxed) {
            errors::report_flow(self, flow);
        }
        self.srcpad.push_event(gst::event::Eos::new());
        self.unsynced_srcpad.push_event(gst::event::Eos::new());
    }

    pub(super) fn src_activate(&self, mode: gst::PadMode, is_active: bool) -> Result<(), gst::LoggableError> {
        if mode != gst::PadMode::Push {
            return Err(gst::loggable_error!(CAT, "the source pad only pushes"));
        }
        if is_active {
            *lock(&self.input) = Input::default();
            self.queue.start();
            self.start_task();
        } else {
            self.queue.flush();
            self.loader.wake();
            self.stop_task();
        }
        Ok(())
    }

    pub(super) fn src_event(&self, event: gst::Event) -> bool {
        gst::debug!(CAT, imp = self, "Received {event:?} from downstream");
        match event.type_() {
            // Sent when the pad is linked.
            gst::EventType::Reconfigure => self.queue.relink(),
            // A mixer may become live when another source comes, and tells it by a new latency alone.
            gst::EventType::Latency => lock(&self.input).is_liveness_doubted = true,
            _ => {}
        }
        gst::Pad::event_default(&self.srcpad, Some(&*self.obj()), event)
    }

    pub(super) fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let gst::QueryViewMut::Latency(query) = query.view_mut() else {
            return gst::Pad::query_default(pad, Some(&*self.obj()), query);
        };
        // An element that cannot say is taken as not live, so that the latency is known before anything is linked.
        let answer = self.ask_upstream().unwrap_or((false, gst::ClockTime::ZERO, None));
        let (is_live, minimum, maximum) = latency::answer(answer, self.settings().latency_ms);
        gst::debug!(CAT, imp = self, "Latency: live {is_live}, {minimum} to {maximum:?}");
        query.set(is_live, minimum, maximum);
        true
    }
}
