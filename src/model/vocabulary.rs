//! Token ids and the bytes that they stand for.

/// The id of a token.
pub type Token = u32;

/// The ids with a meaning of their own, taken from the model's vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecialTokens {
    /// `<|endoftext|>`
    pub end_of_text: Token,
    /// `<|startoftranscript|>`
    pub start_of_transcript: Token,
    /// `<|translate|>`
    pub translate: Token,
    /// `<|transcribe|>`
    pub transcribe: Token,
    /// `<|startofprev|>`
    pub start_of_previous: Token,
    /// `<|nospeech|>` (`<|nocaptions|>` in older vocabularies)
    pub no_speech: Token,
    /// `<|notimestamps|>`
    pub no_timestamps: Token,
    /// `<|0.00|>`; the following ids step by 20 ms.
    pub timestamp_begin: Token,
    /// Language code (`en`) and token of each language; empty for an English-only model.
    pub languages: Vec<(String, Token)>,
}

/// A byte-level vocabulary.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// Ids with a meaning of their own.
    pub special: SpecialTokens,
}
impl Vocabulary { /// d
 pub fn decode(&self, _t: &[Token]) -> String { todo!() } }
