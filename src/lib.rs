//! `whispernpu`: Whisper speech-to-text as a GStreamer element.
//!
//! The modules stand in the order in which data passes through them: the element hands samples to a stream, the stream
//! cuts windows, makes their log-mel and says what of their text is final, the scheduler gives each window a device, and encoder, decoder and transcript make
//! text of it.

#[cfg(feature = "element")]
pub mod element;

pub mod stream;

pub mod commit;

pub mod segment;

pub mod mel;

pub mod scheduler;

pub mod encoder;

pub mod decoder;

pub mod transcript;

pub mod model;

pub mod device;

mod math;

mod lock;

mod recent;

pub mod error;

pub use error::Error;

#[cfg(feature = "element")]
mod plugin {
    use crate::element::register;

    gst::plugin_define!(
        whispernpu,
        env!("CARGO_PKG_DESCRIPTION"),
        register,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        // GStreamer has no name for "MIT OR Apache-2.0"; this is the half of it that asks for less.
        "MIT/X11",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("BUILD_REL_DATE")
    );
}

/// Registers the plugin in a program that links this crate instead of loading the plugin from its folder.
#[cfg(feature = "element")]
pub fn register_plugin() -> Result<(), gst::glib::BoolError> {
    plugin::plugin_register_static()
}
