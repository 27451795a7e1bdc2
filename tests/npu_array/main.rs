//! Operations on the whole array, from a program to the rows that come back, held bit by bit to the same on plain matrices.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attention;
mod determinism;
mod harness;
mod linear;
mod rows;
mod tokens;
#[path = "../toy/mod.rs"]
mod toy;
mod twin;
