//! When a word of a window that still grows is final.

use crate::transcript::Word;

/// A word that the model looks for closer to the window's end than this may not have been heard whole: 0.4 s, 20 positions
/// (`docs/decisions/growing-windows.md`; Papi et al., 2023, "AlignAtt: Using Attention-based Audio-Translation Alignments as a Guide for
/// Simultaneous Speech Translation").
const EDGE_SAMPLES: usize = 6_400;

/// A word waits for what follows by 0.3 s and by 2 s times how much the model doubts it, no longer than 1.25 s. One that ends a sentence
/// waits for so long anyway, because a text that is cut off is often written as if it ended there.
const WAIT_SAMPLES: usize = 4_800;
const DOUBTED_SAMPLES: f32 = 32_000.0;
const LONGEST_WAIT_SAMPLES: usize = 20_000;

/// A word that ended so long ago is not heard better by waiting: 4 s.
const OLD_SAMPLES: usize = 64_000;

/// A shorter window is too little to hear what is said in it: 1.7 s.
const LEAST_WINDOW_SAMPLES: usize = 27_200;

/// Full stops, and marks of a question and an exclamation, of the scripts of Whisper's languages (`Sentence_Terminal` of Unicode's PropList).
const SENTENCE_ENDS: [char; 13] = ['.', '!', '?', '…', '。', '！', '？', '؟', '۔', '।', '።', '။', '։'];
const CLOSING_MARKS: [char; 8] = ['"', '\'', '”', '’', '»', ')', '」', '』'];

/// Which words are final before their window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// None.
    #[default]
    Segment,
    /// Those that two transcripts one after the other begin with (Liu et al., 2020, "Low-Latency Sequence-to-Sequence Speech
    /// Recognition and Translation by Partial Hypothesis Selection"; Macháček et al., 2023, "Turning Whisper into Real-Time
    /// Transcription System").
    LocalAgreement,
    /// Those of them before the first that the model looks for near the window's end, or doubts so much that what follows should be heard
    /// first.
    AlignAtt,
}

impl std::str::FromStr for Policy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "segment" => Ok(Self::Segment),
            "local-agreement" => Ok(Self::LocalAgreement),
            "align-att" => Ok(Self::AlignAtt),
            _ => Err(format!("{name:?} is no policy; there are segment, local-agreement and align-att")),
        }
    }
}

impl Policy {
    /// Whether words of a window that still grows may be final.
    pub fn commits_updates(self) -> bool {
        self != Self::Segment
    }

    /// How many of the `words` are final that a transcript of a window of `window_samples` has behind what was final before. The
    /// transcript before it had `before`. Unless the voice has paused at the window's end, the last word is never among them, because
    /// what follows may belong to it.
    pub fn finals(self, words: &[&Word], before: &[String], window_samples: usize, has_paused: bool) -> usize {
        if window_samples < LEAST_WINDOW_SAMPLES {
            return 0;
        }
        let most = if has_paused { words.len() } else { words.len().saturating_sub(1) };
        let is_final = |(index, word): &(usize, &&Word)| {
            let is_same = before.get(*index).is_some_and(|before| *before == plain(&word.text));
            let is_heard = || has_paused || word.looked_samples + EDGE_SAMPLES <= window_samples;
            let has_waited = |wait_samples: usize| word.end_samples + wait_samples <= window_samples;
            let is_ended = || !ends_sentence(&word.text) || has_waited(LONGEST_WAIT_SAMPLES);
            let is_settled = || {
                let doubted = (DOUBTED_SAMPLES * (1.0 - word.probability)) as usize;
                has_waited((WAIT_SAMPLES + doubted).min(LONGEST_WAIT_SAMPLES))
            };
            match self {
                Self::Segment => false,
                _ if has_waited(OLD_SAMPLES) => true,
                Self::LocalAgreement => is_same && is_ended(),
                Self::AlignAtt => is_same && is_ended() && is_heard() && is_settled(),
            }
        };
        words[..most].iter().enumerate().take_while(is_final).count()
    }
}

/// Whether a sentence ends with this text.
pub fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(|c: char| c.is_whitespace() || CLOSING_MARKS.contains(&c)).ends_with(SENTENCE_ENDS)
}

/// A word's letters and digits, in small letters: punctuation changes more often than what is said.
pub fn plain(text: &str) -> String {
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if letters.is_empty() { text.trim().to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, usize)]) -> Vec<Word> {
        let word = |&(text, looked_samples): &(&str, usize)| Word {
            text: text.into(),
            looked_samples,
            probability: 0.95,
            ..Word::default()
        };
        words.iter().map(word).collect()
    }

    fn finals(policy: Policy, now: &[(&str, usize)], before: &[&str]) -> usize {
        let words = words(now);
        let before: Vec<String> = before.iter().map(|text| plain(text)).collect();
        policy.finals(&words.iter().collect::<Vec<_>>(), &before, 32_000, false)
    }

    #[test]
    fn at_a_pause_nothing_is_final_before_it() {
        assert_eq!(finals(Policy::Segment, &[(" a", 0), (" b", 0)], &[" a", " b"]), 0);
    }

    #[test]
    fn what_two_transcripts_agree_in_is_final_but_for_the_last_word() {
        let now = [(" So", 0), (" it", 0), (" is.", 0)];
        assert_eq!(finals(Policy::LocalAgreement, &now, &[]), 0);
        assert_eq!(finals(Policy::LocalAgreement, &now, &[" so,", " it"]), 2);
        assert_eq!(finals(Policy::LocalAgreement, &now, &[" So", " he", " is"]), 1);
        assert_eq!(finals(Policy::LocalAgreement, &now, &[" So", " it", " is."]), 2);
        assert_eq!(finals(Policy::LocalAgreement, &[], &[" So"]), 0);
    }

    #[test]
    fn what_the_model_looks_for_at_the_edge_is_not_final_nor_what_follows() {
        let now = [(" So", 3_200), (" it", 25_600), (" is", 25_920), (" the", 9_600), (" end", 12_000)];
        let before = [" So", " it", " is", " the", " end"];
        assert_eq!(finals(Policy::AlignAtt, &now, &before), 2);
        assert_eq!(finals(Policy::AlignAtt, &now[..2], &before), 1);
    }

    #[test]
    fn what_the_model_says_once_is_not_final() {
        let now = [(" So", 3_200), (" it", 9_600), (" is", 12_000)];
        assert_eq!(finals(Policy::AlignAtt, &now, &[" so,", " if"]), 1);
        assert_eq!(finals(Policy::AlignAtt, &now, &[" so,", " it"]), 2);
        assert_eq!(finals(Policy::AlignAtt, &now, &[]), 0);
    }

    #[test]
    fn in_a_pause_nothing_more_belongs_to_the_last_word() {
        let now = words(&[(" So", 3_200), (" it", 20_800), (" is.", 31_000)]);
        let now: Vec<&Word> = now.iter().collect();
        let before = ["so", "it", "is"].map(str::to_owned);
        for policy in [Policy::AlignAtt, Policy::LocalAgreement] {
            assert_eq!(policy.finals(&now, &before, 32_000, true), 3);
            assert!(policy.finals(&now, &before, 32_000, false) < 3);
            assert_eq!(policy.finals(&now, &[], 32_000, true), 0);
        }
    }

    #[test]
    fn what_the_model_doubts_waits_for_what_follows() {
        let mut now = words(&[(" So", 3_200), (" it", 9_600), (" is", 12_000)]);
        let before = ["so".to_owned(), "it".to_owned()];
        // 0.3 s behind its end if it is certain, 0.8 s if its probability is 0.75, 1.25 s at most.
        for (probability, end) in [(1.0, 37_600), (0.75, 45_600), (0.25, 52_800)] {
            (now[1].probability, now[1].end_samples) = (probability, 32_800);
            let finals = |window| Policy::AlignAtt.finals(&now.iter().collect::<Vec<_>>(), &before, window, false);
            assert_eq!([end - 1, end].map(finals), [1, 2], "{probability}");
        }
    }

    #[test]
    fn a_sentence_ends_where_more_was_heard_behind_it() {
        for (text, end) in [(" it.", 52_800), (" it!\"", 52_800), ("吗？", 52_800), (" it,", 37_600), (" it", 37_600)]
        {
            let before = [" So", text].map(plain);
            let mut now = words(&[(" So", 3_200), (text, 9_600), (" is", 12_000)]);
            (now[1].probability, now[1].end_samples) = (1.0, 32_800);
            let now: Vec<&Word> = now.iter().collect();
            let finals = |window| Policy::AlignAtt.finals(&now, &before, window, false);
            assert_eq!([end - 1, end].map(finals), [1, 2], "{text}");
        }
    }

    #[test]
    fn marks_are_compared_as_they_are() {
        assert_eq!(plain(" (Hello!)"), "hello");
        assert_eq!(plain(" — "), "—");
    }
}
