//! Beam search (`BeamSearchDecoder` in openai/whisper `decoding.py`).

use super::{Branch, Hypothesis, Limits};
use crate::decoder::probability::{greatest_tokens, log_sum_exp};
use crate::model::Token;

/// The likeliest texts so far, all of one length, and those that have ended.
#[derive(Debug)]
pub struct Beams {
    size: usize,
    /// Search ends when so many texts have.
    most_ended: usize,
    limits: Limits,
    /// Tokens that every lane took before the text.
    prompt_rows: usize,
    /// With their lanes, the likeliest first.
    live: Vec<(usize, Hypothesis)>,
    ended: Vec<Hypothesis>,
    /// The likeliest of those that fell into a loop.
    looped: Option<Hypothesis>,
}

impl Beams {
    /// One text in lane `home`, of which `prefix` is given; `patience` is how many times `size` texts have to end. The lane took
    /// `prompt_rows` tokens, which the prefix is the last of.
    pub fn new(
        size: usize,
        patience: f32,
        home: usize,
        (prompt_rows, prefix): (usize, &[Token]),
        limits: Limits,
    ) -> Self {
        let most_ended = ((size as f32 * patience).round_ties_even() as usize).max(1);
        let live = vec![(home, Hypothesis::after(prefix))];
        Self { size, most_ended, limits, prompt_rows, live, ended: Vec::new(), looped: None }
    }

    /// The texts that go on, with their lanes.
    pub fn live(&self) -> impl Iterator<Item = (usize, &Hypothesis)> {
        self.live.iter().map(|(lane, text)| (*lane, text))
    }

    /// The tokens that may follow a text by its `logits`, and their log-probabilities: one more than there are beams, because one may
    /// be the end.
    pub fn candidates(&self, logits: &[f32]) -> Vec<(Token, f32)> {
        let log_sum = log_sum_exp(logits);
        let greatest = greatest_tokens(logits, self.size + 1);
        greatest.into_iter().map(|(token, logit)| (token, logit - log_sum)).collect()
    }

    /// Goes on with the likeliest texts, given the `candidates` of each live one in order. A text stays in the lane of the one that
    /// it continues, or takes over one of `lanes` that is free, as `branches` then says.
    pub fn extend(&mut self, candidates: &[Vec<(Token, f32)>], lanes: &[usize], branches: &mut Vec<Branch>) {
        let mut continued: Vec<(usize, Token, f32, f32)> = Vec::new();
        for (source, ((_, text), candidates)) in self.live.iter().zip(candidates).enumerate() {
            let sum = text.sum_log_probability;
            continued.extend(candidates.iter().map(|&(token, log)| (source, token, log, sum + log)));
        }
        continued.sort_by(|one, other| other.3.total_cmp(&one.3));
        let mut chosen: Vec<(usize, Hypothesis)> = Vec::with_capacity(self.size);
        for (source, token, log_probability, _) in continued {
            let (text, has_ended) = self.live[source].1.then(token, log_probability, &self.limits);
            if text.looped.is_some() {
                self.looped.get_or_insert(text);
            } else if !has_ended {
                chosen.push((source, text));
            } else if self.ended.len() < self.most_ended {
                self.ended.push(text);
            }
            if chosen.len() == self.size {
                break;
            }
        }
        self.live = self.place(chosen, lanes, branches);
    }

    /// Gives each text a lane.
    fn place(
        &self,
        chosen: Vec<(usize, Hypothesis)>,
        lanes: &[usize],
        branches: &mut Vec<Branch>,
    ) -> Vec<(usize, Hypothesis)> {
        let goes_on = |lane: &usize| chosen.iter().any(|(source, _)| self.live[*source].0 == *lane);
        let mut free: Vec<usize> = lanes.iter().copied().filter(|lane| !goes_on(lane)).rev().collect();
        let mut has_heir = vec![false; self.live.len()];
        let mut placed = Vec::with_capacity(chosen.len());
        for (source, text) in chosen {
            let from = self.live[source].0;
            let to = if std::mem::replace(&mut has_heir[source], true) { free.pop() } else { Some(from) };
            let Some(to) = to else { break };
            if from != to {
                branches.push(Branch { from, to, rows: self.prompt_rows + text.written() - 1 });
            }
            placed.push((to, text));
        }
        placed
    }

    /// Whether enough texts have ended, or none goes on.
    pub fn are_done(&self) -> bool {
        self.ended.len() >= self.most_ended || self.live.is_empty()
    }

    /// The texts to choose from: those that ended, and if they are fewer than the beams the likeliest of the others.
    pub fn texts(self) -> Vec<Hypothesis> {
        let mut texts = self.ended;
        let missing = self.size.saturating_sub(texts.len());
        texts.extend(self.live.into_iter().map(|(_, text)| text).take(missing));
        if texts.is_empty() { self.looped.into_iter().collect() } else { texts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::search::random::Random;

    const END: Token = 9;
    const LIMITS: Limits = Limits { end_of_text: END, timestamp_begin: 50, most_tokens: 100 };

    fn tokens(beams: &Beams) -> Vec<(usize, &[Token])> {
        beams.live().map(|(lane, text)| (lane, text.tokens.as_slice())).collect()
    }

    #[test]
    fn the_likeliest_texts_go_on_and_keep_their_lanes_where_they_can() {
        let (mut beams, mut branches) = (Beams::new(2, 1.0, 4, (3, &[]), LIMITS), Vec::new());
        beams.extend(&[vec![(1, -0.1), (2, -1.0), (3, -2.0)]], &[4, 6], &mut branches);
        assert_eq!(tokens(&beams), [(4, &[1][..]), (6, &[2])]);
        assert_eq!(branches, [Branch { from: 4, to: 6, rows: 3 }]);

        branches.clear();
        let candidates = [vec![(5, -3.0), (6, -4.0), (7, -5.0)], vec![(5, -0.1), (END, -0.2), (8, -0.3)]];
        beams.extend(&candidates, &[4, 6], &mut branches);
        assert_eq!(tokens(&beams), [(6, &[2, 5][..]), (4, &[2, 8])]);
        assert_eq!(branches, [Branch { from: 6, to: 4, rows: 4 }]);
        assert!(!beams.are_done());

        beams.extend(&[vec![(END, -0.1)], vec![(1, -0.5)]], &[4, 6], &mut branches);
        assert!(beams.are_done());
        let ended: Vec<Vec<Token>> = beams.texts().into_iter().map(|text| text.tokens).collect();
        assert_eq!(ended, [vec![2], vec![2, 5]]);
    }

    #[test]
    fn patience_waits_for_more_texts() {
        for (patience, expected) in [(0.5, 1), (1.0, 2), (2.0, 4)] {
            let mut beams = Beams::new(2, patience, 0, (0, &[]), LIMITS);
            let ended = (1..10).take_while(|&token| {
                beams.extend(&[vec![(END, -0.1), (token, -0.2)]], &[0, 1], &mut Vec::new());
                !beams.are_done()
            });
            assert_eq!(ended.count() + 1, expected);
        }
    }

    #[test]
    fn texts_that_do_not_end_are_taken_in_the_end() {
        let mut beams = Beams::new(2, 1.0, 0, (0, &[]), Limits { most_tokens: 1, ..LIMITS });
        beams.extend(&[vec![(1, -0.1), (2, -0.2)]], &[0, 1], &mut Vec::new());
        assert!(beams.are_done());
        assert_eq!(beams.texts().len(), 2);
    }

    /// Logits of four tokens of text and the end after a text, different after each.
    fn logits(written: &[Token]) -> Vec<f32> {
        let mut random = Random::new(&[written.iter().fold(1, |state, token| state * 31 + u64::from(*token))]);
        (0..=END)
            .map(|token| if (4..END).contains(&token) { f32::NEG_INFINITY } else { 4.0 * random.unit() as f32 })
            .collect()
    }

    fn log_probability(written: &[Token], token: Token) -> f32 {
        logits(written)[token as usize] - log_sum_exp(&logits(written))
    }

    fn search(size: usize, patience: f32, most_tokens: usize) -> Vec<Hypothesis> {
        let lanes: Vec<usize> = (0..size).collect();
        let mut beams = Beams::new(size, patience, 0, (0, &[]), Limits { most_tokens, ..LIMITS });
        while !beams.are_done() {
            let candidates: Vec<_> = beams.live().map(|(_, text)| beams.candidates(&logits(&text.tokens))).collect();
            beams.extend(&candidates, &lanes, &mut Vec::new());
        }
        beams.texts()
    }

    /// All texts of at most so many tokens, of which those that are shorter have ended.
    fn all_texts(written: &[Token], sum: f32, most_tokens: usize, texts: &mut Vec<(Vec<Token>, f32)>) {
        if written.len() == most_tokens {
            return texts.push((written.to_vec(), sum));
        }
        texts.push((written.to_vec(), sum + log_probability(written, END)));
        for token in 0..4 {
            let next = [written, &[token]].concat();
            all_texts(&next, sum + log_probability(written, token), most_tokens, texts);
        }
    }

    #[test]
    fn beams_that_are_wide_enough_find_what_trying_all_texts_finds() {
        let mut expected = Vec::new();
        all_texts(&[], 0.0, 3, &mut expected);
        expected.sort_by(|one, other| other.1.total_cmp(&one.1));
        let mut found = search(85, 1.0, 3);
        found.sort_by(|one, other| other.sum_log_probability.total_cmp(&one.sum_log_probability));
        assert_eq!(found.len(), expected.len());
        for (text, (tokens, sum)) in found.iter().zip(&expected) {
            assert_eq!(text.tokens, *tokens);
            assert!((text.sum_log_probability - sum).abs() < 1e-5);
        }
    }

    /// Beam search as openai/whisper has it: every beam is a list of tokens, the end among them.
    fn search_by_lists(size: usize, patience: f32, most_tokens: usize) -> Vec<(Vec<Token>, f32)> {
        // Python rounds ties to even.
        let most_ended = ((size as f32 * patience).round_ties_even() as usize).max(1);
        let (mut live, mut ended) = (vec![(Vec::new(), 0.0f32)], Vec::<(Vec<Token>, f32)>::new());
        for _ in 0..most_tokens {
            let mut scores: Vec<(Vec<Token>, f32)> = Vec::new();
            for (written, sum) in &live {
                let mut tokens: Vec<Token> = (0..=END).collect();
                tokens
                    .sort_by(|one, other| log_probability(written, *other).total_cmp(&log_probability(written, *one)));
                for &token in tokens.iter().take(size + 1).filter(|&&token| logits(written)[token as usize].is_finite())
                {
                    scores.push(([&written[..], &[token]].concat(), sum + log_probability(written, token)));
                }
            }
            scores.sort_by(|one, other| other.1.total_cmp(&one.1));
            let (mut next, mut done) = (Vec::new(), Vec::new());
            for (written, sum) in scores {
                if written.last() == Some(&END) {
                    done.push((written, sum))
                } else {
                    next.push((written, sum))
                }
                if next.len() == size {
                    break;
                }
            }
            ended.extend(done.into_iter().take(most_ended - ended.len()));
            live = next;
            if ended.len() >= most_ended {
                break;
            }
        }
        let missing = size.saturating_sub(ended.len());
        ended.extend(live.into_iter().take(missing));
        ended.iter_mut().for_each(|(text, _)| text.retain(|token| *token != END));
        ended
    }

    #[test]
    fn beams_are_those_of_a_search_that_copies_its_texts() {
        for size in 1..9 {
            for patience in [0.5, 1.0, 1.7, 3.0] {
                let found = search(size, patience, 12);
                // A text of the greatest length counts as ended here and as live there.
                let sorted = |mut texts: Vec<(Vec<Token>, f32)>| {
                    texts.sort_by(|one, other| other.1.total_cmp(&one.1));
                    texts
                };
                let found = sorted(found.into_iter().map(|text| (text.tokens, text.sum_log_probability)).collect());
                let expected = sorted(search_by_lists(size, patience, 12));
                assert_eq!(found[0].0, expected[0].0, "{size} beams, patience {patience}");
                for (text, sum) in found.iter().filter(|(text, _)| text.len() < 12) {
                    let same = expected.iter().find(|(other, _)| other == text);
                    assert!(same.is_some_and(|(_, other)| (sum - other).abs() < 1e-4), "{size} beams: {text:?}");
                }
            }
        }
    }

    #[test]
    fn candidates_are_log_probabilities() {
        let candidates = Beams::new(1, 1.0, 0, (0, &[]), LIMITS).candidates(&[0.0, f32::NEG_INFINITY, 0.0, -1.0]);
        let expected = -(2.0f32 + (-1.0f32).exp()).ln();
        assert_eq!(candidates.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [0, 2]);
        assert!(candidates.iter().all(|(_, log)| (log - expected).abs() < 1e-6));
    }
}
