//! Which characters belong together, and which words stand apart by spaces.

/// Languages that are written without spaces between words (`split_to_word_tokens` in openai/whisper `tokenizer.py`).
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];

/// Whether the words of a language, by its code, have spaces between them.
pub fn has_spaces(language: &str) -> bool {
    !WITHOUT_SPACES.contains(&language)
}

/// Whether `next` is part of the character that `text` ends with: of the grapheme clusters of Unicode's annex 29 those of
/// emoji and of the scripts without spaces, and marks that any script has.
pub fn continues(text: &str, next: char) -> bool {
    const JOINER: char = '\u{200D}';
    let is_flag_letter = |character: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(character);
    let is_half_flag = || text.chars().rev().take_while(is_flag_letter).count() % 2 == 1;
    let code = u32::from(next);
    let following = EXTENDING.partition_point(|(first, _)| *first <= code);
    let is_extending = following > 0 && code <= EXTENDING[following - 1].1;
    !text.is_empty() && (is_extending || text.ends_with(JOINER) || (is_flag_letter(&next) && is_half_flag()))
}

/// Characters that extend the one before them, first and last of each range: combining marks in general, of Thai, Lao, Burmese
/// and Japanese; the joiner; variation selectors; what emoji are modified by.
#[rustfmt::skip]
const EXTENDING: [(u32, u32); 25] = [
    (0x0300, 0x036F), (0x0E31, 0x0E31), (0x0E33, 0x0E3A), (0x0E47, 0x0E4E), (0x0EB1, 0x0EB1), (0x0EB3, 0x0EBC),
    (0x0EC8, 0x0ECE), (0x102B, 0x103E), (0x1056, 0x1059), (0x105E, 0x1060), (0x1062, 0x1064), (0x1067, 0x106D),
    (0x1071, 0x1074), (0x1082, 0x108D), (0x108F, 0x108F), (0x109A, 0x109D), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
    (0x200D, 0x200D), (0x20D0, 0x20FF), (0x3099, 0x309A), (0xFE00, 0xFE0F), (0xFF9E, 0xFF9F), (0x1F3FB, 0x1F3FF),
    (0xE0020, 0xE007F),
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
    fn characters_of_their_own_do_not() {
        for (text, next) in [("", '\u{301}'), ("日", '本'), ("ก", 'า'), ("👍", '👍'), ("a", '🇩'), ("a", ' ')]
        {
            assert!(!continues(text, next), "{text} {next}");
        }
    }
}
