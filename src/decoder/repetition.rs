//! Greedy decoding can fall into a loop and write one phrase until the window's token limit; this notices it.

use crate::model::Token;

/// A loop is at least so long; people do say a word a dozen times.
const LEAST_TOKENS: usize = 24;
/// A loop goes round at least so often.
const LEAST_ROUNDS: usize = 4;
/// The longest phrase that is looked for.
const LONGEST_PHRASE_TOKENS: usize = 48;

/// Where to cut `tokens` if they end in a loop: behind the first round of the phrase. Timestamps do not count as part of it.
pub fn cut(tokens: &[Token], timestamp_begin: Token) -> Option<usize> {
    let places: Vec<usize> = (0..tokens.len()).filter(|&place| tokens[place] < timestamp_begin).collect();
    let same = |a: usize, b: usize| tokens[places[a]] == tokens[places[b]];
    for phrase in 1..=LONGEST_PHRASE_TOKENS.min(places.len() / LEAST_ROUNDS) {
        let first_equal =
            (phrase..places.len()).rev().find(|&index| !same(index, index - phrase)).map_or(phrase, |index| index + 1);
        let looped = places.len() - (first_equal - phrase);
        if looped >= LEAST_TOKENS && looped >= LEAST_ROUNDS * phrase {
            return Some(places[first_equal - 1] + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::cut;

    const TIMESTAMP: u32 = 1000;

    fn written(before: &[u32], phrase: &[u32], rounds: usize) -> Vec<u32> {
        before.iter().chain(phrase.iter().cycle().take(phrase.len() * rounds)).copied().collect()
    }

    #[test]
    fn a_loop_is_cut_behind_its_first_round() {
        assert_eq!(cut(&written(&[7, 8, 9], &[1, 2], 12), TIMESTAMP), Some(5));
        assert_eq!(cut(&written(&[], &[5], 24), TIMESTAMP), Some(1));
        assert_eq!(cut(&written(&[7], &(10..30).collect::<Vec<_>>(), 4), TIMESTAMP), Some(21));
    }

    #[test]
    fn timestamps_between_the_rounds_do_not_hide_it() {
        let mut tokens = vec![TIMESTAMP];
        for round in 0..8 {
            tokens.extend([1, 2, 3, TIMESTAMP + round, TIMESTAMP + round]);
        }
        assert_eq!(cut(&tokens, TIMESTAMP), Some(4));
    }

    #[test]
    fn speech_that_repeats_itself_is_left_alone() {
        assert_eq!(cut(&written(&[7], &[1, 2], 11), TIMESTAMP), None);
        assert_eq!(cut(&written(&[], &(10..25).collect::<Vec<_>>(), 3), TIMESTAMP), None);
        assert_eq!(cut(&(0..200).collect::<Vec<_>>(), TIMESTAMP), None);
        assert_eq!(cut(&[], TIMESTAMP), None);
    }
}
