//! Punctuation goes with its word (`merge_punctuations` in openai/whisper `timing.py`, and the marks of its
//! `add_word_timestamps`).

use super::Word;

const PREPENDED: &str = "\"'“¿([{-";
const APPENDED: &str = "\"'.。,，!！?？:：”)]}、";
const SENTENCE_END: &str = ".。!！?？";

/// Beyond the reference: what opens something wherever it stands, and what else does not stand alone. Quotation marks that open in one
/// language close in another, but these are attached to their words there, and no words of their own.
const OPENING: &str = "¿¡([{«‹„‚“‘「『（《〈【〔［｛";
const OTHERS: &str = "»›’」』）》〉】〕］｝…‥-‐‑–—―;；·・";

/// Whether the word is a mark, or several, that ends a sentence.
pub fn ends_sentence(word: &Word) -> bool {
    is_among(SENTENCE_END, &word.text)
}

/// Joins what opens something to the word behind it, and what closes something, dots and dashes to the word before it; a mark with no
/// word on its own side goes to the other. Time and probability stay the word's own.
pub fn merge(words: Vec<Word>) -> Vec<Word> {
    let mut backwards: Vec<Word> = Vec::with_capacity(words.len());
    for word in words.into_iter().rev() {
        match backwards.last_mut() {
            Some(next) if opens(&word.text) => prepend(next, &word),
            _ => backwards.push(word),
        }
    }
    let mut merged: Vec<Word> = Vec::with_capacity(backwards.len());
    for word in backwards.into_iter().rev() {
        match merged.last_mut() {
            Some(last) if is_marks(&last.text) && !is_marks(&word.text) => {
                let marks = std::mem::replace(last, word);
                prepend(last, &marks);
            }
            Some(last) if is_marks(&word.text) => {
                last.text.push_str(&word.text);
                last.tokens.end = word.tokens.end;
            }
            _ => merged.push(word),
        }
    }
    merged
}

fn prepend(word: &mut Word, marks: &Word) {
    word.text.insert_str(0, &marks.text);
    word.tokens.start = marks.tokens.start;
}

/// A space alone does too: the word behind it begins with it.
fn opens(text: &str) -> bool {
    let marks = text.trim();
    let is_in_reference = text.starts_with(' ') && PREPENDED.contains(marks);
    marks.is_empty() || is_in_reference || marks.chars().all(|mark| OPENING.contains(mark))
}

/// Whether the text is punctuation alone.
fn is_marks(text: &str) -> bool {
    let is_mark = |mark| [PREPENDED, APPENDED, OPENING, OTHERS].iter().any(|marks| marks.contains(mark));
    !text.trim().is_empty() && text.trim().chars().all(|mark| mark.is_whitespace() || is_mark(mark))
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
    fn quotation_marks_with_spaces_go_with_their_words() {
        assert_eq!(merged(&[" «", " Bonjour", " »", ",", " dit"]), [" « Bonjour »,", " dit"]);
        for space in ["\u{A0}", "\u{202F}"] {
            let (first, last) = (format!("{space}Bonjour"), format!("{space}»"));
            let quoted = [format!(" «{space}Bonjour{space}»"), format!(" dit{space}?")];
            assert_eq!(merged(&[" «", &first, &last, " dit", space, "?"]), quoted);
            assert_eq!(merged(&[" «", space, "Bonjour", space, "»", " dit", space, "?"]), quoted);
        }
        assert_eq!(merged(&["「", "日", "」", "。", "“", "本"]), ["「日」。", "“本"]);
    }

    #[test]
    fn dots_and_dashes_go_with_the_word_before() {
        assert_eq!(merged(&[" So", " ...", " on", " …"]), [" So ...", " on …"]);
        assert_eq!(merged(&[" this", " –", " that", " —", " too", " --"]), [" this –", " that —", " too --"]);
        assert_eq!(merged(&[" this", " -", " that"]), [" this", " - that"], "the reference's own");
        assert_eq!(merged(&[" —", " Non", "."]), [" — Non."]);
        assert_eq!(merged(&[" ...", " and"]), [" ... and"]);
    }

    #[test]
    fn signs_that_are_said_stay() {
        assert_eq!(merged(&[" Tom", " &", " Jo", " 50", "%"]), [" Tom", " &", " Jo", " 50", "%"]);
    }

    #[test]
    fn spaces_stand_before_words_where_they_are_few() {
        assert_eq!(merged(&["มา", " ", "ไป", "\u{3000}", "日"]), ["มา", " ไป", "\u{3000}日"]);
    }

    #[test]
    fn a_mark_with_no_word_on_its_side_goes_to_the_other() {
        assert_eq!(merged(&[".", " a"]), [". a"]);
        assert_eq!(merged(&[" a", " ("]), [" a ("]);
        assert_eq!(merged(&[" .", "."]), [" .."]);
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
