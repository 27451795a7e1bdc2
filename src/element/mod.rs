//! GStreamer lives here and nowhere else: raw audio and its events come in at the sink pad, timed text, gaps, tags and
//! messages go out.
//!
//! Read `imp.rs` first (states, properties; `imp/` has its pads), then the two halves of the data path: `input.rs` runs on upstream's
//! thread and puts 16 kHz samples with their positions into `queue.rs`; `transcription.rs` runs on the source pad's task
//! and makes windows, text and gaps of each stretch of audio (`run.rs`), `lag.rs` says what there is time for, `watch.rs` when a live
//! source has stopped. `loader.rs` keeps the model, whose life is longer than a stream's.
//!
//! # SECTION:element-whispernpu
//!
//! Speech to text: listens to raw audio of any format, rate and channel count and writes what is said as timed UTF-8 text,
//! one buffer a subtitle, with OpenAI's Whisper run inside the process.
//!
//! Subtitles of a file:
//!
//! ```text
//! gst-launch-1.0 filesrc location=talk.mp4 ! decodebin ! whispernpu model=base ! srtenc ! filesink location=talk.srt
//! ```
//!
//! A microphone in the terminal, with text at most six seconds behind the voice:
//!
//! ```text
//! gst-launch-1.0 autoaudiosrc ! whispernpu latency=6000 ! fakesink dump=true
//! ```
//!
//! Speech of any language, written in English:
//!
//! ```text
//! gst-launch-1.0 filesrc location=talk.flac ! decodebin ! whispernpu model=base language-code=auto task=translate ! \
//!     fdsink
//! ```
//!
//! Words as soon as they are heard, and text that may still change in messages:
//!
//! ```text
//! gst-launch-1.0 -m autoaudiosrc ! whispernpu commit-policy=align-att partials=true ! fakesink dump=true
//! ```
//!
//! Where the voice activity detector is installed, silence is skipped and subtitles end in pauses; the element message
//! `whispernpu/device` says whether it is, with the model, the device, the precision and the instruction set.
//!
//! The clock: the first buffer's timestamp anchors the stream, samples are counted from there. A buffer that lies up to
//! one second ahead of the count has its gap filled with silence, one that lies up to 200 ms behind loses what was heard already; one
//! that lies farther off starts a new stretch, whatever was heard before is written first. 40 ms are no matter. Buffers without a timestamp follow on what
//! came before; when the very first buffer has none, the stream starts where its segment starts. Audio that plays
//! backwards, in a segment of a rate below 0, is not transcribed; one gap stands for it, and a WARNING says so.
//!
//! Each text that is pushed is announced by a serialized event `whispernpu/subtitle` right before its buffer, and by an element message of
//! the same name: `text` (string), `start-time` and `end-time` (running times, without `lateness`), `final` (boolean), `language` (string),
//! `confidence` (double, 0 to 1), `language-confidence` (double, 0 to 1: probability of the spoken language among all that the model
//! knows; absent if the language was not detected), `speaker` (string, NULL: not known) and `words` (array of structures with `text`, `start-time`,
//! `end-time` and `confidence`; of a file empty unless `word-times` or `granularity=word` asks for them). The buffer's custom meta
//! `WhisperNpuSubtitleMeta` has the same but text and times. When the speech pauses, `rstranscribe/final-transcript` follows;
//! upstream gets `rstranscribe/new-item` with each text.
//!
//! In a live pipeline windows grow behind pauses, up to 28 s. What is final of a window never changes; with `partials` the event and the
//! message also come, without a buffer and with `final` false, for what follows and may change, an empty text taking back the last.
//! Words are timed then whether or not they are asked for. The pad `unsynced_src` has a line of JSON for each event; nobody has to link
//! it, and nobody behind it stops the text; a queue keeps a slow one from slowing it. If it is linked, live audio begins with a gap of no
//! length on both pads, on which sinks preroll. `condition-on-previous-text` is not used: what was said is heard with what is said next.
//!
//! A live source is never kept waiting. What cannot be there within `max-delay` costs less and less (no partials, then the likeliest text
//! alone) and is skipped in the end: a GAP, a WARNING and a QoS message say so, and `stats` count it.
//! The WARNING says whether the machine is too slow or downstream holds text up, which a queue behind the element helps.
//!
//! Text never overlaps and never runs backwards; between the texts GAP events cover the time line without holes. In a live pipeline that
//! is so too before the model is loaded and when the source stops without a word, as time goes; what the source said is written then.

mod context;
mod converter;
mod decoding;
mod errors;
mod imp;
mod input;
mod lag;
mod latency;
mod loader;
mod output;
mod position;
mod pushes;
mod queue;
mod run;
mod settings;
mod stats;
mod stopwatch;
mod subtitle;
mod text;
mod time_line;
mod transcription;
mod unsynced;
mod watch;

use gst::{glib, prelude::*};

pub use settings::{
    WhisperNpuDevice, WhisperNpuGranularity, WhisperNpuPrecision, WhisperNpuTask, WhisperNpuVoiceActivity,
};

glib::wrapper! {
    /// The element `whispernpu`.
    pub struct WhisperNpu(ObjectSubclass<imp::WhisperNpu>) @extends gst::Element, gst::Object;
}

/// Registers the element and its buffers' meta; opens no model and no device.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::meta::CustomMeta::register(subtitle::META, &[]);
    gst::Element::register(Some(plugin), settings::ELEMENT_NAME, gst::Rank::NONE, WhisperNpu::static_type())
}
