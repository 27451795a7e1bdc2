//! What left the element, and when. Times are running times in seconds.

use std::sync::Mutex;

use gst::prelude::*;

/// Everything that left.
#[derive(Default)]
pub struct Journal {
    /// Words that are final, in order.
    pub words: Vec<Word>,
    /// Texts that were told of, final or not.
    pub told: Vec<Told>,
    /// Words whose text has been told and not been pushed.
    waiting: Vec<Word>,
    /// Up to here there is text, or is said to be none.
    pub covered: f64,
}

/// A word that is final.
#[derive(Clone)]
pub struct Word {
    pub text: String,
    pub start: f64,
    pub end: f64,
    /// When its buffer left.
    pub left: f64,
}

/// A text that was told of.
pub struct Told {
    pub at: f64,
    /// Where it ends.
    pub end: f64,
}

/// Fills the journal with what leaves this pad.
pub fn keep(pad: &gst::Pad, journal: std::sync::Arc<Mutex<Journal>>, now: impl Fn() -> f64 + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let Ok(mut journal) = journal.lock() else { return gst::PadProbeReturn::Ok };
        let now = now();
        if let Some(buffer) = info.buffer() {
            let waiting = std::mem::take(&mut journal.waiting);
            journal.words.extend(waiting.into_iter().map(|word| Word { left: now, ..word }));
            if let (Some(start), Some(duration)) = (buffer.pts(), buffer.duration()) {
                journal.covered = seconds(start + duration);
            }
        } else if let Some(event) = info.event() {
            journal.take(event, now);
        }
        gst::PadProbeReturn::Ok
    });
}

impl Journal {
    fn take(&mut self, event: &gst::Event, now: f64) {
        match event.view() {
            gst::EventView::Gap(gap) => {
                let (start, duration) = gap.get();
                self.covered = seconds(start + duration.unwrap_or_default());
            }
            gst::EventView::CustomDownstream(custom) => {
                let Some(said) = custom.structure().filter(|said| said.name() == "whispernpu/subtitle") else { return };
                self.told.push(Told { at: now, end: time(said, "end-time") });
                if said.get("final") == Ok(true) {
                    self.waiting.extend(words(said));
                }
            }
            _ => {}
        }
    }
}

fn words(said: &gst::StructureRef) -> Vec<Word> {
    let Ok(words) = said.get::<gst::Array>("words") else { return Vec::new() };
    let words = words.iter().filter_map(|word| word.get::<gst::Structure>().ok());
    let word = |word: gst::Structure| Word {
        text: word.get("text").unwrap_or_default(),
        start: time(&word, "start-time"),
        end: time(&word, "end-time"),
        left: 0.0,
    };
    words.map(word).collect()
}

fn time(structure: &gst::StructureRef, name: &str) -> f64 {
    structure.get::<gst::ClockTime>(name).map_or(0.0, seconds)
}

fn seconds(time: gst::ClockTime) -> f64 {
    time.nseconds() as f64 / 1e9
}
