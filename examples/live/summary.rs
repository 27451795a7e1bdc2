//! What came of it, in numbers.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    arguments::Arguments,
    journal::{Journal, Word},
    machine,
    programme::{Plan, Programme},
};

/// Who speaks after such a pause begins anew.
const ONSET_PAUSE_S: f64 = 1.0;
/// How long after a voice begins somebody may wait for the first text.
const PROMPT_S: f64 = 0.6;
/// A clip's first word may be taken to begin so long before it does.
const EARLY_S: f64 = 0.3;

/// Numbers of a run.
pub struct Summary {
    delays: Vec<f64>,
    onsets: Vec<f64>,
    drift: Option<f64>,
    texts: Vec<(String, String)>,
}

/// Sums up what left the element.
pub fn of(journal: &Journal, programme: &Programme, plan: Plan) -> Summary {
    let delays = sorted(journal.words.iter().map(|word| word.left - word.end).collect());
    Summary {
        delays,
        onsets: sorted(onsets(journal)),
        drift: plan.minutes.and_then(|_| drift(journal, programme)),
        texts: texts(journal, programme),
    }
}

impl Summary {
    /// A line of JSON.
    pub fn json(&self, arguments: &Arguments, seconds: f64, cores: f64) -> Value {
        let prompt = self.onsets.iter().filter(|onset| **onset <= PROMPT_S).count() as f64;
        json!({
            "policy": arguments.policy,
            "latency_ms": arguments.latency_ms,
            "model": arguments.model,
            "seconds": seconds,
            "words": self.delays.len(),
            "delay_median_s": quantile(&self.delays, 0.5),
            "delay_95_s": quantile(&self.delays, 0.95),
            "delay_longest_s": self.delays.last(),
            "onsets": self.onsets.len(),
            "onset_median_s": quantile(&self.onsets, 0.5),
            "onset_95_s": quantile(&self.onsets, 0.95),
            "onsets_within_600_ms": prompt / self.onsets.len().max(1) as f64,
            "drift_ms": self.drift.map(|drift| drift * 1000.0),
            "cores": cores,
            "resident_mb": machine::resident_megabytes(),
        })
    }

    /// Lines of a clip's id and the text of its first play.
    pub fn hypotheses(&self) -> String {
        self.texts.iter().map(|(id, text)| format!("{id}\t{text}\n")).collect()
    }
}

/// How long after each voice began something was told of it.
fn onsets(journal: &Journal) -> Vec<f64> {
    let before = std::iter::once(f64::NEG_INFINITY).chain(journal.words.iter().map(|word| word.end));
    let begins = journal.words.iter().zip(before).filter(|(word, before)| word.start >= before + ONSET_PAUSE_S);
    let first = |(word, _): (&Word, f64)| {
        journal.told.iter().find(|told| told.at >= word.start && told.end > word.start).map(|told| told.at - word.start)
    };
    begins.filter_map(first).collect()
}

/// By how much later clips' first words seem to begin in their last play than in their first: the median.
fn drift(journal: &Journal, programme: &Programme) -> Option<f64> {
    let mut plays: HashMap<usize, (f64, Option<f64>)> = HashMap::new();
    for play in &programme.plays {
        let place = play.place.start - EARLY_S..play.place.end;
        let Some(word) = journal.words.iter().find(|word| place.contains(&word.start)) else { continue };
        let offset = word.start - play.place.start;
        plays.entry(play.clip).and_modify(|(_, last)| *last = Some(offset)).or_insert((offset, None));
    }
    let drifts = plays.values().filter_map(|(first, last)| Some((*last)? - first));
    quantile(&sorted(drifts.collect()), 0.5)
}

fn texts(journal: &Journal, programme: &Programme) -> Vec<(String, String)> {
    let first = |(clip, id): (usize, &String)| {
        let play = programme.plays.iter().find(|play| play.clip == clip)?;
        let is_in = |word: &&Word| play.place.contains(&((word.start + word.end) / 2.0));
        let words: Vec<&str> = journal.words.iter().filter(is_in).map(|word| word.text.as_str()).collect();
        Some((id.clone(), words.join(" ")))
    };
    programme.ids.iter().enumerate().filter_map(first).collect()
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    sorted.get(((sorted.len().checked_sub(1)?) as f64 * part).round() as usize).copied()
}
