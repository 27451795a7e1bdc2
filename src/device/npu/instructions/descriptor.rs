//! A shim tile's descriptor as the numbers of its fields.

use std::ops::RangeInclusive;

use super::super::design::{DdrBuffer, Dimension, ShimDescriptor};
use super::super::target::{ITERATION_WRAP, Kind, Target, WORD_BYTES};
use super::error::CommandError;
use super::table::{burst, descriptor as bits, patch};

/// What is written, as it is written: steps less 1, the iteration's wrap less 1, and a wrap of 0 where nothing wraps.
///
/// The outermost dimension's wrap follows from the length. As upstream does (`getHardwareStridesWraps` in
/// `lib/Dialect/AIEX/IR/AIEXDialect.cpp`), dimension 1 wraps after one step if there is only dimension 0, and consecutive words
/// have no dimension at all; a wrap that does not fit is 0, which AM025 defines as never wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescriptorFields {
    pub length: u32,
    pub d0_wrap: u32,
    pub d0_step: u32,
    pub d1_wrap: u32,
    pub d1_step: u32,
    pub d2_step: u32,
    pub iteration_wrap: u32,
    pub iteration_step: u32,
    pub next: Option<u32>,
}

/// A number of a descriptor that is out of range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    pub field: &'static str,
    pub received: u64,
    pub expected: RangeInclusive<u64>,
}

impl OutOfRange {
    /// With the position of the command that it is of.
    pub fn of_command(self, command: usize) -> CommandError {
        let Self { field, received, expected } = self;
        CommandError { command, field, received, expected }
    }
}

/// The number, if it is one of the expected.
pub fn within(field: &'static str, received: u64, expected: RangeInclusive<u64>) -> Result<u32, OutOfRange> {
    match u32::try_from(received) {
        Ok(number) if expected.contains(&received) => Ok(number),
        _ => Err(OutOfRange { field, received, expected }),
    }
}

impl DescriptorFields {
    /// The fields of a descriptor.
    ///
    /// Errors: a step of 0 or too large, an inner wrap of 0 or too large, too many dimensions, a pattern of another length than
    /// the descriptor's, or a number of a descriptor that there is not.
    pub fn new(descriptor: &ShimDescriptor) -> Result<Self, OutOfRange> {
        let limits = Kind::Shim.limits();
        let next =
            descriptor.next.map(|next| within("next descriptor", next as u64, 0..=limits.descriptors as u64 - 1));
        let mut fields = Self {
            length: within("length in words", descriptor.length_words as u64, 1..=limits.length_words)?,
            next: next.transpose()?,
            ..Self::default()
        };
        let dimensions = innermost_first(&descriptor.dimensions, descriptor.length_words as u64)?;
        let inner = dimensions.len().saturating_sub(1);
        for (index, dimension) in dimensions.iter().enumerate() {
            let step = step(dimension.step_words)?;
            let wrap = match index < inner {
                true => within("inner wrap", dimension.wrap.into(), 1..=limits.wrap.into())?,
                false => Some(dimension.wrap).filter(|wrap| *wrap <= limits.wrap).unwrap_or(0),
            };
            match index {
                0 => (fields.d0_wrap, fields.d0_step, fields.d1_wrap) = (wrap, step, 1),
                1 => (fields.d1_wrap, fields.d1_step) = (wrap, step),
                _ => fields.d2_step = step,
            }
        }
        // Without this the two would not be told from consecutive words.
        if let Some(Dimension { wrap, step_words }) = descriptor.iteration
            && wrap > 1
            && step_words > 0
        {
            fields.iteration_wrap = within("wrap of the iteration", wrap.into(), 1..=ITERATION_WRAP.into())? - 1;
            fields.iteration_step = step(step_words)?;
        }
        Ok(fields)
    }

    /// The fields of a descriptor, or why the command at this position has none.
    pub fn of_command(command: usize, descriptor: &ShimDescriptor) -> Result<Self, CommandError> {
        Self::new(descriptor).map_err(|error| error.of_command(command))
    }

    /// The descriptor with these fields. Error: its length is no multiple of its inner wraps.
    pub fn descriptor(&self, buffer: DdrBuffer, offset_bytes: u64) -> Result<ShimDescriptor, OutOfRange> {
        let dimension = |wrap, step| Dimension { wrap, step_words: step + 1 };
        let outermost = |inner: u32, step| {
            let wrap = self.length / inner;
            match inner * wrap == self.length {
                true => Ok(dimension(wrap, step)),
                false => {
                    let multiple = u64::from(inner) * u64::from(wrap.max(1));
                    within("length in words", self.length.into(), multiple..=multiple).map(|_| dimension(wrap, step))
                }
            }
        };
        let d0 = dimension(self.d0_wrap, self.d0_step);
        let d1 = dimension(self.d1_wrap, self.d1_step);
        let inner = self.d0_wrap.checked_mul(self.d1_wrap).unwrap_or(0);
        let dimensions = match (self.d0_wrap, self.d1_wrap) {
            (0, _) if self.d0_step == 0 => vec![],
            (0, _) => vec![outermost(1, self.d0_step)?],
            (wrap, _) if wrap == self.length => vec![d0],
            (wrap, 0) => vec![outermost(wrap, self.d1_step)?, d0],
            _ if inner == self.length => vec![d1, d0],
            _ => vec![outermost(inner, self.d2_step)?, d1, d0],
        };
        Ok(ShimDescriptor {
            buffer,
            offset_bytes,
            length_words: self.length as usize,
            dimensions,
            iteration: (self.iteration_wrap > 0).then(|| dimension(self.iteration_wrap + 1, self.iteration_step)),
            next: self.next.map(|next| next as usize),
        })
    }

    /// The eight words.
    pub fn words(&self, target: Target) -> Vec<u32> {
        let mut words = vec![0; bits::WORDS];
        for (field, value) in [
            (bits::LENGTH, self.length),
            (bits::D0_WRAP, self.d0_wrap),
            (bits::D0_STEP, self.d0_step),
            (bits::D1_WRAP, self.d1_wrap),
            (bits::D1_STEP, self.d1_step),
            (bits::BURST, burst(target)),
            (bits::D2_STEP, self.d2_step),
            (bits::CACHE, bits::CACHE_UPSIZING),
            (bits::ITERATION_WRAP, self.iteration_wrap),
            (bits::ITERATION_STEP, self.iteration_step),
            (bits::VALID, 1),
            (bits::USE_NEXT, self.next.is_some().into()),
            (bits::NEXT, self.next.unwrap_or(0)),
        ] {
            field.set(&mut words, value);
        }
        words
    }

    /// The fields in eight words; what else is in them is not looked at.
    pub fn of_words(words: &[u32]) -> Self {
        Self {
            length: bits::LENGTH.get(words),
            d0_wrap: bits::D0_WRAP.get(words),
            d0_step: bits::D0_STEP.get(words),
            d1_wrap: bits::D1_WRAP.get(words),
            d1_step: bits::D1_STEP.get(words),
            d2_step: bits::D2_STEP.get(words),
            iteration_wrap: bits::ITERATION_WRAP.get(words),
            iteration_step: bits::ITERATION_STEP.get(words),
            next: (bits::USE_NEXT.get(words) == 1).then(|| bits::NEXT.get(words)),
        }
    }
}

/// Where in its buffer a descriptor starts, if that can be patched.
pub fn offset(descriptor: &ShimDescriptor) -> Result<u32, OutOfRange> {
    let last = u64::from(patch::OFFSET.largest());
    let offset = within("offset in bytes", descriptor.offset_bytes, 0..=last)?;
    let down = descriptor.offset_bytes / WORD_BYTES as u64 * WORD_BYTES as u64;
    within("offset in bytes", descriptor.offset_bytes, down..=down).map(|_| offset)
}

/// The dimensions that matter: none that is outermost with a wrap of 1, and none for consecutive words.
fn innermost_first(dimensions: &[Dimension], length: u64) -> Result<Vec<Dimension>, OutOfRange> {
    if dimensions.is_empty() {
        return Ok(Vec::new());
    }
    let product = dimensions.iter().map(|dimension| u64::from(dimension.wrap)).fold(1, u64::saturating_mul);
    within("length in words", length, product..=product)?;
    let mut rest: Vec<Dimension> = dimensions.iter().copied().skip_while(|dimension| dimension.wrap == 1).collect();
    within("number of dimensions", rest.len() as u64, 0..=Kind::Shim.limits().dimensions as u64)?;
    rest.reverse();
    match rest[..] {
        [Dimension { step_words: 1, .. }] => Ok(Vec::new()),
        _ => Ok(rest),
    }
}

fn step(step_words: u32) -> Result<u32, OutOfRange> {
    within("step in words", step_words.into(), 1..=Kind::Shim.limits().step_words.into()).map(|step| step - 1)
}
