//! Whisper's languages.

/// Whisper's code for a language given by code (`de`), by code with a region (`de-AT`, `zh_TW`) or by English name;
/// letter case does not matter. A model may know fewer: see [`Vocabulary::language_token`](super::Vocabulary::language_token).
pub fn language_code(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let primary = name.split(['-', '_']).next().unwrap_or_default();
    let primary = SYNONYMS.iter().find(|(code, _)| *code == primary).map_or(primary, |(_, whisper)| *whisper);
    let by_code = LANGUAGES.iter().find(|(code, _)| *code == primary);
    by_code.or_else(|| LANGUAGES.iter().find(|(_, language)| *language == name)).map(|(code, _)| *code)
}

/// Codes in the order of the language tokens.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(code, _)| *code)
}

/// Codes in use elsewhere for what Whisper calls otherwise.
const SYNONYMS: [(&str, &str); 6] =
    [("jv", "jw"), ("nb", "no"), ("iw", "he"), ("in", "id"), ("cmn", "zh"), ("fil", "tl")];

/// In the order of the language tokens; Cantonese came with large-v3.
#[rustfmt::skip]
const LANGUAGES: [(&str, &str); 100] = [
    ("en", "english"), ("zh", "chinese"), ("de", "german"), ("es", "spanish"), ("ru", "russian"), ("ko", "korean"),
    ("fr", "french"), ("ja", "japanese"), ("pt", "portuguese"), ("tr", "turkish"), ("pl", "polish"),
    ("ca", "catalan"), ("nl", "dutch"), ("ar", "arabic"), ("sv", "swedish"), ("it", "italian"), ("id", "indonesian"),
    ("hi", "hindi"), ("fi", "finnish"), ("vi", "vietnamese"), ("he", "hebrew"), ("uk", "ukrainian"), ("el", "greek"),
    ("ms", "malay"), ("cs", "czech"), ("ro", "romanian"), ("da", "danish"), ("hu", "hungarian"), ("ta", "tamil"),
    ("no", "norwegian"), ("th", "thai"), ("ur", "urdu"), ("hr", "croatian"), ("bg", "bulgarian"),
    ("lt", "lithuanian"), ("la", "latin"), ("mi", "maori"), ("ml", "malayalam"), ("cy", "welsh"), ("sk", "slovak"),
    ("te", "telugu"), ("fa", "persian"), ("lv", "latvian"), ("bn", "bengali"), ("sr", "serbian"),
    ("az", "azerbaijani"), ("sl", "slovenian"), ("kn", "kannada"), ("et", "estonian"), ("mk", "macedonian"),
    ("br", "breton"), ("eu", "basque"), ("is", "icelandic"), ("hy", "armenian"), ("ne", "nepali"),
    ("mn", "mongolian"), ("bs", "bosnian"), ("kk", "kazakh"), ("sq", "albanian"), ("sw", "swahili"),
    ("gl", "galician"), ("mr", "marathi"), ("pa", "punjabi"), ("si", "sinhala"), ("km", "khmer"), ("sn", "shona"),
    ("yo", "yoruba"), ("so", "somali"), ("af", "afrikaans"), ("oc", "occitan"), ("ka", "georgian"),
    ("be", "belarusian"), ("tg", "tajik"), ("sd", "sindhi"), ("gu", "gujarati"), ("am", "amharic"), ("yi", "yiddish"),
    ("lo", "lao"), ("uz", "uzbek"), ("fo", "faroese"), ("ht", "haitian creole"), ("ps", "pashto"), ("tk", "turkmen"),
    ("nn", "nynorsk"), ("mt", "maltese"), ("sa", "sanskrit"), ("lb", "luxembourgish"), ("my", "myanmar"),
    ("bo", "tibetan"), ("tl", "tagalog"), ("mg", "malagasy"), ("as", "assamese"), ("tt", "tatar"),
    ("haw", "hawaiian"), ("ln", "lingala"), ("ha", "hausa"), ("ba", "bashkir"), ("jw", "javanese"),
    ("su", "sundanese"), ("yue", "cantonese"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_regions_and_names_are_understood() {
        assert_eq!(language_code("EN"), Some("en"));
        assert_eq!(language_code("en-US"), Some("en"));
        assert_eq!(language_code("pt_BR"), Some("pt"));
        assert_eq!(language_code("Haitian Creole"), Some("ht"));
        assert_eq!(language_code("yue"), Some("yue"));
        assert_eq!(language_code("nb-NO"), Some("no"));
        assert_eq!(language_code("klingon"), None);
        assert_eq!(language_code(""), None);
    }
}
