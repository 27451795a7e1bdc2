//! Short forms of English and what they stand for.

use regex::Regex;

use super::english::pattern;

/// Whole words.
const WORDS: [(&str, &str); 14] = [
    ("won't", "will not"),
    ("can't", "can not"),
    ("let's", "let us"),
    ("ain't", "aint"),
    ("y'all", "you all"),
    ("wanna", "want to"),
    ("gotta", "got to"),
    ("gonna", "going to"),
    ("i'ma", "i am going to"),
    ("imma", "i am going to"),
    ("woulda", "would have"),
    ("coulda", "could have"),
    ("shoulda", "should have"),
    ("ma'am", "madam"),
];

/// Titles, as words of their own; a name follows, often after a full stop.
const TITLES: [(&str, &str); 21] = [
    ("mr", "mister"),
    ("mrs", "missus"),
    ("st", "saint"),
    ("dr", "doctor"),
    ("prof", "professor"),
    ("capt", "captain"),
    ("gov", "governor"),
    ("ald", "alderman"),
    ("gen", "general"),
    ("sen", "senator"),
    ("rep", "representative"),
    ("pres", "president"),
    ("rev", "reverend"),
    ("hon", "honorable"),
    ("asst", "assistant"),
    ("assoc", "associate"),
    ("lt", "lieutenant"),
    ("col", "colonel"),
    ("jr", "junior"),
    ("sr", "senior"),
    ("esq", "esquire"),
];

/// Endings, the perfect tenses before the general reading of the same letters.
const ENDINGS: [(&str, &str); 14] = [
    ("'d been", "had been"),
    ("'s been", "has been"),
    ("'d gone", "had gone"),
    ("'s gone", "has gone"),
    ("'d done", "had done"),
    ("'s got", "has got"),
    ("n't", "not"),
    ("'re", "are"),
    ("'s", "is"),
    ("'d", "would"),
    ("'ll", "will"),
    ("'t", "not"),
    ("'ve", "have"),
    ("'m", "am"),
];

/// Each short form with its replacement, in the order in which they are to be applied.
pub fn patterns() -> Vec<(Regex, String)> {
    let word = |(short, long): &(&str, &str)| (pattern(&format!(r"\b{short}\b")), (*long).to_owned());
    let title = |(short, long): &(&str, &str)| (pattern(&format!(r"\b{short}\b")), format!("{long} "));
    let ending = |(short, long): &(&str, &str)| (pattern(&format!(r"{short}\b")), format!(" {long}"));
    WORDS.iter().map(word).chain(TITLES.iter().map(title)).chain(ENDINGS.iter().map(ending)).collect()
}
