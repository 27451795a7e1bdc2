//! A clip's hypothesis held against its reference.

use crate::{
    edits::Edits,
    manifest::Clip,
    normalise::{Normaliser, Unit},
};

/// What one clip adds to the report.
#[derive(Clone, Debug)]
pub struct Score<'a> {
    pub clip: &'a Clip,
    pub unit: Unit,
    /// Words or characters as they were compared.
    pub reference: Vec<String>,
    pub hypothesis: Vec<String>,
    pub edits: Edits,
}

impl<'a> Score<'a> {
    pub fn of(clip: &'a Clip, hypothesis: &str, normaliser: &Normaliser) -> Self {
        let reference = normaliser.units(&clip.language, &clip.reference);
        let hypothesis = normaliser.units(&clip.language, hypothesis);
        let edits = Edits::between(&reference, &hypothesis);
        Self { clip, unit: Unit::of(&clip.language), reference, hypothesis, edits }
    }
}
