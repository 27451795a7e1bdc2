//! A CTranslate2 folder: model.bin, config.json, and vocabulary.json or vocabulary.txt.
//!
//! model.bin is a list of named variables (`_serialize` in CTranslate2's `specs/model_spec.py`); the sizes of the model
//! are in their shapes.

use std::path::Path;

use super::{
    invalid,
    json::{self, Json},
    reader::Reader,
};
use crate::{
    device::DataType,
    model::{
        Config, Model, ModelError, Vocabulary, Weights,
        mapping::MappedFile,
        weights::{Source, Stored, TensorIndex},
    },
};

pub(super) fn read(path: &Path, folder: &Path, file: MappedFile) -> Result<Model, ModelError> {
    let file_path = file.path().to_owned();
    let index = index(file)?;
    let mut config = sizes(&index)?;
    config.check_sizes(&file_path)?;
    check_variant(&index)?;
    let vocabulary = vocabulary(folder, config.vocabulary_size)?;
    let json = Json::read(&folder.join("config.json"))?;
    config.suppressed = json::suppressed(&json, json.tokens("suppress_ids")?, || vocabulary.default_suppressed())?;
    config.suppressed_at_begin =
        json::suppressed(&json, json.tokens("suppress_ids_begin")?, || vocabulary.default_suppressed_at_begin())?;
    config.alignment_heads = json
        .heads("alignment_heads")?
        .unwrap_or_else(|| Config::default_alignment_heads(config.decoder_layers, config.decoder_heads));
    config.check_lists(&json.path)?;
    let weights = Weights::assemble(index, &config, source, is_other)?;
    Ok(Model { path: path.to_owned(), config, vocabulary, weights })
}

fn index(file: MappedFile) -> Result<TensorIndex, ModelError> {
    let (variables, aliases) = variables(&file)?;
    let path = file.path().to_owned();
    let mut index = TensorIndex::new(vec![file]);
    for (name, stored) in variables {
        index.insert(&name, stored)?;
    }
    for (alias, name) in aliases {
        let Some(stored) = index.get(&name).cloned() else {
            return Err(invalid(&path, &format!("alias {alias}"), "the name of a variable of the file", name));
        };
        index.insert(&alias, stored)?;
        if let Some(scale) = index.get(&format!("{name}_scale")).cloned() {
            index.insert(&format!("{alias}_scale"), scale)?;
        }
    }
    Ok(index)
}

type Variables = (Vec<(String, Stored)>, Vec<(String, String)>);

fn variables(file: &MappedFile) -> Result<Variables, ModelError> {
    let mut reader = Reader::new(file);
    let version = reader.u32("the binary version")?;
    if !(4..=6).contains(&version) {
        return Err(reader.invalid("binary version", "4, 5 or 6", version));
    }
    let specification = string(&mut reader, "the specification's name")?;
    if specification != "WhisperSpec" {
        return Err(reader.invalid("model specification", "WhisperSpec", specification));
    }
    let revision = reader.u32("the specification's revision")?;
    if revision > 3 {
        return Err(reader.invalid("revision of WhisperSpec", "at most 3", revision));
    }
    let count = reader.u32("the number of variables")?;
    let mut variables = Vec::new();
    for _ in 0..count {
        variables.push(variable(&mut reader)?);
    }
    let mut aliases = Vec::new();
    for _ in 0..reader.u32("the number of aliases")? {
        aliases.push((string(&mut reader, "an alias")?, string(&mut reader, "an alias's variable")?));
    }
    match reader.remaining() {
        0 => Ok((variables, aliases)),
        remaining => {
            Err(reader.invalid("end of the file", "after the aliases", format_args!("{remaining} bytes later")))
        }
    }
}

fn variable(reader: &mut Reader<'_>) -> Result<(String, Stored), ModelError> {
    let name = string(reader, "a variable's name")?;
    let what = format!("variable {name}");
    let rank = reader.u8(&what)?;
    if rank > 4 {
        return Err(reader.invalid(&format!("rank of {what}"), "at most 4", rank));
    }
    let mut shape = Vec::new();
    for _ in 0..rank {
        shape.push(reader.u32(&what)? as usize);
    }
    let data_type = match reader.u8(&what)? {
        0 => DataType::F32,
        1 => DataType::I8,
        2 => DataType::I16,
        4 => DataType::F16,
        5 => DataType::Bf16,
        other => return Err(reader.invalid(&format!("type of {what}"), "0, 1, 2, 4 or 5", other)),
    };
    let length = reader.u32(&what)?;
    let expected = data_type.byte_length(&shape);
    if expected != Some(length as usize) {
        let expected = format_args!("that of {data_type:?} in the shape {shape:?}");
        return Err(reader.invalid(&format!("byte length of {what}"), expected, length));
    }
    let bytes = reader.range(length.into(), &what)?;
    Ok((name, Stored { file: 0, bytes, shape, data_type }))
}

fn string(reader: &mut Reader<'_>, what: &str) -> Result<String, ModelError> {
    let length = reader.u16(what)?;
    let bytes = reader.take(length.into(), what)?;
    let text = bytes.strip_suffix(b"\0").and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(str::to_owned).ok_or_else(|| reader.invalid(what, "UTF-8 that ends in a NUL", format_args!("{bytes:?}")))
}

fn sizes(index: &TensorIndex) -> Result<Config, ModelError> {
    let conv = &index.ranked("encoder/conv1/weight", 3)?.shape;
    let tokens = &index.ranked("decoder/embeddings/weight", 2)?.shape;
    let layers = |stack: &str| {
        (0..).take_while(|layer| index.get(&format!("{stack}/layer_{layer}/ffn/linear_0/weight")).is_some()).count()
    };
    Ok(Config {
        mel_bins: conv[1],
        audio_positions: index.ranked("encoder/position_encodings/encodings", 2)?.shape[0],
        text_positions: index.ranked("decoder/position_encodings/encodings", 2)?.shape[0],
        vocabulary_size: tokens[0],
        width: conv[0],
        encoder_heads: scalar(index, "encoder/num_heads")?,
        encoder_layers: layers("encoder"),
        decoder_heads: scalar(index, "decoder/num_heads")?,
        decoder_layers: layers("decoder"),
        suppressed: Vec::new(),
        suppressed_at_begin: Vec::new(),
        alignment_heads: Vec::new(),
    })
}

/// Refuses what the converter can write for other architectures and our arithmetic does not do.
fn check_variant(index: &TensorIndex) -> Result<(), ModelError> {
    // `ActivationType` in CTranslate2's `ops/activation.h`: 3 is the exact GELU.
    let flags = [
        ("decoder/activation", 3),
        ("decoder/pre_norm", 1),
        ("decoder/scale_embeddings", 0),
        ("decoder/start_from_zero_embedding", 0),
        ("decoder/alibi", 0),
    ];
    for (name, expected) in flags {
        if index.get(name).is_some() {
            let received = scalar(index, name)?;
            if received != expected {
                return Err(invalid(index.path(), name, format_args!("{expected}, as in Whisper"), received));
            }
        }
    }
    let (tokens, projection) = (index.get("decoder/embeddings/weight"), index.get("decoder/projection/weight"));
    if let (Some(tokens), Some(projection)) = (tokens, projection)
        && index.bytes(tokens) != index.bytes(projection)
    {
        let expected = "the same as decoder/embeddings/weight, as in Whisper";
        return Err(invalid(index.path(), "decoder/projection/weight", expected, "different"));
    }
    Ok(())
}

fn scalar(index: &TensorIndex, name: &str) -> Result<usize, ModelError> {
    let stored = index.ranked(name, 0)?;
    let number = match *index.bytes(stored) {
        [byte] => i64::from(byte as i8),
        [low, high] if stored.data_type == DataType::I16 => i16::from_le_bytes([low, high]).into(),
        _ => -1,
    };
    usize::try_from(number).map_err(|_| {
        let received = format_args!("{number} of type {:?}", stored.data_type);
        invalid(index.path(), name, "a small whole number of type int8 or int16", received)
    })
}

fn vocabulary(folder: &Path, size: usize) -> Result<Vocabulary, ModelError> {
    let (json_path, text_path) = (folder.join("vocabulary.json"), folder.join("vocabulary.txt"));
    let (path, names) = if json_path.exists() {
        let names: Vec<String> = json::parse(&MappedFile::open(&json_path)?)?;
        (json_path, names)
    } else {
        let file = MappedFile::open(&text_path)?;
        let text = std::str::from_utf8(&file);
        let text = text.map_err(|error| invalid(&text_path, "the file", "UTF-8", format_args!("not: {error}")))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let mut names: Vec<String> = text.split('\n').map(str::to_owned).collect();
        // A carriage return belongs to a token unless every line ends in one.
        if names.iter().all(|name| name.ends_with('\r')) {
            names.iter_mut().for_each(|name| name.truncate(name.len() - 1));
        }
        (text_path, names)
    };
    if names.len() != size {
        let expected = format_args!("{size}, the rows of decoder/embeddings/weight");
        return Err(invalid(&path, "number of tokens", expected, names.len()));
    }
    Vocabulary::from_names(&path, &names, false)
}

/// The variable that holds a canonical tensor; CTranslate2 stacks query, key and value, and of cross-attention key and
/// value.
fn source(canonical: &str) -> Source {
    let parts: Vec<&str> = canonical.split('.').collect();
    let layer_norm = |parameter: &str| if parameter == "weight" { "gamma" } else { "beta" };
    let (name, part, parts) = match *parts.as_slice() {
        [stack, "blocks", layer, part, "norm", parameter] => {
            let folder = match part {
                "attention" => "self_attention",
                "cross" => "attention",
                _ => "ffn",
            };
            (format!("{stack}/layer_{layer}/{folder}/layer_norm/{}", layer_norm(parameter)), 0, 1)
        }
        [stack, "blocks", layer, part, linear, parameter] => {
            let (path, part, parts) = match (part, linear) {
                ("attention", "query") => ("self_attention/linear_0", 0, 3),
                ("attention", "key") => ("self_attention/linear_0", 1, 3),
                ("attention", "value") => ("self_attention/linear_0", 2, 3),
                ("attention", _) => ("self_attention/linear_1", 0, 1),
                ("cross", "query") => ("attention/linear_0", 0, 1),
                ("cross", "key") => ("attention/linear_1", 0, 2),
                ("cross", "value") => ("attention/linear_1", 1, 2),
                ("cross", _) => ("attention/linear_2", 0, 1),
                (_, "up") => ("ffn/linear_0", 0, 1),
                _ => ("ffn/linear_1", 0, 1),
            };
            (format!("{stack}/layer_{layer}/{path}/{parameter}"), part, parts)
        }
        [stack, "norm", parameter] => (format!("{stack}/layer_norm/{}", layer_norm(parameter)), 0, 1),
        [stack, "positions"] => (format!("{stack}/position_encodings/encodings"), 0, 1),
        [stack, "tokens"] => (format!("{stack}/embeddings/weight"), 0, 1),
        _ => (canonical.replace('.', "/"), 0, 1),
    };
    Source { name, part, parts }
}

/// Scalars that say how to compute, and the tied projection.
fn is_other(name: &str) -> bool {
    !name.contains("/layer_") && !name.ends_with("/weight") || name.starts_with("decoder/projection/")
}
