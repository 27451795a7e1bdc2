//! `whispernpu`: Whisper speech-to-text as a GStreamer element.
//!
//! The modules stand in the order in which data passes through them: the element hands samples to a stream, the stream
//! cuts windows, the scheduler gives each window a device, and mel, encoder, decoder and transcript make text of it.

#[cfg(feature = "element")]
pub mod element;

pub mod stream;

pub mod segment;

pub mod scheduler;

pub mod mel;

pub mod encoder;

pub mod decoder;

pub mod transcript;

pub mod model;

pub mod device;

pub mod error;

pub use error::Error;
