//! Texts that are drawn by their probability, or the one that is greedily written (`GreedyDecoder` in openai/whisper `decoding.py`).

use super::random::Random;
use super::{Branch, Hypothesis, Limits};
use crate::decoder::probability::likeliest;
use crate::math::exp;
use crate::model::Token;

/// Some texts, of which as many are written at a time as there are lanes.
#[derive(Debug)]
pub struct Samples {
    temperature: f32,
    count: usize,
    begun: usize,
    /// What the random numbers follow from, with the number of the text.
    seed: u64,
    limits: Limits,
    prompt_rows: usize,
    /// What every text begins with.
    prefix: Vec<Token>,
    live: Vec<Sample>,
    ended: Vec<(usize, Hypothesis)>,
}

#[derive(Debug)]
struct Sample {
    number: usize,
    lane: usize,
    text: Hypothesis,
    random: Random,
}

impl Samples {
    /// `count` texts at a temperature, none of them begun, each of which begins with `prefix`. At temperature 0 all would be the same.
    /// Every lane took `prompt_rows` tokens, which the prefix is the last of.
    pub fn new(
        temperature: f32,
        count: usize,
        seed: u64,
        (prompt_rows, prefix): (usize, &[Token]),
        limits: Limits,
    ) -> Self {
        let count = if temperature > 0.0 { count.max(1) } else { 1 };
        let (live, ended) = (Vec::new(), Vec::new());
        Self { temperature, count, begun: 0, seed, limits, prompt_rows, prefix: prefix.to_vec(), live, ended }
    }

    /// Begins a text in a lane that has none if there is one to begin, as `opening` says what comes first: logits under the rules.
    /// The lane branches from `home`.
    pub fn begin(&mut self, lane: usize, home: usize, opening: &[f32], branches: &mut Vec<Branch>) {
        while self.wants_lanes() && self.live.iter().all(|sample| sample.lane != lane) {
            let seeds = [self.seed, u64::from(self.temperature.to_bits()), self.begun as u64];
            let (number, random) = (self.begun, Random::new(&seeds));
            let mut sample = Sample { number, lane, text: Hypothesis::after(&self.prefix), random };
            self.begun += 1;
            if sample.write(self.temperature, opening, &self.limits) {
                self.ended.push((number, sample.text));
            } else {
                branches.push(Branch { from: home, to: lane, rows: self.prompt_rows });
                self.live.push(sample);
            }
        }
    }

    /// The texts that go on, with their lanes.
    pub fn live(&self) -> impl Iterator<Item = (usize, &Hypothesis)> {
        self.live.iter().map(|sample| (sample.lane, &sample.text))
    }

    /// Writes a token in live text `index`, by `logits` under the rules. What has ended stays until [`Samples::settle`].
    pub fn write(&mut self, index: usize, logits: &[f32]) -> bool {
        self.live[index].write(self.temperature, logits, &self.limits)
    }

    /// Puts the texts at these indexes, in order, with those that have ended.
    pub fn end(&mut self, indexes: &[usize]) {
        for &index in indexes.iter().rev() {
            let sample = self.live.remove(index);
            self.ended.push((sample.number, sample.text));
        }
    }

    /// Whether there are texts that no lane has begun.
    pub fn wants_lanes(&self) -> bool {
        self.begun < self.count
    }

    /// Whether all texts have ended.
    pub fn are_done(&self) -> bool {
        self.ended.len() == self.count
    }

    /// The texts, in the order of their numbers.
    pub fn texts(mut self) -> Vec<Hypothesis> {
        self.ended.sort_by_key(|(number, _)| *number);
        self.ended.into_iter().map(|(_, text)| text).collect()
    }
}

impl Sample {
    fn write(&mut self, temperature: f32, logits: &[f32], limits: &Limits) -> bool {
        let (likeliest, log_sum) = likeliest(logits);
        let token = if temperature > 0.0 { draw(logits, likeliest, temperature, &mut self.random) } else { likeliest };
        self.text.push(token, logits[token as usize] - log_sum, limits)
    }
}

/// A token with probability proportional to e^(logit / temperature).
fn draw(logits: &[f32], likeliest: Token, temperature: f32, random: &mut Random) -> Token {
    let greatest = logits[likeliest as usize];
    let weight = |logit: &f32| f64::from(exp((logit - greatest) / temperature));
    let mut left = random.unit() * logits.iter().map(weight).sum::<f64>();
    let drawn = logits.iter().position(|logit| {
        left -= weight(logit);
        left < 0.0
    });
    drawn.map_or(likeliest, |token| token as Token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { end_of_text: 3, timestamp_begin: 50, most_tokens: 10 };

    /// The texts of logits that do not depend on what was written, when so many lanes are there.
    fn texts(temperature: f32, seed: u64, lanes: usize) -> Vec<Vec<Token>> {
        let logits = [1.0, 0.5, f32::NEG_INFINITY, 0.7];
        let mut samples = Samples::new(temperature, 5, seed, (0, &[]), LIMITS);
        while !samples.are_done() {
            (0..lanes).for_each(|lane| samples.begin(lane, 0, &logits, &mut Vec::new()));
            let count = samples.live().count();
            assert!(count <= lanes);
            let ended: Vec<usize> = (0..count).filter(|&index| samples.write(index, &logits)).collect();
            samples.end(&ended);
        }
        samples.texts().into_iter().map(|text| text.tokens).collect()
    }

    #[test]
    fn samples_do_not_depend_on_how_many_are_written_at_a_time() {
        let alone = texts(0.8, 7, 1);
        assert_eq!(alone.len(), 5);
        for lanes in 2..7 {
            assert_eq!(texts(0.8, 7, lanes), alone, "{lanes} lanes");
        }
        assert_ne!(texts(0.8, 8, 1), alone);
        assert_ne!(texts(0.6, 7, 1), alone);
        assert!(alone.iter().flatten().all(|token| *token != 2));
    }

    #[test]
    fn one_text_is_written_greedily() {
        assert_eq!(texts(0.0, 7, 3), [vec![0; 10]]);
    }

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_likely() {
        let (logits, mut random) = ([0.0, 1.0, f32::NEG_INFINITY, 2.0], Random::new(&[3]));
        let mut counts = [0; 4];
        (0..20_000).for_each(|_| counts[draw(&logits, 3, 0.5, &mut random) as usize] += 1);
        let sum = 1.0 + 2f64.exp() + 4f64.exp();
        for (count, expected) in counts.into_iter().zip([1.0 / sum, 2f64.exp() / sum, 0.0, 4f64.exp() / sum]) {
            let share = f64::from(count) / 20_000.0;
            assert!((share - expected).abs() < 0.01, "{share}, not {expected}");
        }
    }
}
