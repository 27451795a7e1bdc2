//! The element as a pipeline sees it: what comes in at the sink pad, what leaves at the source pad, what the bus hears.

mod beeps;
mod listener;

mod text;
