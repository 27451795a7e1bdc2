//! A harness around the element that speaks in seconds, beeps and words.

use std::{
    sync::{Arc, Condvar, Mutex, Once},
    time::{Duration, Instant},
};

use gst::{ClockTime, prelude::*};

use crate::beeps::{MODEL, Tone};

/// Nothing in these tests takes as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far a text may start or end from its beep.
const TIME_TOLERANCE_S: f64 = 0.1;

pub fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstwhispernpu::register_plugin().unwrap();
    });
}

/// The caps of mono float audio at 16 kHz.
pub const PLAIN: &str = "audio/x-raw,format=F32LE,rate=16000,channels=1,layout=interleaved";
pub const PLAIN_RATE: u32 = 16_000;

/// What left the source pad.
#[derive(Clone, Debug)]
pub enum Out {
    Text { start_s: f64, end_s: f64, text: String, discont: bool },
    Gap { start_s: f64, end_s: f64 },
    Event(gst::EventType, gst::Event),
}

impl Out {
    /// From and to, of what covers the time line.
    pub fn span(&self) -> Option<(f64, f64)> {
        match self {
            Self::Text { start_s, end_s, .. } | Self::Gap { start_s, end_s } => Some((*start_s, *end_s)),
            Self::Event(..) => None,
        }
    }
}

/// Whether upstream waits for the element or time goes on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    File,
    Live,
}

impl Pace {
    pub const BOTH: [Self; 2] = [Self::File, Self::Live];
}

type Heard = Arc<(Mutex<Vec<Out>>, Condvar)>;

/// The element with somebody before, behind and above it.
pub struct Listener {
    pub harness: gst_check::Harness,
    pub element: gst::Element,
    pub bus: gst::Bus,
    heard: Heard,
}

impl Listener {
    /// An element in NULL that nothing was sent to, in a pipeline that is not live.
    pub fn idle() -> Self {
        init();
        let element = gst::ElementFactory::make("whispernpu")
            .property("model", MODEL)
            .property_from_str("voice-activity", "off")
            .build()
            .unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let heard = Heard::default();
        listen(&element.static_pad("src").unwrap(), &heard);
        // Built around an element, a harness would start it.
        let mut harness = gst_check::Harness::new_empty();
        harness.add_element_sink_pad(&element.static_pad("sink").unwrap());
        harness.add_element_src_pad(&element.static_pad("src").unwrap());
        harness.set_live(false);
        Self { harness, element, bus, heard }
    }

    /// In NULL, in a pipeline of this kind. A live one has a clock that stands still until it is told to go on.
    pub fn paced(pace: Pace) -> Self {
        let mut listener = Self::idle();
        if pace == Pace::Live {
            listener.harness.set_live(true);
            listener.element.set_clock(Some(&gst_check::TestClock::new())).unwrap();
            listener.element.set_base_time(ClockTime::ZERO);
        }
        listener
    }

    /// In PLAYING, with this format announced and a segment that starts at zero.
    pub fn playing(caps: &str) -> Self {
        let mut listener = Self::idle();
        listener.play(caps);
        listener
    }

    /// In PLAYING, with mono float audio at 16 kHz announced.
    pub fn plain() -> Self {
        Self::playing(PLAIN)
    }

    /// The same in a pipeline of this kind.
    pub fn plain_paced(pace: Pace) -> Self {
        let mut listener = Self::paced(pace);
        listener.play(PLAIN);
        listener
    }

    pub fn play(&mut self, caps: &str) {
        self.start();
        self.event(gst::event::StreamStart::new("stream"));
        self.announce(caps);
    }

    /// Announces a format and a segment that starts at zero.
    pub fn announce(&mut self, caps: &str) {
        self.harness.set_src_caps_str(caps);
    }

    /// To PLAYING, with nothing announced.
    pub fn start(&mut self) {
        self.element.set_state(gst::State::Playing).unwrap();
    }

    /// Sends float samples at 16 kHz with this timestamp.
    pub fn send_at(&mut self, samples: &[f32], pts_s: f64) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.harness.push(buffer(samples, Some(pts_s)))
    }

    /// Sends float samples at 16 kHz in buffers of 20 ms from this time on.
    pub fn speak(&mut self, samples: &[f32], from_s: f64) {
        let step = PLAIN_RATE as usize / 50;
        for (index, samples) in samples.chunks(step).enumerate() {
            self.send_at(samples, from_s + index as f64 / 50.0).unwrap();
        }
    }

    /// The same as time goes: each buffer comes when it ends.
    pub fn speak_in_time(&mut self, samples: &[f32], from_s: f64) {
        let step = PLAIN_RATE as usize / 50;
        for (index, samples) in samples.chunks(step).enumerate() {
            self.set_time(from_s + (index + 1) as f64 / 50.0);
            self.send_at(samples, from_s + index as f64 / 50.0).unwrap();
        }
    }

    /// Sends float samples at 16 kHz in buffers of 20 ms without timestamps.
    pub fn speak_unstamped(&mut self, samples: &[f32]) -> Result<(), gst::FlowError> {
        let step = PLAIN_RATE as usize / 50;
        samples.chunks(step).try_for_each(|samples| self.harness.push(buffer(samples, None)).map(|_| ()))
    }

    /// Sets the clock of a live pipeline.
    pub fn set_time(&self, now_s: f64) {
        self.element.clock().unwrap().downcast::<gst_check::TestClock>().unwrap().set_time(seconds(now_s));
    }

    pub fn event(&mut self, event: impl Into<gst::Event>) -> bool {
        self.harness.push_event(event.into())
    }

    pub fn segment(&mut self, start_s: f64) -> bool {
        let mut segment = gst::FormattedSegment::<ClockTime>::new();
        segment.set_start(seconds(start_s));
        segment.set_time(seconds(start_s));
        self.event(gst::event::Segment::new(&segment))
    }

    /// Sends EOS, waits until it has come through, and takes everything that left before.
    pub fn finish(&mut self) -> Vec<Out> {
        assert!(self.event(gst::event::Eos::new()), "EOS was refused");
        self.take_until(|out| matches!(out, Out::Event(gst::EventType::Eos, _)))
    }

    /// Waits for something to leave; takes it and everything before.
    #[track_caller]
    pub fn take_until(&mut self, wanted: impl Fn(&Out) -> bool) -> Vec<Out> {
        let (outs, more) = &*self.heard;
        let deadline = Instant::now() + PATIENCE;
        let mut outs = outs.lock().unwrap();
        while !outs.iter().any(&wanted) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain, this is what came: {outs:#?}");
            outs = more.wait_timeout(outs, left).unwrap().0;
        }
        std::mem::take(&mut *outs)
    }

    /// Takes what has left so far.
    pub fn take(&mut self) -> Vec<Out> {
        std::mem::take(&mut *self.heard.0.lock().unwrap())
    }

    /// Waits for a message of this type on the bus.
    #[track_caller]
    pub fn message(&self, kind: gst::MessageType) -> gst::Message {
        self.bus
            .timed_pop_filtered(Some(clock(PATIENCE)), &[kind])
            .unwrap_or_else(|| panic!("no {kind:?} message came"))
    }

    /// Waits for an ERROR message and returns its sentence.
    #[track_caller]
    pub fn error(&self) -> String {
        match self.message(gst::MessageType::Error).view() {
            gst::MessageView::Error(error) => error.error().message().to_owned(),
            _ => unreachable!(),
        }
    }

    /// Waits for a WARNING message and returns its sentence.
    #[track_caller]
    pub fn warning(&self) -> String {
        match self.message(gst::MessageType::Warning).view() {
            gst::MessageView::Warning(warning) => warning.error().message().to_owned(),
            _ => unreachable!(),
        }
    }

    /// Fails if the bus has heard of an error.
    #[track_caller]
    pub fn no_error(&self) {
        if let Some(message) = self.bus.pop_filtered(&[gst::MessageType::Error]) {
            panic!("{message:?}");
        }
    }

    pub fn stats(&self) -> gst::Structure {
        self.element.property("stats")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.element.set_state(gst::State::Null);
    }
}

fn listen(pad: &gst::Pad, heard: &Heard) {
    let heard = Arc::clone(heard);
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH;
    pad.add_probe(mask, move |_, info| {
        let out = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => text(buffer),
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                gst::EventView::Gap(gap) => {
                    let (start, duration) = gap.get();
                    let start_s = in_seconds(start);
                    Out::Gap { start_s, end_s: start_s + in_seconds(duration.unwrap()) }
                }
                _ => Out::Event(event.type_(), event.clone()),
            },
            _ => return gst::PadProbeReturn::Ok,
        };
        heard.0.lock().unwrap().push(out);
        heard.1.notify_all();
        gst::PadProbeReturn::Ok
    });
}

fn text(buffer: &gst::Buffer) -> Out {
    let start_s = in_seconds(buffer.pts().unwrap());
    Out::Text {
        start_s,
        end_s: start_s + in_seconds(buffer.duration().unwrap()),
        text: String::from_utf8(buffer.map_readable().unwrap().to_vec()).unwrap(),
        discont: buffer.flags().contains(gst::BufferFlags::DISCONT),
    }
}

/// A buffer of native-endian float samples.
pub fn buffer(samples: &[f32], pts_s: Option<f64>) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(bytes(samples));
    buffer.get_mut().unwrap().set_pts(pts_s.map(seconds));
    buffer
}

pub fn bytes(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
}

pub fn seconds(seconds: f64) -> ClockTime {
    ClockTime::from_nseconds((seconds * 1e9).round() as u64)
}

pub fn in_seconds(time: ClockTime) -> f64 {
    time.nseconds() as f64 / 1e9
}

fn clock(duration: Duration) -> ClockTime {
    ClockTime::from_nseconds(duration.as_nanos() as u64)
}

/// Whether each text follows on the one before.
pub fn marks(outs: &[Out]) -> Vec<bool> {
    let mark = |out: &Out| match out {
        Out::Text { discont, .. } => Some(*discont),
        _ => None,
    };
    outs.iter().filter_map(mark).collect()
}

/// The languages that downstream was told.
pub fn languages(outs: &[Out]) -> Vec<String> {
    let language = |out: &Out| match out {
        Out::Event(gst::EventType::Tag, event) => match event.view() {
            gst::EventView::Tag(tag) => Some(tag.tag().get::<gst::tags::LanguageCode>()?.get().to_owned()),
            _ => None,
        },
        _ => None,
    };
    outs.iter().filter_map(language).collect()
}

/// The words, in order.
pub fn words(outs: &[Out]) -> Vec<&str> {
    outs.iter()
        .filter_map(|out| match out {
            Out::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Checks that exactly these words came, each at its time. A start may be early: Whisper gives a window's first text none
/// after 1.00 s.
#[track_caller]
pub fn assert_heard(outs: &[Out], beeps: &[(Tone, f64)]) {
    let expected: Vec<&str> = beeps.iter().map(|(tone, _)| tone.word()).collect();
    assert_eq!(words(outs), expected, "{outs:#?}");
    let spans = outs.iter().filter(|out| matches!(out, Out::Text { .. })).filter_map(Out::span);
    for ((start_s, end_s), (tone, at_s)) in spans.zip(beeps) {
        let end_at_s = at_s + crate::beeps::LENGTH_S;
        assert!(start_s - at_s < TIME_TOLERANCE_S, "{tone:?} at {at_s} s is written at {start_s} s");
        assert!((end_s - end_at_s).abs() < TIME_TOLERANCE_S, "{tone:?} to {end_at_s} s is written to {end_s} s");
    }
}

/// Checks that texts and gaps cover this stretch of time once, in order.
#[track_caller]
pub fn assert_covered(outs: &[Out], from_s: f64, to_s: f64) {
    let mut covered_s = from_s;
    for (start_s, end_s) in outs.iter().filter_map(Out::span) {
        assert!((start_s - covered_s).abs() < 1e-6, "hole or overlap at {covered_s} s: {outs:#?}");
        assert!(end_s > start_s, "{start_s} s has no duration");
        covered_s = end_s;
    }
    assert!((covered_s - to_s).abs() < 1e-3, "covered to {covered_s} s instead of {to_s} s");
}

/// The types of the events that left, but for gaps.
pub fn events(outs: &[Out]) -> Vec<gst::EventType> {
    outs.iter()
        .filter_map(|out| match out {
            Out::Event(kind, _) => Some(*kind),
            _ => None,
        })
        .collect()
}
