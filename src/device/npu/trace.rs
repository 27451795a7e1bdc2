//! What each operation of a program does on the array.

use super::emulator::{Report, Timeline};
use super::plan::{Left, Plan, Step};
use super::strips::Results;

/// What is kept of operations that run by themselves.
#[derive(Debug, Default)]
pub struct Trace {
    /// Whether a timeline of each is kept, which takes memory for every transfer and call.
    pub has_timelines: bool,
    pub(super) operations: Vec<Traced>,
}

/// An operation that ran.
#[derive(Clone, Debug)]
pub struct Traced {
    /// What it computes, from what.
    pub name: String,
    /// What it did, the conversion of its operands included.
    pub report: Report,
    /// When who did what.
    pub timeline: Option<Timeline>,
}

impl Trace {
    /// Nothing yet.
    pub fn new(has_timelines: bool) -> Self {
        Self { has_timelines, operations: Vec::new() }
    }
}

impl Step {
    /// What it computes, from what.
    pub(super) fn name(&self, plan: &Plan) -> String {
        let name = |value: &crate::device::Value| plan.value(*value).name;
        match self {
            Step::Product(product) => {
                let left = match &product.left {
                    Left::Value(value, _) | Left::Gathered { value, .. } => name(value),
                    Left::Frames { samples, .. } => name(samples),
                };
                let sign = if product.results == Results::Sum { "+=" } else { "=" };
                format!("{} {sign} {left} · weights", name(&product.output))
            }
            Step::Normalise(normalise) => format!("{} = norm({})", name(&normalise.output), name(&normalise.input)),
            Step::Attention(attention) => {
                format!("{} = attention({})", name(&attention.output), name(&attention.query))
            }
            Step::Embedding(embedding) => format!("{} = embedding", name(&embedding.output)),
            Step::Logits { output, .. } => format!("{} = parts side by side", name(output)),
            Step::LastRow { output, .. } => format!("{} = last row", name(output)),
            Step::Add { value, .. } => format!("{} += rows", name(value)),
            Step::Remember { key, .. } => format!("memory = {}", name(key)),
        }
    }
}
