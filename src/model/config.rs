//! A model's sizes.

use std::path::Path;

use super::{ModelError, Token, format::invalid};

/// Sizes of a Whisper model and the token lists that belong to it (`ModelDimensions` in openai/whisper `model.py`).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Mel filter bank size: 80, or 128 from large-v3 on.
    pub mel_bins: usize,
    /// Encoder output positions for one window: 1500.
    pub audio_positions: usize,
    /// Longest token sequence of the decoder: 448.
    pub text_positions: usize,
    /// Number of tokens that the logits cover.
    pub vocabulary_size: usize,
    /// Width of the residual stream, the same in encoder and decoder.
    pub width: usize,
    /// Attention heads of the encoder.
    pub encoder_heads: usize,
    /// Blocks of the encoder.
    pub encoder_layers: usize,
    /// Attention heads of the decoder.
    pub decoder_heads: usize,
    /// Blocks of the decoder.
    pub decoder_layers: usize,
    /// Tokens never to be written.
    pub suppressed: Vec<Token>,
    /// Tokens not to begin a text with.
    pub suppressed_at_begin: Vec<Token>,
    /// Cross-attention heads that follow the audio in time, as (layer, head).
    pub alignment_heads: Vec<(usize, usize)>,
}

impl Config {
    /// Fails on sizes that no Whisper model has, before anything is allocated for them; `path` is the file they are from.
    pub(super) fn check_sizes(&self, path: &Path) -> Result<(), ModelError> {
        if !matches!(self.mel_bins, 80 | 128) {
            return Err(invalid(path, "number of mel bins", "80 or 128", self.mel_bins));
        }
        if self.audio_positions != 1500 {
            return Err(invalid(path, "number of audio positions", "1500 (30 s)", self.audio_positions));
        }
        let ranges = [
            ("number of text positions", self.text_positions, 8, 4096),
            ("vocabulary size", self.vocabulary_size, 1, 1 << 20),
            ("width", self.width, 1, 1 << 16),
            ("number of encoder heads", self.encoder_heads, 1, self.width),
            ("number of encoder layers", self.encoder_layers, 1, 256),
            ("number of decoder heads", self.decoder_heads, 1, self.width),
            ("number of decoder layers", self.decoder_layers, 1, 256),
        ];
        for (what, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(invalid(path, what, format_args!("between {least} and {most}"), value));
            }
        }
        for (what, heads) in [("encoder", self.encoder_heads), ("decoder", self.decoder_heads)] {
            if !self.width.is_multiple_of(heads) {
                let expected = format_args!("a divisor of the width {}", self.width);
                return Err(invalid(path, &format!("number of {what} heads"), expected, heads));
            }
        }
        Ok(())
    }

    /// Fails if a listed token or head does not exist; `path` is the file the lists are from.
    pub(super) fn check_lists(&self, path: &Path) -> Result<(), ModelError> {
        for token in self.suppressed.iter().chain(&self.suppressed_at_begin) {
            if usize::try_from(*token).is_ok_and(|token| token >= self.vocabulary_size) {
                let expected = format_args!("below the vocabulary size {}", self.vocabulary_size);
                return Err(invalid(path, "suppressed token", expected, token));
            }
        }
        for (layer, head) in &self.alignment_heads {
            if *layer >= self.decoder_layers || *head >= self.decoder_heads {
                let expected = format_args!("below [{}, {}]", self.decoder_layers, self.decoder_heads);
                return Err(invalid(path, "alignment head [layer, head]", expected, format_args!("[{layer}, {head}]")));
            }
        }
        Ok(())
    }

    /// The heads to align with when the model does not say: all of the upper half of the decoder, as openai/whisper's
    /// `model.py` has it.
    pub(super) fn default_alignment_heads(decoder_layers: usize, decoder_heads: usize) -> Vec<(usize, usize)> {
        let layers = decoder_layers / 2..decoder_layers;
        layers.flat_map(|layer| (0..decoder_heads).map(move |head| (layer, head))).collect()
    }
}
