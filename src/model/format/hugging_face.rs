//! A Hugging Face folder: model.safetensors, or its shards with an index; config.json, generation_config.json, and
//! tokenizer.json or vocab.json with added_tokens.json.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::Metadata};
use serde::Deserialize;
use serde_json::Value;

use super::{
    invalid,
    json::{self, Json},
};
use crate::{
    device::DataType,
    model::{
        Config, Model, ModelError, Vocabulary, Weights,
        mapping::MappedFile,
        weights::{Source, Stored, TensorIndex},
    },
};

pub(super) fn read(path: &Path, folder: &Path, files: Vec<MappedFile>) -> Result<Model, ModelError> {
    let json = Json::read(&folder.join("config.json"))?;
    let generation = Json::read_if_there(&folder.join("generation_config.json"))?;
    let generation = generation.as_ref();
    let mut config = sizes(&json)?;
    config.check_sizes(&json.path)?;
    check_variant(&json)?;
    let is_english_only = generation.and_then(|json| json.get("is_multilingual")) == Some(&Value::Bool(false));
    let vocabulary = vocabulary(folder, config.vocabulary_size, is_english_only)?;
    // Older folders have these lists in config.json and no generation_config.json.
    let lists = generation.unwrap_or(&json);
    config.suppressed = json::suppressed(lists, lists.tokens("suppress_tokens")?, || vocabulary.default_suppressed())?;
    config.suppressed_at_begin =
        json::suppressed(lists, lists.tokens("begin_suppress_tokens")?, || vocabulary.default_suppressed_at_begin())?;
    config.alignment_heads = lists
        .heads("alignment_heads")?
        .unwrap_or_else(|| Config::default_alignment_heads(config.decoder_layers, config.decoder_heads));
    config.check_lists(&lists.path)?;
    let weights = Weights::assemble(index(files)?, &config, source, is_other)?;
    Ok(Model { path: path.to_owned(), config, vocabulary, weights })
}

/// The files that model.safetensors.index.json names, each once.
pub(super) fn shards(folder: &Path, index: &MappedFile) -> Result<Vec<MappedFile>, ModelError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: HashMap<String, String>,
    }
    let Index { weight_map } = json::parse(index)?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    if names.is_empty() {
        return Err(invalid(index.path(), "weight_map", "a map from tensors to files", "empty"));
    }
    names
        .into_iter()
        .map(|name| match Path::new(&name).file_name() {
            Some(file_name) if file_name == name.as_str() => MappedFile::open(&folder.join(name)),
            _ => Err(invalid(index.path(), "a shard's name", "a file beside the index", name)),
        })
        .collect()
}

fn index(files: Vec<MappedFile>) -> Result<TensorIndex, ModelError> {
    let mut tensors = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let (header, metadata) = header(file)?;
        for (name, info) in metadata.tensors() {
            // Whisper's weights without the head that writes have no prefix.
            let name = name.strip_prefix("model.").unwrap_or(&name);
            let data_type = match info.dtype {
                Dtype::F32 => DataType::F32,
                Dtype::F16 => DataType::F16,
                Dtype::BF16 => DataType::Bf16,
                other => {
                    let received = format_args!("{other:?}");
                    return Err(invalid(file.path(), &format!("type of tensor {name}"), "F32, F16 or BF16", received));
                }
            };
            let bytes = header + info.data_offsets.0..header + info.data_offsets.1;
            let shape = info.shape.clone();
            tensors.push((name.to_owned(), Stored { file: number, bytes, shape, data_type }));
        }
    }
    let mut index = TensorIndex::new(files);
    for (name, stored) in tensors {
        index.insert(&name, stored)?;
    }
    Ok(index)
}

/// Where the data begins, and what is in it: offsets, shapes and the file's length have been checked to agree.
fn header(file: &MappedFile) -> Result<(usize, Metadata), ModelError> {
    let failed = |error: String| {
        let expected = "a safetensors header that covers the file exactly";
        invalid(file.path(), "the file", expected, format_args!("not, perhaps because it is truncated: {error}"))
    };
    let (length, metadata) = SafeTensors::read_metadata(file).map_err(|error| failed(error.to_string()))?;
    let header = length + size_of::<u64>();
    if header + metadata.data_len() != file.len() {
        return Err(failed(format!("{} bytes of {}", file.len(), header + metadata.data_len())));
    }
    Ok((header, metadata))
}

fn sizes(json: &Json) -> Result<Config, ModelError> {
    let model_type = json.get("model_type").unwrap_or(&Value::Null);
    if model_type != "whisper" {
        return Err(json.invalid("model_type", "\"whisper\"", model_type));
    }
    let width = json.size("d_model")?;
    for field in ["encoder_ffn_dim", "decoder_ffn_dim"] {
        if json.size(field)? != width.saturating_mul(4) {
            let received = json.get(field).unwrap_or(&Value::Null);
            return Err(json.invalid(field, "4 times d_model", received));
        }
    }
    Ok(Config {
        mel_bins: json.size("num_mel_bins")?,
        audio_positions: json.size("max_source_positions")?,
        text_positions: json.size("max_target_positions")?,
        vocabulary_size: json.size("vocab_size")?,
        width,
        encoder_heads: json.size("encoder_attention_heads")?,
        encoder_layers: json.size("encoder_layers")?,
        decoder_heads: json.size("decoder_attention_heads")?,
        decoder_layers: json.size("decoder_layers")?,
        suppressed: Vec::new(),
        suppressed_at_begin: Vec::new(),
        alignment_heads: Vec::new(),
    })
}

/// Refuses variants that the format knows and our arithmetic does not do.
fn check_variant(json: &Json) -> Result<(), ModelError> {
    let fields = [
        ("activation_function", Value::from("gelu")),
        ("scale_embedding", Value::from(false)),
        ("tie_word_embeddings", Value::from(true)),
    ];
    for (field, expected) in fields {
        if let Some(received) = json.get(field).filter(|received| **received != expected) {
            return Err(json.invalid(field, &format!("{expected}, as in Whisper"), received));
        }
    }
    Ok(())
}

fn vocabulary(folder: &Path, size: usize, is_english_only: bool) -> Result<Vocabulary, ModelError> {
    let tokenizer = folder.join("tokenizer.json");
    let (path, ids) = if tokenizer.exists() {
        let ids = tokenizer_ids(&tokenizer)?;
        (tokenizer, ids)
    } else {
        let path = folder.join("vocab.json");
        let mut ids: HashMap<String, u64> = json::parse(&MappedFile::open(&path)?)?;
        ids.extend(added_ids(folder)?);
        (path, ids)
    };
    let names = json::names_by_id(&path, &ids, size)?;
    Vocabulary::from_names(&path, &names, is_english_only)
}

fn tokenizer_ids(path: &Path) -> Result<HashMap<String, u64>, ModelError> {
    #[derive(Deserialize)]
    struct Tokenizer {
        model: Bpe,
        #[serde(default)]
        added_tokens: Vec<AddedToken>,
    }
    #[derive(Deserialize)]
    struct Bpe {
        vocab: HashMap<String, u64>,
    }
    #[derive(Deserialize)]
    struct AddedToken {
        id: u64,
        content: String,
    }
    let tokenizer: Tokenizer = json::parse(&MappedFile::open(path)?)?;
    let mut ids = tokenizer.model.vocab;
    ids.extend(tokenizer.added_tokens.into_iter().map(|token| (token.content, token.id)));
    Ok(ids)
}

/// Special tokens are beside vocab.json in added_tokens.json, or by id in tokenizer_config.json.
fn added_ids(folder: &Path) -> Result<HashMap<String, u64>, ModelError> {
    let added = folder.join("added_tokens.json");
    if added.exists() {
        return json::parse(&MappedFile::open(&added)?);
    }
    let Some(config) = Json::read_if_there(&folder.join("tokenizer_config.json"))? else { return Ok(HashMap::new()) };
    let Some(added) = config.get("added_tokens_decoder").and_then(Value::as_object) else { return Ok(HashMap::new()) };
    let token = |(id, token): (&String, &Value)| {
        let content = token.get("content").and_then(Value::as_str);
        let pair = id.parse().ok().zip(content).map(|(id, content)| (content.to_owned(), id));
        pair.ok_or_else(|| config.invalid("added_tokens_decoder", "a map from ids to tokens with content", token))
    };
    added.iter().map(token).collect()
}

fn source(canonical: &str) -> Source {
    let parts: Vec<&str> = canonical.split('.').collect();
    let name = match *parts.as_slice() {
        [stack, "blocks", layer, part, "norm", parameter] => {
            let norm = match part {
                "attention" => "self_attn_layer_norm",
                "cross" => "encoder_attn_layer_norm",
                _ => "final_layer_norm",
            };
            format!("{stack}.layers.{layer}.{norm}.{parameter}")
        }
        [stack, "blocks", layer, part, linear, parameter] => {
            let linear = match (part, linear) {
                ("mlp", "up") => "fc1".to_owned(),
                ("mlp", _) => "fc2".to_owned(),
                ("cross", "query") => "encoder_attn.q_proj".to_owned(),
                ("cross", "key") => "encoder_attn.k_proj".to_owned(),
                ("cross", "value") => "encoder_attn.v_proj".to_owned(),
                ("cross", _) => "encoder_attn.out_proj".to_owned(),
                (_, "query") => "self_attn.q_proj".to_owned(),
                (_, "key") => "self_attn.k_proj".to_owned(),
                (_, "value") => "self_attn.v_proj".to_owned(),
                _ => "self_attn.out_proj".to_owned(),
            };
            format!("{stack}.layers.{layer}.{linear}.{parameter}")
        }
        [stack, "norm", parameter] => format!("{stack}.layer_norm.{parameter}"),
        [stack, "positions"] => format!("{stack}.embed_positions.weight"),
        [stack, "tokens"] => format!("{stack}.embed_tokens.weight"),
        _ => canonical.to_owned(),
    };
    name.into()
}

/// The tied projection.
fn is_other(name: &str) -> bool {
    name == "proj_out.weight"
}
