//! What a user may set of the search for a text, and of what the decoder is told before it. All of it may change at any time.

use gst::{
    glib::{self, ParamSpec},
    prelude::*,
};

use super::errors::Fault;
use crate::decoder::{MOST_LANES, Options};

const BEAM_SIZE: &str = "beam-size";
const BEST_OF: &str = "best-of";
const PATIENCE: &str = "patience";
const LENGTH_PENALTY: &str = "length-penalty";
const TEMPERATURE_FALLBACK: &str = "temperature-fallback";
const COMPRESSION_RATIO_THRESHOLD: &str = "compression-ratio-threshold";
const LOG_PROBABILITY_THRESHOLD: &str = "log-probability-threshold";
const NO_SPEECH_THRESHOLD: &str = "no-speech-threshold";
const SUPPRESS_TOKENS: &str = "suppress-tokens";
const INITIAL_PROMPT: &str = "initial-prompt";
const VOCABULARY: &str = "vocabulary";
const CONDITION_ON_PREVIOUS_TEXT: &str = "condition-on-previous-text";

// Those of `Options::default`, which a test compares.
const DEFAULT_BEST_OF: u32 = 5;
const DEFAULT_PATIENCE: f32 = 1.0;
const DEFAULT_LENGTH_PENALTY: f32 = 0.6;
const DEFAULT_COMPRESSION_RATIO_THRESHOLD: f32 = 2.4;
const DEFAULT_LOG_PROBABILITY_THRESHOLD: f32 = -1.0;
const DEFAULT_NO_SPEECH_THRESHOLD: f32 = 0.6;
const DEFAULT_SUPPRESS_TOKENS: &str = "-1";

const MOST_BEST_OF: u32 = 64;
const MOST_PATIENCE: f32 = 16.0;
/// Ranks texts by their mean log-probability, as any length penalty below 0 does.
const NO_LENGTH_PENALTY: f32 = -1.0;
/// No text is longer than this many times its zlib stream, by the format's limit of 1032.
const MOST_COMPRESSION_RATIO: f32 = 1000.0;
const ANY_COMPRESSION_RATIO: f32 = 0.0;
/// No text is as unlikely: the mean over its tokens, of which the likeliest of 51866 has at least -11.
const ANY_LOG_PROBABILITY: f32 = -100.0;
/// No probability is above it.
const ANY_NO_SPEECH_PROBABILITY: f32 = 1.0;

/// The user's settings of the decoder, as last set.
#[derive(Clone, Debug)]
pub(super) struct Decoding {
    beam_size: u32,
    best_of: u32,
    patience: f32,
    length_penalty: f32,
    temperature_fallback: bool,
    compression_ratio_threshold: f32,
    log_probability_threshold: f32,
    no_speech_threshold: f32,
    suppress_tokens: Option<String>,
    initial_prompt: Option<String>,
    vocabulary: Option<String>,
    condition_on_previous_text: bool,
}

impl Default for Decoding {
    fn default() -> Self {
        Self {
            beam_size: 1,
            best_of: DEFAULT_BEST_OF,
            patience: DEFAULT_PATIENCE,
            length_penalty: DEFAULT_LENGTH_PENALTY,
            temperature_fallback: false,
            compression_ratio_threshold: DEFAULT_COMPRESSION_RATIO_THRESHOLD,
            log_probability_threshold: DEFAULT_LOG_PROBABILITY_THRESHOLD,
            no_speech_threshold: DEFAULT_NO_SPEECH_THRESHOLD,
            suppress_tokens: Some(DEFAULT_SUPPRESS_TOKENS.into()),
            initial_prompt: None,
            vocabulary: None,
            condition_on_previous_text: false,
        }
    }
}

impl Decoding {
    /// What the decoder is asked for, in its default language and task.
    ///
    /// Errors: a list of tokens that is none.
    pub fn options(&self) -> Result<Options, Fault> {
        let suppressed = Options::parse_suppressed(self.suppress_tokens.as_deref().unwrap_or_default());
        Ok(Options {
            suppressed: suppressed.map_err(crate::Error::from)?,
            temperatures: if self.temperature_fallback { Options::ladder() } else { vec![0.0] },
            compression_ratio_threshold: unless(self.compression_ratio_threshold, ANY_COMPRESSION_RATIO),
            log_probability_threshold: unless(self.log_probability_threshold, ANY_LOG_PROBABILITY),
            no_speech_threshold: unless(self.no_speech_threshold, ANY_NO_SPEECH_PROBABILITY),
            beam_size: self.beam_size as usize,
            best_of: self.best_of as usize,
            patience: self.patience,
            length_penalty: (self.length_penalty >= 0.0).then_some(self.length_penalty),
            vocabulary: self.vocabulary.as_deref().map(words).unwrap_or_default(),
            prompt: self.initial_prompt.clone().unwrap_or_default(),
            conditions_on_previous: self.condition_on_previous_text,
            ..Options::default()
        })
    }

    /// Takes the value of a property of this table.
    pub fn set(&mut self, value: &glib::Value, pspec: &ParamSpec) {
        match pspec.name() {
            BEAM_SIZE => self.beam_size = value.get().expect("GObject has checked the type"),
            BEST_OF => self.best_of = value.get().expect("GObject has checked the type"),
            PATIENCE => self.patience = value.get().expect("GObject has checked the type"),
            LENGTH_PENALTY => self.length_penalty = value.get().expect("GObject has checked the type"),
            TEMPERATURE_FALLBACK => self.temperature_fallback = value.get().expect("GObject has checked the type"),
            COMPRESSION_RATIO_THRESHOLD => {
                self.compression_ratio_threshold = value.get().expect("GObject has checked the type");
            }
            LOG_PROBABILITY_THRESHOLD => {
                self.log_probability_threshold = value.get().expect("GObject has checked the type");
            }
            NO_SPEECH_THRESHOLD => self.no_speech_threshold = value.get().expect("GObject has checked the type"),
            SUPPRESS_TOKENS => self.suppress_tokens = value.get().expect("GObject has checked the type"),
            INITIAL_PROMPT => self.initial_prompt = value.get().expect("GObject has checked the type"),
            VOCABULARY => self.vocabulary = value.get().expect("GObject has checked the type"),
            CONDITION_ON_PREVIOUS_TEXT => {
                self.condition_on_previous_text = value.get().expect("GObject has checked the type");
            }
            name => unreachable!("{name} is not in the property table as writable"),
        }
    }

    /// The value of a property of this table.
    pub fn value(&self, pspec: &ParamSpec) -> glib::Value {
        match pspec.name() {
            BEAM_SIZE => self.beam_size.to_value(),
            BEST_OF => self.best_of.to_value(),
            PATIENCE => self.patience.to_value(),
            LENGTH_PENALTY => self.length_penalty.to_value(),
            TEMPERATURE_FALLBACK => self.temperature_fallback.to_value(),
            COMPRESSION_RATIO_THRESHOLD => self.compression_ratio_threshold.to_value(),
            LOG_PROBABILITY_THRESHOLD => self.log_probability_threshold.to_value(),
            NO_SPEECH_THRESHOLD => self.no_speech_threshold.to_value(),
            SUPPRESS_TOKENS => self.suppress_tokens.to_value(),
            INITIAL_PROMPT => self.initial_prompt.to_value(),
            VOCABULARY => self.vocabulary.to_value(),
            CONDITION_ON_PREVIOUS_TEXT => self.condition_on_previous_text.to_value(),
            name => unreachable!("{name} is not in the property table as writable"),
        }
    }
}

/// The property table.
pub(super) fn properties() -> Vec<ParamSpec> {
    vec![
        count(
            BEAM_SIZE,
            "Beam size",
            (1, MOST_LANES as u32),
            "Texts that are followed at a time to find the likeliest, 1 to write each token that is likeliest; more takes \
             about as many times longer",
        ),
        count(
            BEST_OF,
            "Best of",
            (DEFAULT_BEST_OF, MOST_BEST_OF),
            "Texts that are drawn at each temperature above 0, of which the likeliest is taken; only with \
             temperature-fallback",
        ),
        number(
            PATIENCE,
            "Patience",
            (0.0, DEFAULT_PATIENCE, MOST_PATIENCE),
            "How many times beam-size texts have to end before the search does, more than 0; only with beam-size above 1",
        ),
        number(
            LENGTH_PENALTY,
            "Length penalty",
            (NO_LENGTH_PENALTY, DEFAULT_LENGTH_PENALTY, 1.0),
            "Exponent of the length by which texts are ranked, 0 to rank by probability alone, higher for longer texts; \
             below 0 for the mean log-probability of their tokens. Only with beam-size above 1 or temperature-fallback",
        ),
        flag(
            TEMPERATURE_FALLBACK,
            "Temperature fallback",
            "Whether a text that compression-ratio-threshold or log-probability-threshold rejects is written again at \
             temperatures of 0.2, 0.4, 0.6, 0.8 and 1, which may take several times longer",
        ),
        number(
            COMPRESSION_RATIO_THRESHOLD,
            "Compression ratio threshold",
            (ANY_COMPRESSION_RATIO, DEFAULT_COMPRESSION_RATIO_THRESHOLD, MOST_COMPRESSION_RATIO),
            "Bytes of a text for each byte of its zlib stream, above which it repeats itself and is rejected; 0 turns it \
             off. Only with temperature-fallback",
        ),
        number(
            LOG_PROBABILITY_THRESHOLD,
            "Log-probability threshold",
            (ANY_LOG_PROBABILITY, DEFAULT_LOG_PROBABILITY_THRESHOLD, 0.0),
            "Mean natural log-probability of a text's tokens, below which it is unlikely: rejected with \
             temperature-fallback, and no speech by no-speech-threshold; -100 turns it off",
        ),
        number(
            NO_SPEECH_THRESHOLD,
            "No speech threshold",
            (0.0, DEFAULT_NO_SPEECH_THRESHOLD, ANY_NO_SPEECH_PROBABILITY),
            "Probability of no speech above which a text that is unlikely by log-probability-threshold, or any text if that \
             is off, is taken for none; 1 turns it off, and keeps credits and fillers that the model writes where nobody \
             speaks",
        ),
        string(
            SUPPRESS_TOKENS,
            "Suppress tokens",
            Some(DEFAULT_SUPPRESS_TOKENS),
            "Numbers of tokens that are never written, divided by commas, without the end of the text; -1 among them stands for \
             the model's own list, of signs that nobody says",
        ),
        string(
            INITIAL_PROMPT,
            "Initial prompt",
            None,
            "Text that the decoder takes to have been said before each window: spelling, style. Text before it gets what \
             room is left in half of the decoder's positions, 224 tokens",
        ),
        string(
            VOCABULARY,
            "Vocabulary",
            None,
            "Words that are likely to be said and hard to spell, such as names, divided by commas or newlines; the last \
             ones are left out where they find no room",
        ),
        flag(
            CONDITION_ON_PREVIOUS_TEXT,
            "Condition on previous text",
            "Whether a window is written with the text before it in mind, which keeps spelling and style but passes errors \
             on, and takes windows one by one. Forgotten at a new stream, segment or flush, at another language or task, \
             and after a window that took a temperature above 0.5",
        ),
    ]
}

fn blurb(text: &str) -> String {
    format!("{text}. Takes effect with the next window")
}

fn count(name: &str, nick: &str, (default, most): (u32, u32), text: &str) -> ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(&blurb(text))
        .minimum(1)
        .maximum(most)
        .default_value(default)
        .mutable_playing()
        .build()
}

fn number(name: &str, nick: &str, (least, default, most): (f32, f32, f32), text: &str) -> ParamSpec {
    glib::ParamSpecFloat::builder(name)
        .nick(nick)
        .blurb(&blurb(text))
        .minimum(least)
        .maximum(most)
        .default_value(default)
        .mutable_playing()
        .build()
}

fn flag(name: &str, nick: &str, text: &str) -> ParamSpec {
    glib::ParamSpecBoolean::builder(name).nick(nick).blurb(&blurb(text)).default_value(false).mutable_playing().build()
}

fn string(name: &str, nick: &str, default: Option<&str>, text: &str) -> ParamSpec {
    glib::ParamSpecString::builder(name).nick(nick).blurb(&blurb(text)).default_value(default).mutable_playing().build()
}

/// A threshold, unless it is the one that rejects nothing.
fn unless(threshold: f32, off: f32) -> Option<f32> {
    (threshold != off).then_some(threshold)
}

fn words(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoder_has_the_same_defaults() {
        assert_eq!(Decoding::default().options().unwrap(), Options::default());
    }

    #[test]
    fn a_threshold_is_off_at_its_limit() {
        let off = Decoding {
            compression_ratio_threshold: ANY_COMPRESSION_RATIO,
            log_probability_threshold: ANY_LOG_PROBABILITY,
            no_speech_threshold: ANY_NO_SPEECH_PROBABILITY,
            ..Decoding::default()
        };
        let options = off.options().unwrap();
        assert_eq!(options.compression_ratio_threshold, None);
        assert_eq!(options.log_probability_threshold, None);
        assert_eq!(options.no_speech_threshold, None);
    }

    #[test]
    fn a_length_penalty_below_0_is_none() {
        for (length_penalty, expected) in [(-1.0, None), (-0.1, None), (0.0, Some(0.0)), (1.0, Some(1.0))] {
            let decoding = Decoding { length_penalty, ..Decoding::default() };
            assert_eq!(decoding.options().unwrap().length_penalty, expected);
        }
    }

    #[test]
    fn commas_and_lines_divide_the_vocabulary() {
        assert_eq!(words("Ada Lovelace, Babbage\n\n Jacquard ,"), ["Ada Lovelace", "Babbage", "Jacquard"]);
        assert!(words(" ,\n").is_empty());
    }
}
