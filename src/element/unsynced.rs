//! The pad `unsynced_src`: everything that is said, as JSON, for whoever wants it at once. Nobody has to link it, and whoever fails
//! behind it does not stop the text.

use gst::{ClockTime, prelude::*, subclass::prelude::*};
use serde_json::{Value, json};

use super::{
    imp::{CAT, WhisperNpu},
    subtitle::{Item, Spoken},
};

/// What a buffer says.
pub(super) struct Said<'a> {
    pub item: &'a Item,
    pub spoken: &'a Spoken,
    pub is_final: bool,
    /// PTS of its start and its end.
    pub span: [ClockTime; 2],
    /// The same as running times.
    pub times: [Option<ClockTime>; 2],
    /// The running time of a place.
    pub at: &'a dyn Fn(u64) -> Option<ClockTime>,
}

/// Begins the pad's own stream with upstream's, and passes on what time is over without a text, which is what a sink waits for before it
/// plays, and when the stream ends.
pub(super) fn forward(element: &WhisperNpu, event: &gst::Event) {
    let pad = element.unsynced_srcpad();
    match event.view() {
        gst::EventView::StreamStart(start) => {
            let id = format!("{}/json", start.stream_id());
            let own = gst::event::StreamStart::builder(&id).flags(start.stream_flags()).seqnum(start.seqnum());
            pad.push_event(own.group_id_if_some(start.group_id()).build());
            pad.push_event(gst::event::Caps::builder(&pad.pad_template_caps()).seqnum(start.seqnum()).build());
        }
        gst::EventView::Segment(_) | gst::EventView::Gap(_) | gst::EventView::Eos(_) => {
            pad.push_event(event.clone());
        }
        _ => {}
    }
}

/// Pushes a line.
pub(super) fn push(element: &WhisperNpu, said: &Said) {
    if !element.unsynced_srcpad().is_linked() {
        return;
    }
    let mut buffer = gst::Buffer::from_slice(format!("{}\n", line(said)));
    if let Some(buffer) = buffer.get_mut() {
        let [start, end] = said.span;
        buffer.set_pts(start);
        buffer.set_duration(end.saturating_sub(start));
    }
    if let Err(flow) = element.unsynced_srcpad().push(buffer) {
        gst::debug!(CAT, imp = element, "unsynced_src: {flow:?}");
    }
}

fn line(said: &Said) -> Value {
    let seconds = |time: Option<ClockTime>| time.map(|time| time.nseconds() as f64 / 1e9);
    let at = |place| seconds((said.at)(place));
    let words = said.item.words.iter().map(|word| {
        json!({
            "text": word.text,
            "start-time": at(word.start_samples),
            "end-time": at(word.end_samples),
            "confidence": word.probability,
        })
    });
    let [start, end] = said.times.map(seconds);
    let mut line = json!({
        "text": said.item.text,
        "start-time": start,
        "end-time": end,
        "final": said.is_final,
        "language": said.spoken.language,
        "confidence": said.item.confidence,
        "speaker": Value::Null,
        "words": words.collect::<Vec<_>>(),
    });
    if let Some(probability) = said.spoken.probability {
        line["language-confidence"] = json!(probability);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_was_given_has_no_confidence() {
        let item = Item { start_samples: 0, end_samples: 1, text: "So".into(), confidence: 0.5, words: Vec::new() };
        let has_confidence = |probability| {
            let spoken = Spoken { language: "en".into(), probability };
            let (span, times) = ([ClockTime::ZERO; 2], [None; 2]);
            let said = Said { item: &item, spoken: &spoken, is_final: true, span, times, at: &|_| None };
            line(&said).get("language-confidence").is_some()
        };
        assert_eq!([None, Some(0.75)].map(has_confidence), [false, true]);
    }
}
