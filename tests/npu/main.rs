//! The NPU's design, its rules and its emulator, on small arrays made by hand.

#![allow(clippy::unwrap_used)]

mod determinism;
mod faults;
mod kernels;
mod movement;
mod rules;
mod timeline;
mod workshop;
