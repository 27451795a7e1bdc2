//! Every kernel against its twin, bit by bit, in every build that this machine can run; and what the arithmetic is worth.

#![allow(clippy::unwrap_used)]

mod attention;
mod errors;
mod finish;
mod harness;
mod mel;
mod product;
mod rows;
