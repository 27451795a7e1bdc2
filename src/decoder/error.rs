//! Why the decoder refuses its options.

/// Errors of the decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not a language that Whisper knows.
    #[error("{text:?} is not a language that Whisper knows; use auto, or a code such as en, de or pt-BR")]
    NotALanguage {
        /// What came.
        text: String,
    },
    /// Not a language of this model.
    #[error("{language:?} is not a language of this model; use auto or one of {known}")]
    UnknownLanguage {
        /// What came.
        language: String,
        /// What the model knows, separated by spaces.
        known: String,
    },
    /// No number of a token.
    #[error(
        "{text:?} is no number of a token; use a list divided by commas, such as -1,50,61, in which -1 is the model's own list"
    )]
    NotAToken {
        /// What came.
        text: String,
    },
    /// A token that may not be suppressed.
    #[error("{token} is no token of this model's text; use 0 to {most}, or -1 for the model's own list")]
    UnknownToken {
        /// What came.
        token: i64,
        /// The last that is accepted.
        most: i64,
    },
    /// The end of the text may not be suppressed.
    #[error(
        "{token} is the end of the text, which every text needs; use tokens below it, or -1 for the model's own list"
    )]
    EndOfText {
        /// What came.
        token: i64,
    },
    /// An option of the search that makes no sense.
    #[error("{name} is {value}, but has to be {wanted}")]
    OutOfRange {
        /// Which.
        name: &'static str,
        /// What came.
        value: String,
        /// What is accepted.
        wanted: &'static str,
    },
    /// A window was begun with more beams than lanes are free.
    #[error("the window takes {wanted} lanes, but {free} are free")]
    Lanes {
        /// Lanes that the window takes.
        wanted: usize,
        /// Lanes that are free.
        free: usize,
    },
    /// An English-only model was asked for something else.
    #[error("this model knows only English, but {wanted} was asked for; use a multilingual model such as base")]
    EnglishOnly {
        /// What was asked for.
        wanted: String,
    },
}
