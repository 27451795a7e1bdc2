//! How repetitive a text is (`compression_ratio` in openai/whisper `utils.py`).

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress, create_comp_flags_from_zip_params,
};

/// zlib's own default.
const LEVEL: i32 = 6;
/// Positive for a stream with zlib's header and checksum.
const WINDOW_BITS: i32 = 15;

/// Bytes of the text for each byte of its zlib stream.
pub fn ratio(text: &str) -> f32 {
    // zlib takes the shorter of a block's two forms. miniz makes the one without tables, which is that of a short and repetitive
    // text, only if it is told to.
    let bytes =
        [CompressionStrategy::Default, CompressionStrategy::Fixed].map(|strategy| compressed_bytes(text, strategy));
    text.len() as f32 / bytes[0].min(bytes[1]) as f32
}

fn compressed_bytes(text: &str, strategy: CompressionStrategy) -> usize {
    let flags = create_comp_flags_from_zip_params(LEVEL, WINDOW_BITS, strategy as i32);
    // Blocks that do not get shorter are stored as they are.
    let mut stream = vec![0; text.len() + text.len() / 8 + 64];
    let mut compressor = CompressorOxide::new(flags);
    let (_, _, written) = compress(&mut compressor, text.as_bytes(), &mut stream, TDEFLFlush::Finish);
    written
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn loops_are_told_from_speech() {
        assert_eq!(ratio(""), 0.0);
        let speech = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for \
                      your country.";
        // What CPython's zlib.compress makes of them.
        let looped = "I don't know what it is, and ".repeat(4);
        for (text, expected) in [(speech, 108.0 / 80.0), (&"Thank you. ".repeat(20), 10.0), (&looped, 116.0 / 39.0)] {
            assert!((ratio(text) / expected - 1.0).abs() < 0.05, "{text}: {}", ratio(text));
        }
    }
}
