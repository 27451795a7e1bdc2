//! A live pipeline: samples enter it when they would have been recorded.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use gst::prelude::*;

use crate::{
    arguments::Arguments,
    common::audio::SAMPLE_RATE,
    journal::{self, Journal},
    machine::{self, Hog},
    programme::{Plan, Programme},
};

/// Samples of a buffer: 20 ms, as live sources have them.
const BLOCK_SAMPLES: usize = 320;
const BLOCK: Duration = Duration::from_millis(20);

/// A pipeline that is ready.
pub struct Broadcast {
    pipeline: gst::Pipeline,
    source: gst::Element,
    whisper: gst::Element,
    journal: Arc<Mutex<Journal>>,
    plan: Plan,
}

/// The worst of a minute.
#[derive(Default)]
struct Minute {
    number: usize,
    behind: f64,
    words: usize,
    skipped: f64,
}

impl Broadcast {
    /// A pipeline whose model is loaded, and whose clock runs.
    pub fn new(arguments: &Arguments) -> Result<Self, Box<dyn Error>> {
        gst::init()?;
        gstwhispernpu::register_plugin()?;
        let line = "appsrc name=source is-live=true format=time max-time=0 max-bytes=0 ! whispernpu name=whisper partials=true \
                    ! fakesink sync=false async=false";
        let pipeline = gst::parse::launch(line)?.downcast::<gst::Pipeline>().map_err(|_| "no pipeline")?;
        let part = |name| pipeline.by_name(name).ok_or("the pipeline has lost an element");
        let (source, whisper) = (part("source")?, part("whisper")?);
        let caps = gst::Caps::builder("audio/x-raw").field("format", "F32LE").field("rate", SAMPLE_RATE as i32);
        source.set_property("caps", caps.field("channels", 1).field("layout", "interleaved").build());
        source.set_property("min-latency", i64::try_from(BLOCK.as_nanos())?);
        whisper.set_property("model", &arguments.model);
        whisper.set_property("latency", arguments.latency_ms);
        whisper.set_property_from_str("commit-policy", &arguments.policy);
        let journal = Arc::<Mutex<Journal>>::default();
        let pad = whisper.static_pad("src").ok_or("the element has no source pad")?;
        let clocked = whisper.downgrade();
        let now = move || {
            let time = clocked.upgrade().and_then(|whisper| whisper.current_running_time());
            time.unwrap_or_default().nseconds() as f64 / 1e9
        };
        journal::keep(&pad, journal.clone(), now);
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self { pipeline, source, whisper, journal, plan: arguments.plan })
    }

    /// Plays it all; gives what left and how many seconds that took.
    pub fn play(self, programme: &mut Programme) -> Result<(Journal, f64), Box<dyn Error>> {
        let bus = self.pipeline.bus().ok_or("the pipeline has no bus")?;
        let (mut blocks, mut hog, mut minute) = (0u32, None, Minute::default());
        let mut next_flush = self.plan.flush_s;
        loop {
            let samples = programme.take(BLOCK_SAMPLES);
            if samples.is_empty() {
                break;
            }
            let (start, end) = (BLOCK * blocks, BLOCK * (blocks + 1));
            self.wait_until(end);
            self.push(&samples, start)?;
            blocks += 1;
            let seconds = end.as_secs_f64();
            if next_flush.is_some_and(|next| seconds >= next) {
                self.source.send_event(gst::event::FlushStart::new());
                self.source.send_event(gst::event::FlushStop::new(false));
                next_flush = next_flush.zip(self.plan.flush_s).map(|(next, every)| next + every);
            }
            let is_busy = self.plan.hog.is_some_and(|(from, to)| (from..to).contains(&(seconds / 60.0)));
            if is_busy != hog.is_some() {
                hog = is_busy.then(Hog::new);
            }
            self.watch(&mut minute, seconds);
            while let Some(message) = bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]) {
                match message.view() {
                    gst::MessageView::Error(error) => return Err(error.error().into()),
                    _ => eprintln!("{seconds:.1} s: {message:?}"),
                }
            }
        }
        let _ = self.source.emit_by_name::<gst::FlowReturn>("end-of-stream", &[]);
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends).ok_or("the stream did not end within 60 s")?;
        self.pipeline.set_state(gst::State::Null)?;
        let journal = std::mem::take(&mut *self.journal.lock().map_err(|_| "the journal is lost")?);
        Ok((journal, (BLOCK * blocks).as_secs_f64()))
    }

    fn wait_until(&self, running: Duration) {
        let now = self.pipeline.current_running_time().map_or(Duration::ZERO, Duration::from);
        thread::sleep(running.saturating_sub(now));
    }

    fn push(&self, samples: &[f32], start: Duration) -> Result<(), Box<dyn Error>> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut buffer = gst::Buffer::from_slice(bytes);
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::try_from(start)?);
            buffer.set_duration(gst::ClockTime::try_from(BLOCK)?);
        }
        match self.source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&buffer]) {
            // A block that is on its way while the pipeline flushes is lost, as with any source.
            gst::FlowReturn::Ok | gst::FlowReturn::Flushing => Ok(()),
            other => Err(format!("the pipeline takes no more samples: {other:?}").into()),
        }
    }

    /// Looks how far the text is behind, and tells it once a minute.
    fn watch(&self, minute: &mut Minute, seconds: f64) {
        let Ok(journal) = self.journal.lock() else { return };
        minute.behind = minute.behind.max(seconds - journal.covered);
        if (seconds / 60.0) as usize > minute.number {
            let skipped = self.whisper.property::<gst::Structure>("stats").get("skipped-seconds").unwrap_or_default();
            let longest = journal.words.iter().skip(minute.words).map(|word| word.left - word.end).fold(0.0, f64::max);
            eprintln!(
                "minute {}: {} words, longest delay {longest:.2} s, time line at most {:.2} s behind, skipped {:.1} s, {:.0} MB",
                minute.number + 1,
                journal.words.len() - minute.words,
                minute.behind,
                skipped - minute.skipped,
                machine::resident_megabytes(),
            );
            *minute = Minute { number: minute.number + 1, behind: 0.0, words: journal.words.len(), skipped };
        }
    }
}
