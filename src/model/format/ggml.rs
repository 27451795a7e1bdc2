//! A whisper.cpp file (`whisper_model_load` in whisper.cpp): sizes, mel filters, vocabulary and tensors, one after the
//! other.
//!
//! The vocabulary has the text tokens alone; the ids of the special ones follow from its size. The file lists neither
//! suppressed tokens nor alignment heads: the first are computed from the vocabulary, the second are openai/whisper's
//! default.

use std::path::Path;

use super::reader::Reader;
use crate::{
    device::DataType,
    model::{
        Config, Model, ModelError, Vocabulary, Weights,
        mapping::MappedFile,
        weights::{Source, Stored, TensorIndex},
    },
};

pub(super) fn read(path: &Path, file: MappedFile) -> Result<Model, ModelError> {
    let file_path = file.path().to_owned();
    let (mut config, vocabulary, tensors) = {
        let mut reader = Reader::new(&file);
        let config = sizes(&mut reader)?;
        config.check_sizes(&file_path)?;
        skip_mel_filters(&mut reader, config.mel_bins)?;
        let vocabulary = vocabulary(&mut reader, &file_path, config.vocabulary_size)?;
        let mut tensors = Vec::new();
        while reader.remaining() > 0 {
            tensors.push(tensor(&mut reader)?);
        }
        (config, vocabulary, tensors)
    };
    let mut index = TensorIndex::new(vec![file]);
    for (name, stored) in tensors {
        index.insert(&name, stored)?;
    }
    config.suppressed = vocabulary.default_suppressed();
    config.suppressed_at_begin = vocabulary.default_suppressed_at_begin();
    config.alignment_heads = Config::default_alignment_heads(config.decoder_layers, config.decoder_heads);
    let weights = Weights::assemble(index, &config, source, |_| false)?;
    Ok(Model { path: path.to_owned(), config, vocabulary, weights })
}

fn sizes(reader: &mut Reader<'_>) -> Result<Config, ModelError> {
    reader.u32("the magic number")?;
    let mut size = || reader.u32("the sizes").map(|size| size as usize);
    let (vocabulary_size, audio_positions) = (size()?, size()?);
    let (width, encoder_heads, encoder_layers) = (size()?, size()?, size()?);
    let (text_positions, text_width, decoder_heads, decoder_layers) = (size()?, size()?, size()?, size()?);
    let (mel_bins, _file_type) = (size()?, size()?);
    if text_width != width {
        return Err(reader.invalid("width of the decoder", format_args!("{width} as in the encoder"), text_width));
    }
    Ok(Config {
        mel_bins,
        audio_positions,
        text_positions,
        vocabulary_size,
        width,
        encoder_heads,
        encoder_layers,
        decoder_heads,
        decoder_layers,
        suppressed: Vec::new(),
        suppressed_at_begin: Vec::new(),
        alignment_heads: Vec::new(),
    })
}

/// The filters are the same in every file; `mel` computes them.
fn skip_mel_filters(reader: &mut Reader<'_>, mel_bins: usize) -> Result<(), ModelError> {
    let (bins, frequencies) = (reader.u32("the mel filters")?, reader.u32("the mel filters")?);
    if bins as usize != mel_bins || frequencies != 201 {
        let expected = format_args!("{mel_bins} by 201");
        return Err(reader.invalid("size of the mel filters", expected, format_args!("{bins} by {frequencies}")));
    }
    reader.take(u64::from(bins) * u64::from(frequencies) * 4, "the mel filters").map(drop)
}

fn vocabulary(reader: &mut Reader<'_>, path: &Path, size: usize) -> Result<Vocabulary, ModelError> {
    let count = reader.u32("the number of text tokens")?;
    let mut text = Vec::new();
    for _ in 0..count {
        let length = reader.u32("a token's length")?;
        text.push(reader.take(length.into(), "a token's text")?);
    }
    Vocabulary::from_text_tokens(path, &text, size)
}

fn tensor(reader: &mut Reader<'_>) -> Result<(String, Stored), ModelError> {
    let rank = reader.u32("a tensor's rank")?;
    let name_length = reader.u32("the length of a tensor's name")?;
    let type_id = reader.u32("a tensor's type")?;
    if !(1..=4).contains(&rank) {
        return Err(reader.invalid("a tensor's rank", "between 1 and 4", rank));
    }
    let mut shape = Vec::new();
    for _ in 0..rank {
        shape.insert(0, reader.u32("a tensor's dimensions")? as usize);
    }
    if name_length > 256 {
        return Err(reader.invalid("length of a tensor's name", "at most 256 bytes", name_length));
    }
    let name = reader.take(name_length.into(), "a tensor's name")?;
    let name = std::str::from_utf8(name)
        .map_err(|_| reader.invalid("a tensor's name", "UTF-8", format_args!("{name:?}")))?
        .to_owned();
    let what = format!("tensor {name}");
    let data_type =
        data_type(type_id).ok_or_else(|| reader.invalid(&format!("type of {what}"), SUPPORTED, type_name(type_id)))?;
    let length = data_type.byte_length(&shape).ok_or_else(|| {
        let expected = format_args!("rows of whole {data_type:?} blocks in a file of sane size");
        reader.invalid(&what, expected, format_args!("of shape {shape:?}"))
    })?;
    let bytes = reader.range(length as u64, &what)?;
    // The biases of the convolutions are stored as columns.
    if name.starts_with("encoder.conv") && name.ends_with(".bias") && shape.last() == Some(&1) {
        shape.pop();
    }
    Ok((name, Stored { file: 0, bytes, shape, data_type }))
}

/// `ggml_type` in `ggml.h`.
fn data_type(id: u32) -> Option<DataType> {
    Some(match id {
        0 => DataType::F32,
        1 => DataType::F16,
        2 => DataType::Q4_0,
        3 => DataType::Q4_1,
        6 => DataType::Q5_0,
        7 => DataType::Q5_1,
        8 => DataType::Q8_0,
        10 => DataType::Q2K,
        11 => DataType::Q3K,
        12 => DataType::Q4K,
        13 => DataType::Q5K,
        14 => DataType::Q6K,
        30 => DataType::Bf16,
        _ => return None,
    })
}

const SUPPORTED: &str = "f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0 or q2_K to q6_K";

fn type_name(id: u32) -> String {
    let name = match id {
        9 => "q8_1",
        15 => "q8_K",
        16 => "iq2_xxs",
        17 => "iq2_xs",
        18 => "iq3_xxs",
        19 => "iq1_s",
        20 => "iq4_nl",
        21 => "iq3_s",
        22 => "iq2_s",
        23 => "iq4_xs",
        29 => "iq1_m",
        _ => return format!("number {id}"),
    };
    name.to_owned()
}

fn source(canonical: &str) -> Source {
    let parts: Vec<&str> = canonical.split('.').collect();
    let name = match *parts.as_slice() {
        [stack, "blocks", layer, part, "norm", parameter] => {
            let norm = match part {
                "attention" => "attn_ln",
                "cross" => "cross_attn_ln",
                _ => "mlp_ln",
            };
            format!("{stack}.blocks.{layer}.{norm}.{parameter}")
        }
        [stack, "blocks", layer, part, linear, parameter] => {
            let (part, linear) = match (part, linear) {
                ("attention", projection) => ("attn", projection),
                ("cross", projection) => ("cross_attn", projection),
                (_, "up") => ("mlp", "0"),
                _ => ("mlp", "2"),
            };
            format!("{stack}.blocks.{layer}.{part}.{linear}.{parameter}")
        }
        ["encoder", "norm", parameter] => format!("encoder.ln_post.{parameter}"),
        [stack, "norm", parameter] => format!("{stack}.ln.{parameter}"),
        [stack, "positions"] => format!("{stack}.positional_embedding"),
        [stack, "tokens"] => format!("{stack}.token_embedding.weight"),
        _ => canonical.to_owned(),
    };
    name.into()
}
