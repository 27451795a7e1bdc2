//! Models in every format give the same tensors, and bad files give errors that say which file and why.

// Clippy allows these in the test functions only, not in what they call.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "malformed_models/synthetic.rs"]
mod synthetic;

use std::{path::Path, sync::LazyLock};

use gstwhispernpu::{
    device::Tensors,
    model::{Model, ModelError},
};
use synthetic::{Files, Storage, Synthetic, Variable, WIDTH, model_bin, write};

/// Files of a good CTranslate2, Hugging Face and whisper.cpp model, to be spoiled.
static CTRANSLATE2: LazyLock<Files> = LazyLock::new(|| Synthetic::small().ctranslate2(Storage::F32));
static HUGGING_FACE: LazyLock<Files> = LazyLock::new(|| Synthetic::small().hugging_face(Storage::F32));
static GGML: LazyLock<Vec<u8>> = LazyLock::new(|| Synthetic::full_vocabulary(80, 99).ggml(Storage::Q8_0));

#[test]
fn every_format_gives_the_same_model() {
    let synthetic = Synthetic::full_vocabulary(80, 99);
    let formats = [
        ("CTranslate2 f32", synthetic.ctranslate2(Storage::F32)),
        ("CTranslate2 f16", synthetic.ctranslate2(Storage::F16)),
        ("CTranslate2 bf16", synthetic.ctranslate2(Storage::Bf16)),
        ("CTranslate2 int8", synthetic.ctranslate2(Storage::Int8)),
        ("Hugging Face f32", synthetic.hugging_face(Storage::F32)),
        ("Hugging Face bf16", synthetic.hugging_face(Storage::Bf16)),
        ("Hugging Face f16 in shards", synthetic.hugging_face_sharded(Storage::F16)),
        ("ggml f32", Files::from([("model.bin".into(), synthetic.ggml(Storage::F32))])),
        ("ggml f16", Files::from([("model.bin".into(), synthetic.ggml(Storage::F16))])),
        ("ggml q8_0", Files::from([("model.bin".into(), synthetic.ggml(Storage::Q8_0))])),
    ];
    for (format, files) in formats {
        let folder = write(&files);
        let model = Model::open(folder.path()).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_same_model(&synthetic, &model, format);
        let special = &model.vocabulary.special;
        assert_eq!((special.end_of_text, special.translate), (50_257, 50_358), "{format}");
        assert_eq!((special.no_speech, special.timestamp_begin), (50_362, 50_364), "{format}");
        assert_eq!(model.vocabulary.language_token("de"), Some(50_261), "{format}");
        assert_eq!(model.vocabulary.decode(&[72, 105, 256, 50_257]), "Hiw256", "{format}");
        if !format.starts_with("ggml") {
            assert_eq!(model.config.suppressed, synthetic::SUPPRESSED, "{format}");
            assert_eq!(model.config.alignment_heads, [(0, 1)], "{format}");
        }
    }
}

#[test]
fn large_v3_has_128_mel_bins_and_cantonese() {
    let synthetic = Synthetic::full_vocabulary(128, 100);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), synthetic.ggml(Storage::F16)).unwrap();
    let model = Model::open(file.path()).unwrap();
    assert_same_model(&synthetic, &model, "ggml");
    assert_eq!(model.config.mel_bins, 128);
    assert_eq!(model.vocabulary.language_token("yue"), Some(50_358));
    assert_eq!(model.config.suppressed_at_begin, [32, 50_257]);
}

#[test]
fn a_weights_file_can_be_named_instead_of_its_folder() {
    for (files, name) in [(&*CTRANSLATE2, "model.bin"), (&*HUGGING_FACE, "model.safetensors")] {
        let folder = write(files);
        let path = folder.path().join(name);
        assert_eq!(Model::open(&path).unwrap().path, path);
    }
}

#[test]
fn spoiled_ctranslate2_folders_are_refused() {
    let cases: Vec<(&str, Spoil, &[&str])> = vec![
        ("no weights", |f| drop(f.remove("model.bin")), &["model.safetensors", "without any"]),
        ("empty", |f| weights(f).clear(), &["model.bin", "empty"]),
        ("zeros", |f| weights(f).fill(0), &["model.bin", "zeros"]),
        (
            "Git LFS pointer",
            |f| *weights(f) = b"version https://git-lfs.example".to_vec(),
            &["model.bin", "git lfs pull"],
        ),
        ("only the header", |f| weights(f).truncate(24), &["model.bin", "truncated", "24 bytes"]),
        ("half", |f| halve(weights(f)), &["model.bin", "truncated"]),
        ("one byte short", |f| shorten(weights(f)), &["model.bin", "truncated"]),
        ("bytes at the end", |f| weights(f).extend([0; 9]), &["model.bin", "9 bytes later"]),
        ("newer version", |f| weights(f)[0] = 7, &["model.bin", "4, 5 or 6", "is 7"]),
        ("other specification", |f| weights(f)[6] = b'w', &["WhisperSpec", "whisperSpec"]),
        ("newer revision", |f| weights(f)[18] = 4, &["revision", "at most 3"]),
        ("4 billion variables", |f| weights(f)[22..26].fill(0xFF), &["model.bin"]),
        (
            "missing tensor",
            |f| spoil_variable(f, "encoder/layer_1/ffn/linear_1/bias", |v| v.name.push('x')),
            &["linear_1/bias"],
        ),
        ("huge dimensions", |f| spoil_variable(f, TOKENS, |v| v.shape = vec![u32::MAX; 4]), &[TOKENS, "byte length"]),
        ("rank 200", |f| spoil_variable(f, TOKENS, |v| v.shape = vec![1; 200]), &[TOKENS, "rank", "200"]),
        ("unknown type", |f| spoil_variable(f, TOKENS, |v| v.type_id = 9), &[TOKENS, "type", "9"]),
        ("integers without scales", |f| spoil_variable(f, "encoder/conv1/weight", to_int8), &["conv1/weight_scale"]),
        (
            "other shape",
            |f| spoil_variable(f, "decoder/layer_norm/beta", |v| v.shape = vec![8, 4]),
            &["[32]", "[8, 4]"],
        ),
        ("heads that do not divide", |f| spoil_variable(f, "encoder/num_heads", |v| v.bytes[0] = 5), &["heads", "5"]),
        ("negative heads", |f| spoil_variable(f, "encoder/num_heads", |v| v.bytes.fill(0xFF)), &["num_heads", "-1"]),
        ("ReLU", |f| spoil_variable(f, "decoder/activation", |v| v.bytes[0] = 0), &["activation", "3"]),
        (
            "not a number",
            |f| spoil_variable(f, "encoder/conv2/bias", to_nan),
            &["model.bin", "encoder.conv2.bias", "element 5"],
        ),
        ("tensor twice", |f| duplicate_first_variable(f), &["twice"]),
        ("no vocabulary", |f| drop(f.remove("vocabulary.txt")), &["vocabulary.txt", "cannot read"]),
        ("short vocabulary", |f| halve(text(f, "vocabulary.txt")), &["vocabulary.txt", "number of tokens"]),
        ("vocabulary not UTF-8", |f| text(f, "vocabulary.txt")[2] = 0xFF, &["vocabulary.txt", "UTF-8"]),
        (
            "no end of text",
            |f| replace(f, "vocabulary.txt", "<|endoftext|>", "end"),
            &["vocabulary.txt", "<|endoftext|>"],
        ),
        ("no config", |f| drop(f.remove("config.json")), &["config.json", "cannot read"]),
        ("config not JSON", |f| halve(text(f, "config.json")), &["config.json", "JSON"]),
        ("suppressed token beyond", |f| replace(f, "config.json", "[1,2,7]", "[1,99999]"), &["config.json", "99999"]),
        ("negative suppressed token", |f| replace(f, "config.json", "[1,2,7]", "[-5]"), &["config.json", "-5"]),
        ("alignment head beyond", |f| replace(f, "config.json", "[[0,1]]", "[[7,1]]"), &["config.json", "[7, 1]"]),
    ];
    for (case, spoil, expected) in cases {
        refuse(case, &CTRANSLATE2, spoil, expected);
    }
}

#[test]
fn spoiled_hugging_face_folders_are_refused() {
    let cases: Vec<(&str, Spoil, &[&str])> = vec![
        ("huge header", |f| tensors(f)[..6].fill(0xFF), &["model.safetensors", "header"]),
        ("header cut off", |f| tensors(f).truncate(100), &["model.safetensors", "header"]),
        ("data cut off", |f| shorten(tensors(f)), &["model.safetensors", "truncated"]),
        ("pickle", |f| *tensors(f) = b"\x80\x02}q".to_vec(), &["model.safetensors", "pickle"]),
        ("integers", |f| replace(f, WEIGHTS, "\"F32\"", "\"I32\""), &["model.safetensors", "I32"]),
        ("huge dimensions", |f| replace(f, WEIGHTS, "[32,32,3]", "[9e8,9,9]"), &["model.safetensors"]),
        (
            "offsets beyond",
            |f| replace(f, WEIGHTS, "\"data_offsets\":[0,", "\"data_offsets\":[9,"),
            &["model.safetensors"],
        ),
        (
            "other name",
            |f| replace(f, WEIGHTS, "model.encoder.conv1.bias", "model.encoder.conv9.bias"),
            &["encoder.conv1.bias"],
        ),
        (
            "not a number",
            |f| tensors(f).iter_mut().rev().take(4).for_each(|byte| *byte = 0xFF),
            &["model.safetensors", "decoder.norm.bias", "element 31"],
        ),
        ("no config", |f| drop(f.remove("config.json")), &["config.json", "cannot read"]),
        ("other model", |f| replace(f, "config.json", "\"whisper\"", "\"wav2vec2\""), &["config.json", "wav2vec2"]),
        ("huge width", |f| replace(f, "config.json", "\"d_model\":32", "\"d_model\":9999999999"), &["config.json"]),
        (
            "huge layers",
            |f| replace(f, "config.json", "\"encoder_layers\":2", "\"encoder_layers\":4000000000"),
            &["config.json", "layers"],
        ),
        (
            "negative layers",
            |f| replace(f, "config.json", "\"encoder_layers\":2", "\"encoder_layers\":-1"),
            &["encoder_layers", "-1"],
        ),
        (
            "fewer layers than weights",
            |f| replace(f, "config.json", "\"encoder_layers\":2", "\"encoder_layers\":1"),
            &["encoder.layers.1"],
        ),
        (
            "more layers than weights",
            |f| replace(f, "config.json", "\"encoder_layers\":2", "\"encoder_layers\":3"),
            &["encoder.layers.2"],
        ),
        (
            "77 mel bins",
            |f| replace(f, "config.json", "\"num_mel_bins\":80", "\"num_mel_bins\":77"),
            &["80 or 128", "77"],
        ),
        ("ReLU", |f| replace(f, "config.json", "\"gelu\"", "\"relu\""), &["activation_function", "relu"]),
        ("no tokenizer", |f| drop(f.remove("tokenizer.json")), &["vocab.json", "cannot read"]),
        (
            "id beyond",
            |f| replace(f, "tokenizer.json", "\"w299\":299", "\"w299\":9999999999"),
            &["tokenizer.json", "w299"],
        ),
        ("id twice", |f| replace(f, "tokenizer.json", "\"w299\":299", "\"w299\":298"), &["tokenizer.json", "298"]),
        (
            "no times",
            |f| replace(f, "tokenizer.json", "<|notimestamps|>", "<|times|>"),
            &["tokenizer.json", "<|notimestamps|>"],
        ),
        (
            "deep JSON",
            |f| *text(f, "generation_config.json") = vec![b'['; 100_000],
            &["generation_config.json", "JSON"],
        ),
        (
            "text for tokens",
            |f| replace(f, "generation_config.json", "[1,2,7]", "\"all\""),
            &["generation_config.json", "all"],
        ),
    ];
    for (case, spoil, expected) in cases {
        refuse(case, &HUGGING_FACE, spoil, expected);
    }
}

#[test]
fn spoiled_shards_are_refused() {
    let sharded = Synthetic::small().hugging_face_sharded(Storage::F32);
    let index = "model.safetensors.index.json";
    let cases: Vec<(&str, Spoil, &[&str])> = vec![
        ("missing", |f| drop(f.remove("model-00002-of-00003.safetensors")), &["model-00002-of-00003.safetensors"]),
        (
            "empty",
            |f| text(f, "model-00002-of-00003.safetensors").clear(),
            &["model-00002-of-00003.safetensors", "empty"],
        ),
        (
            "elsewhere",
            |f| replace(f, "model.safetensors.index.json", "model-00002", "../model-00002"),
            &["index.json", "beside"],
        ),
        (
            "no shards",
            |f| *text(f, "model.safetensors.index.json") = b"{\"weight_map\":{}}".to_vec(),
            &["weight_map", "empty"],
        ),
        ("no map", |f| *text(f, "model.safetensors.index.json") = b"{}".to_vec(), &["index.json", "weight_map"]),
        (
            "a tensor in two",
            |f| replace(f, "model-00001-of-00003.safetensors", "encoder.conv1.weight", "encoder.conv2.weight"),
            &["twice"],
        ),
    ];
    assert!(sharded.contains_key(index));
    for (case, spoil, expected) in cases {
        refuse(case, &sharded, spoil, expected);
    }
}

#[test]
fn spoiled_ggml_files_are_refused() {
    let files = Files::from([("ggml-x.bin".to_owned(), GGML.clone())]);
    let cases: Vec<(&str, Spoil, &[&str])> = vec![
        ("GGUF", |f| text(f, "ggml-x.bin")[..4].copy_from_slice(b"GGUF"), &["GGUF"]),
        ("only sizes", |f| text(f, "ggml-x.bin").truncate(20), &["truncated", "20 bytes"]),
        ("half", |f| halve(text(f, "ggml-x.bin")), &["truncated"]),
        ("one byte short", |f| shorten(text(f, "ggml-x.bin")), &["truncated"]),
        ("a byte more", |f| text(f, "ggml-x.bin").push(0), &["truncated"]),
        ("no tensors", |f| text(f, "ggml-x.bin").truncate(tensors_offset()), &["no tensor"]),
        ("huge vocabulary", |f| put(f, 4, u32::MAX), &["vocabulary size"]),
        ("small vocabulary", |f| put(f, 4, 1000), &["51864", "1000"]),
        ("huge width", |f| (put(f, 12, u32::MAX), put(f, 28, u32::MAX)).0, &["width"]),
        ("widths that differ", |f| put(f, 28, 64), &["decoder", "64"]),
        ("no heads", |f| put(f, 16, 0), &["heads"]),
        ("huge layers", |f| put(f, 20, u32::MAX), &["layers"]),
        ("other mel filters", |f| put(f, 52, u32::MAX), &["mel filters"]),
        ("huge number of tokens", |f| put(f, 56 + 80 * 201 * 4, u32::MAX), &["truncated"]),
        ("too few tokens", |f| put(f, 56 + 80 * 201 * 4, 1), &["text tokens"]),
        ("huge token", |f| put(f, 60 + 80 * 201 * 4, u32::MAX), &["token", "truncated"]),
        ("rank 0", |f| put(f, tensors_offset(), 0), &["rank"]),
        ("huge name", |f| put(f, tensors_offset() + 4, u32::MAX), &["name", "256"]),
        ("unknown type", |f| put(f, tensors_offset() + 8, 16), &["conv1.weight", "iq2_xxs", "q5_0"]),
        ("huge tensor", |f| put(f, tensors_offset() + 12, u32::MAX), &["conv1.weight"]),
        ("blocks that do not fit", |f| put(f, tensors_offset() + 8, 8), &["conv1.weight", "Q8_0"]),
        ("name not UTF-8", |f| text(f, "ggml-x.bin")[tensors_offset() + 24] = 0xFF, &["name", "UTF-8"]),
        (
            "not a number",
            |f| text(f, "ggml-x.bin")[tensors_offset() + 44..].iter_mut().take(9).for_each(|b| *b = 0xFF),
            &["encoder.conv1.weight", "element 0"],
        ),
    ];
    for (case, spoil, expected) in cases {
        refuse_at(case, &files, spoil, expected, |folder| folder.join("ggml-x.bin"));
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let error = Model::open(&folder.path().join("missing")).unwrap_err();
    assert!(matches!(&error, ModelError::Io { kind: std::io::ErrorKind::NotFound, .. }), "{error}");
    std::fs::create_dir(folder.path().join("model.bin")).unwrap();
    let error = Model::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("a folder"), "{error}");
    #[cfg(unix)]
    {
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let error = Model::open(&path).unwrap_err().to_string();
        assert!(error.contains("socket"), "{error}");
    }
}

#[test]
fn no_cut_and_no_wrong_byte_panics() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for (files, name) in [(&*CTRANSLATE2, "model.bin"), (&*HUGGING_FACE, "model.safetensors")] {
        let folder = write(files);
        let path = folder.path().join(name);
        let good = &files[name];
        for round in 0..120 {
            let mut bytes = good.clone();
            if round % 2 == 0 {
                bytes.truncate(random(good.len()));
                std::fs::write(&path, &bytes).unwrap();
                assert!(Model::open(folder.path()).is_err());
            } else {
                let near_start = random(6000);
                bytes[near_start] = random(256) as u8;
                std::fs::write(&path, &bytes).unwrap();
                let _ = Model::open(folder.path());
            }
        }
    }
}

type Spoil = fn(&mut Files);

const TOKENS: &str = "decoder/embeddings/weight";
const WEIGHTS: &str = "model.safetensors";

fn assert_same_model(synthetic: &Synthetic, model: &Model, format: &str) {
    let config = &model.config;
    assert_eq!((config.width, config.encoder_heads, config.decoder_heads), (WIDTH, 2, 2), "{format}");
    let layers = (config.encoder_layers, config.decoder_layers);
    assert_eq!(layers, (synthetic.encoder_layers, synthetic.decoder_layers), "{format}");
    let sizes = (config.mel_bins, config.vocabulary_size, config.text_positions);
    assert_eq!(sizes, (synthetic.mel_bins, synthetic.names.len(), 448), "{format}");
    assert_eq!(model.weights.names().count(), synthetic.tensors.len(), "{format}");
    assert!(!model.weights.has("encoder.blocks.0.attention.key.bias"), "{format}");
    for tensor in &synthetic.tensors {
        let view = model.weights.tensor(&tensor.canonical).unwrap();
        assert_eq!(view.shape, tensor.shape, "{format}: {}", tensor.canonical);
        assert!(view.to_f32() == tensor.values, "{format}: {} has other values", tensor.canonical);
    }
}

fn refuse(case: &str, files: &Files, spoil: Spoil, expected: &[&str]) {
    refuse_at(case, files, spoil, expected, Path::to_owned);
}

fn refuse_at(case: &str, files: &Files, spoil: Spoil, expected: &[&str], path: impl Fn(&Path) -> std::path::PathBuf) {
    let mut files = files.clone();
    spoil(&mut files);
    let folder = write(&files);
    let error = match Model::open(&path(folder.path())) {
        Ok(_) => panic!("{case}: opened"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains(folder.path().to_str().unwrap()), "{case}: names no file: {error}");
    for part in expected {
        assert!(error.contains(part), "{case}: no {part:?} in: {error}");
    }
}

fn text<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    files.get_mut(name).unwrap()
}

fn weights(files: &mut Files) -> &mut Vec<u8> {
    text(files, "model.bin")
}

fn tensors(files: &mut Files) -> &mut Vec<u8> {
    text(files, WEIGHTS)
}

fn halve(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

fn shorten(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 1);
}

fn put(files: &mut Files, offset: usize, number: u32) {
    text(files, "ggml-x.bin")[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
}

/// Replaces the first occurrence; in safetensors the header keeps its length, blanks filling up.
fn replace(files: &mut Files, name: &str, from: &str, to: &str) {
    let bytes = text(files, name);
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    let mut to = to.as_bytes().to_vec();
    if name.ends_with(".safetensors") {
        assert!(to.len() <= from.len());
        to.resize(from.len(), b' ');
    }
    bytes.splice(place..place + from.len(), to);
}

fn to_int8(variable: &mut Variable) {
    variable.type_id = 1;
    variable.bytes.truncate(variable.bytes.len() / 4);
}

fn to_nan(variable: &mut Variable) {
    variable.bytes[20..24].copy_from_slice(&f32::NAN.to_le_bytes());
}

/// Parses the good file by its own writer's rules, changes a variable and writes it again.
fn spoil_variable(files: &mut Files, name: &str, spoil: fn(&mut Variable)) {
    let mut variables = variables(weights(files));
    spoil(variables.iter_mut().find(|variable| variable.name == name).unwrap());
    *weights(files) = model_bin(&variables, &[("decoder/projection/weight", TOKENS)]);
}

fn duplicate_first_variable(files: &mut Files) {
    let mut variables = variables(weights(files));
    let first = &variables[0];
    let copy =
        Variable { name: first.name.clone(), shape: first.shape.clone(), type_id: 0, bytes: first.bytes.clone() };
    variables.push(copy);
    *weights(files) = model_bin(&variables, &[]);
}

fn variables(file: &[u8]) -> Vec<Variable> {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 26;
    (0..number(22))
        .map(|_| {
            let length = usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
            let name = String::from_utf8(file[at + 2..at + 1 + length].to_vec()).unwrap();
            at += 2 + length;
            let rank = usize::from(file[at]);
            let shape = (0..rank).map(|axis| number(at + 1 + 4 * axis) as u32).collect();
            at += 1 + 4 * rank;
            let (type_id, length) = (file[at], number(at + 1));
            at += 5 + length;
            Variable { name, shape, type_id, bytes: file[at - length..at].to_vec() }
        })
        .collect()
}

/// Where the first tensor's rank is: before the name of the first one.
fn tensors_offset() -> usize {
    let name = b"encoder.conv1.weight";
    GGML.windows(name.len()).position(|window| window == name).unwrap() - 24
}
