//! Punctuation goes with its word (`merge_punctuations` in openai/whisper `timing.py`, and the marks of its
//! `add_word_timestamps`).

use super::Word;

const PREPENDED: &str = "\"'“¿([{-";
const APPENDED: &str = "\"'.。,，!！?？:：”)]}、";
const SENTENCE_END: &str = ".。!！?？";

/// Whether the word is a mark, or several, that ends a sentence.
pub fn ends_sentence(word: &Word) -> bool {
    is_among(SENTENCE_END, &word.text)
}

/// Joins what opens something to the word behind it and what closes something to the word before it. Time and probability stay
/// the word's own.
pub fn merge(words: Vec<Word>) -> Vec<Word> {
    let mut backwards: Vec<Word> = Vec::with_capacity(words.len());
    for word in words.into_iter().rev() {
        match backwards.last_mut() {
            Some(next) if word.text.starts_with(' ') && PREPENDED.contains(word.text.trim()) => {
                next.text.insert_str(0, &word.text);
                next.tokens.start = word.tokens.start;
            }
            _ => backwards.push(word),
        }
    }
    let mut merged: Vec<Word> = Vec::with_capacity(backwards.len());
    for word in backwards.into_iter().rev() {
        match merged.last_mut() {
            Some(last) if !last.text.ends_with(' ') && is_among(APPENDED, &word.text) => {
                last.text.push_str(&word.text);
                last.tokens.end = word.tokens.end;
            }
            _ => merged.push(word),
        }
    }
    merged
}

fn is_among(marks: &str, text: &str) -> bool {
    !text.is_empty() && marks.contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(words: &[&str]) -> Vec<String> {
        let word = |(index, text): (usize, &&str)| Word {
            text: (*text).into(),
            start_samples: index,
            end_samples: index + 1,
            probability: 0.5,
            ..Word::default()
        };
        let merged = merge(words.iter().enumerate().map(word).collect());
        for word in &merged {
            let own = word.text.trim_matches(|c: char| !c.is_alphanumeric());
            let place = words.iter().position(|word| word.trim() == own);
            assert!(own.is_empty() || place == Some(word.start_samples), "{word:?} has lost its time");
        }
        merged.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn marks_go_with_their_words() {
        assert_eq!(merged(&[" He", " said", ",", " \"", "no", ".", "\""]), [" He", " said,", " \"no.\""]);
        assert_eq!(merged(&[" ¿", "qué", "?"]), [" ¿qué?"]);
        assert_eq!(merged(&["你好", "，", "世界", "。"]), ["你好，", "世界。"]);
        assert_eq!(merged(&[" (", " [", "a", "]", ")"]), [" ( [a])"]);
    }

    #[test]
    fn what_no_word_stands_beside_stays() {
        assert_eq!(merged(&[".", " a"]), [".", " a"]);
        assert_eq!(merged(&[" a", " ("]), [" a", " ("]);
        assert_eq!(merged(&[" a", " .", "b"]), [" a", " .", "b"]);
        assert_eq!(merged(&[]), [""; 0]);
    }

    #[test]
    fn only_marks_end_a_sentence() {
        let word = |text: &str| Word {
            text: text.into(),
            start_samples: 0,
            end_samples: 1,
            probability: 1.0,
            ..Word::default()
        };
        assert!(ends_sentence(&word(".")) && ends_sentence(&word("？")));
        assert!(!["", ",", " end."].into_iter().any(|text| ends_sentence(&word(text))));
    }
}
