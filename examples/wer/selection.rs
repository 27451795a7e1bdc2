//! Which clips are scored, and why others are not.

use crate::{arguments::Arguments, manifest::Clip};

/// Kinds whose empty reference does not mean that nothing is spoken: they have speaker labels only.
const LABELS_ONLY: [&str; 1] = ["diarization"];

/// Clips in the manifest's order.
#[derive(Debug)]
pub struct Selection {
    pub clips: Vec<Clip>,
    /// How many clips were left out, and what they are.
    pub left_out: Vec<(usize, &'static str)>,
}

impl Selection {
    /// The clips that the arguments ask for.
    pub fn of(clips: Vec<Clip>, arguments: &Arguments) -> Result<Self, String> {
        if let Some(unknown) = arguments.clips.iter().find(|id| !clips.iter().any(|clip| clip.id == **id)) {
            return Err(format!("the manifest has no clip {unknown}"));
        }
        let wanted = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        let mut clips = clips;
        clips.retain(|clip| {
            wanted(&arguments.kinds, &clip.kind)
                && wanted(&arguments.languages, &clip.language)
                && wanted(&arguments.clips, &clip.id)
        });
        let mut selection = Self { clips, left_out: Vec::new() };
        selection.keep("with speaker labels only", |clip| !LABELS_ONLY.contains(&clip.kind.as_str()));
        Ok(selection)
    }

    /// Leaves out the clips for which `keep` is false; `reason` completes "so many clips ...".
    pub fn keep(&mut self, reason: &'static str, keep: impl Fn(&Clip) -> bool) {
        let before = self.clips.len();
        self.clips.retain(keep);
        let count = before - self.clips.len();
        if count > 0 {
            self.left_out.push((count, reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(id: &str, kind: &str, language: &str) -> Clip {
        Clip {
            id: id.into(),
            file: format!("{id}.flac").into(),
            language: language.into(),
            reference: String::new(),
            source: String::new(),
            kind: kind.into(),
        }
    }

    fn ids(arguments: &Arguments) -> (Vec<String>, Vec<(usize, &'static str)>) {
        let clips = vec![clip("a", "long", "en"), clip("b", "long", "de"), clip("c", "diarization", "en")];
        let selection = Selection::of(clips, arguments).unwrap();
        (selection.clips.into_iter().map(|clip| clip.id).collect(), selection.left_out)
    }

    #[test]
    fn filters_are_combined_and_label_only_clips_are_told() {
        let all = Arguments::default();
        assert_eq!(ids(&all), (vec!["a".into(), "b".into()], vec![(1, "with speaker labels only")]));
        let german = Arguments { kinds: vec!["long".into()], languages: vec!["de".into()], ..Arguments::default() };
        assert_eq!(ids(&german), (vec!["b".into()], vec![]));
        let unknown = Arguments { clips: vec!["z".into()], ..Arguments::default() };
        assert_eq!(Selection::of(vec![clip("a", "long", "en")], &unknown).unwrap_err(), "the manifest has no clip z");
    }
}
