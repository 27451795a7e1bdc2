//! Voice activity: the network against its slow twin on made-up weights, and the real weights against recordings of the
//! original (`tests/golden/README.md`).
//!
//! Those of `recorded` and `windows` need the network that `scripts/get-model silero-vad` installs and Debian's pocketsphinx-testdata;
//! the set-up installs both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod growing;
mod listening;
mod recorded;
mod refused;
mod synthetic;
mod twin;
mod windows;
