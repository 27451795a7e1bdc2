//! A model's sizes.

use super::Token;

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
