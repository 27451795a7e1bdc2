//! Which characters belong together, and which words stand apart by spaces.

/// Languages that are written without spaces between words (`split_to_word_tokens` in openai/whisper `tokenizer.py`).
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

/// Whether the words of a language, by its code, have spaces between them.
pub fn has_spaces(language: &str) -> bool {
    !WITHOUT_SPACES.contains(&language)
}

/// Whether the character is a letter, a digit or a mark of a script that has spaces between words: Latin, Greek or Cyrillic. The
/// digits of scripts without spaces make numbers just as well.
pub fn is_spaced(character: char) -> bool {
    let code = u32::from(character);
    let is_mark = (0x0300..=0x036F).contains(&code);
    is_mark || character.is_alphanumeric() && SPACED.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Where Unicode has these letters and digits, first and last of each range; signs among them are none.
#[rustfmt::skip]
const SPACED: [(u32, u32); 14] = [
    (0x0030, 0x007A), (0x00AA, 0x02AF), (0x0370, 0x052F), (0x0E50, 0x0E59), (0x0ED0, 0x0ED9), (0x1040, 0x1049),
    (0x1C80, 0x1C8F), (0x1E00, 0x1FFF), (0x2C60, 0x2C7F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F), (0xA720, 0xA7FF),
    (0xFB00, 0xFB06), (0xFF10, 0xFF5A),
];

/// Whether `next` is part of the character that `text` ends with: of the grapheme clusters of Unicode's annex 29 those of
/// emoji and of the scripts without spaces, and marks that any script has. Beyond these, vowels of Thai and Lao that take a place of
/// their own stay with their consonant, as do consonants below another in Burmese.
pub fn continues(text: &str, next: char) -> bool {
    const JOINER: char = '\u{200D}';
    let is_flag_letter = |character: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(character);
    let is_half_flag = || text.chars().rev().take_while(is_flag_letter).count() % 2 == 1;
    let code = u32::from(next);
    let following = EXTENDING.partition_point(|(first, _)| *first <= code);
    let is_extending = following > 0 && code <= EXTENDING[following - 1].1;
    let is_joined = text.ends_with(JOINER) || (is_flag_letter(&next) && is_half_flag());
    !text.is_empty() && (is_extending || is_joined || completes(text, next))
}

/// Whether `text` ends with something that stands before its consonant: a vowel that is written so (`Logical_Order_Exception` in
/// Unicode's PropList.txt), or the Burmese sign that puts a consonant below another (The Unicode Standard 16.0, 16.3).
fn completes(text: &str, next: char) -> bool {
    match text.chars().next_back() {
        Some('\u{0E40}'..='\u{0E44}') => ('\u{0E01}'..='\u{0E2E}').contains(&next),
        Some('\u{0EC0}'..='\u{0EC4}') => {
            ('\u{0E81}'..='\u{0EAE}').contains(&next) || ('\u{0EDC}'..='\u{0EDF}').contains(&next)
        }
        Some('\u{1039}') => ('\u{1000}'..='\u{1021}').contains(&next),
        _ => false,
    }
}

/// Characters that extend the one before them, first and last of each range: combining marks in general, of Thai, Lao, Burmese
/// and Japanese; vowels and signs of repetition of Thai and Lao; the joiner; variation selectors; what emoji are modified by.
#[rustfmt::skip]
const EXTENDING: [(u32, u32); 23] = [
    (0x0300, 0x036F), (0x0E30, 0x0E3A), (0x0E45, 0x0E4E), (0x0EB0, 0x0EBD), (0x0EC6, 0x0ECE), (0x102B, 0x103E),
    (0x1056, 0x1059), (0x105E, 0x1060), (0x1062, 0x1064), (0x1067, 0x106D), (0x1071, 0x1074), (0x1082, 0x108D),
    (0x108F, 0x108F), (0x109A, 0x109D), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x200D, 0x200D), (0x20D0, 0x20FF),
    (0x3099, 0x309A), (0xFE00, 0xFE0F), (0xFF9E, 0xFF9F), (0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_modifiers_and_joined_emoji_continue() {
        for (text, next) in
            [("e", '\u{301}'), ("ก", 'ี'), ("က", '\u{102D}'), ("👍", '🏽'), ("❤", '\u{FE0F}'), ("1\u{FE0F}", '\u{20E3}')]
        {
            assert!(continues(text, next), "{text} {next}");
        }
        assert!(continues("👩", '\u{200D}') && continues("👩\u{200D}", '👧'));
        assert!(continues("🇩", '🇪') && !continues("🇩🇪", '🇫') && continues("🇩🇪🇫", '🇷'));
    }

    #[test]
    fn letters_with_spaces_between_their_words_are_told_from_others() {
        assert!(['a', 'Z', '7', 'é', 'ß', 'ł', 'Ω', 'ё', 'ﬁ', '７', '๗', '\u{301}'].into_iter().all(is_spaced));
        assert!(![' ', '\'', '@', '×', '¿', '日', 'あ', 'ก', '한', '：', '%'].into_iter().any(is_spaced));
    }

    #[test]
    fn characters_of_their_own_do_not() {
        for (text, next) in
            [("", '\u{301}'), ("日", '本'), ("า", 'ก'), ("เ", 'a'), ("👍", '👍'), ("a", '🇩'), ("a", ' ')]
        {
            assert!(!continues(text, next), "{text} {next}");
        }
    }
}
