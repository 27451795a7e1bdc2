//! Small Whisper models of made-up weights, written in each format.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The files of a model by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A canonical name, the name in Hugging Face's and in whisper.cpp's files, the shape and the values.
pub struct Tensor {
    pub canonical: String,
    hugging_face: String,
    ggml: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A model of width 32 with two heads, whose weights F16, Q8_0 and 8-bit integers hold exactly.
pub struct Synthetic {
    pub mel_bins: usize,
    pub encoder_layers: usize,
    pub decoder_layers: usize,
    pub names: Vec<String>,
    pub tensors: Vec<Tensor>,
}

/// How floating-point weights are stored.
#[derive(Clone, Copy, PartialEq)]
pub enum Storage {
    F32,
    F16,
    Bf16,
    /// ggml's blocks of 32 for matrices, F16 for convolutions, F32 for the rest.
    Q8_0,
    /// CTranslate2's bytes with a scale a row for matrices, F32 for the rest.
    Int8,
}

pub const WIDTH: usize = 32;
pub const HEADS: usize = 2;
pub const SUPPRESSED: [u32; 3] = [1, 2, 7];

impl Synthetic {
    /// A multilingual model with few text tokens.
    pub fn small() -> Self {
        Self::new(80, 300, 3)
    }

    /// A model with as many tokens as OpenAI's vocabularies with 99 or 100 languages.
    pub fn full_vocabulary(mel_bins: usize, languages: usize) -> Self {
        Self::new(mel_bins, 50_257, languages)
    }

    fn new(mel_bins: usize, text_tokens: usize, languages: usize) -> Self {
        let (encoder_layers, decoder_layers) = (2, 1);
        let names = names(text_tokens, languages);
        let mut tensors = Tensors(Vec::new());
        tensors.add(["encoder.conv1.weight"; 3], &[WIDTH, mel_bins, 3]);
        tensors.add(["encoder.conv1.bias"; 3], &[WIDTH]);
        tensors.add(["encoder.conv2.weight"; 3], &[WIDTH, WIDTH, 3]);
        tensors.add(["encoder.conv2.bias"; 3], &[WIDTH]);
        let positions = ["encoder.positions", "encoder.embed_positions.weight", "encoder.positional_embedding"];
        tensors.add(positions, &[1500, WIDTH]);
        let positions = ["decoder.positions", "decoder.embed_positions.weight", "decoder.positional_embedding"];
        tensors.add(positions, &[448, WIDTH]);
        let tokens = ["decoder.tokens", "decoder.embed_tokens.weight", "decoder.token_embedding.weight"];
        tensors.add(tokens, &[names.len(), WIDTH]);
        for layer in 0..encoder_layers {
            tensors.attention("encoder", layer, ["attention", "self_attn", "attn"]);
            tensors.mlp("encoder", layer);
        }
        for layer in 0..decoder_layers {
            tensors.attention("decoder", layer, ["attention", "self_attn", "attn"]);
            tensors.attention("decoder", layer, ["cross", "encoder_attn", "cross_attn"]);
            tensors.mlp("decoder", layer);
        }
        tensors.norm(["encoder.norm", "encoder.layer_norm", "encoder.ln_post"]);
        tensors.norm(["decoder.norm", "decoder.layer_norm", "decoder.ln"]);
        Self { mel_bins, encoder_layers, decoder_layers, names, tensors: tensors.0 }
    }

    /// The values of tensors that CTranslate2 stores below each other; the key's absent bias is zeros there.
    fn stacked(&self, canonical: &[String]) -> (Vec<usize>, Vec<f32>) {
        let mut shape = Vec::new();
        let mut values = Vec::new();
        for name in canonical {
            match self.tensors.iter().find(|tensor| tensor.canonical == *name) {
                Some(tensor) => {
                    shape = tensor.shape.clone();
                    values.extend(&tensor.values);
                }
                None => values.extend([0.0; WIDTH]),
            }
        }
        shape[0] *= canonical.len();
        (shape, values)
    }

    /// The variables of model.bin; the order is that of the names.
    pub fn ctranslate2_variables(&self) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
        let mut variables = BTreeMap::new();
        let mut add = |name: String, canonical: &[String]| variables.insert(name, self.stacked(canonical));
        for conv in ["conv1", "conv2"] {
            for parameter in ["weight", "bias"] {
                add(format!("encoder/{conv}/{parameter}"), &[format!("encoder.{conv}.{parameter}")]);
            }
        }
        add("decoder/embeddings/weight".into(), &["decoder.tokens".into()]);
        for (stack, layers) in [("encoder", self.encoder_layers), ("decoder", self.decoder_layers)] {
            add(format!("{stack}/position_encodings/encodings"), &[format!("{stack}.positions")]);
            let mut add_norm = |variable: &str, canonical: &str| {
                add(format!("{stack}/{variable}/gamma"), &[format!("{stack}.{canonical}.weight")]);
                add(format!("{stack}/{variable}/beta"), &[format!("{stack}.{canonical}.bias")]);
            };
            add_norm("layer_norm", "norm");
            for layer in 0..layers {
                for (variable, canonical) in [("self_attention", "attention"), ("attention", "cross"), ("ffn", "mlp")] {
                    if canonical != "cross" || stack == "decoder" {
                        let norm = format!("blocks.{layer}.{canonical}.norm");
                        add_norm(&format!("layer_{layer}/{variable}/layer_norm"), &norm);
                    }
                }
            }
            for layer in 0..layers {
                let mut linears: Vec<(&str, &[&str])> = vec![
                    ("self_attention/linear_0", &["attention.query", "attention.key", "attention.value"]),
                    ("self_attention/linear_1", &["attention.out"]),
                    ("ffn/linear_0", &["mlp.up"]),
                    ("ffn/linear_1", &["mlp.down"]),
                ];
                if stack == "decoder" {
                    linears.push(("attention/linear_0", &["cross.query"]));
                    linears.push(("attention/linear_1", &["cross.key", "cross.value"]));
                    linears.push(("attention/linear_2", &["cross.out"]));
                }
                for (variable, parts) in linears {
                    for parameter in ["weight", "bias"] {
                        let canonical: Vec<String> =
                            parts.iter().map(|part| format!("{stack}.blocks.{layer}.{part}.{parameter}")).collect();
                        add(format!("{stack}/layer_{layer}/{variable}/{parameter}"), &canonical);
                    }
                }
            }
        }
        variables
    }

    /// A CTranslate2 folder.
    pub fn ctranslate2(&self, storage: Storage) -> Files {
        let mut variables: Vec<Variable> = Vec::new();
        for (name, (shape, values)) in self.ctranslate2_variables() {
            if storage == Storage::Int8 && shape.len() > 1 && name.ends_with("weight") {
                let scales = vec![128.0; shape[0]];
                variables.push(Variable::new(&format!("{name}_scale"), &[shape[0]], 0, encode(&scales, Storage::F32)));
                let bytes = values.iter().map(|value| (value * 128.0) as i8 as u8).collect();
                variables.push(Variable::new(&name, &shape, 1, bytes));
            } else {
                let type_id = [(Storage::F16, 4), (Storage::Bf16, 5)].iter().find(|(kind, _)| *kind == storage);
                let type_id = type_id.map_or(0, |(_, id)| *id);
                variables.push(Variable::new(&name, &shape, type_id, encode(&values, storage)));
            }
        }
        for name in ["encoder/num_heads", "decoder/num_heads"] {
            variables.push(Variable::new(name, &[], 2, (HEADS as i16).to_le_bytes().to_vec()));
        }
        for (name, value) in [("decoder/activation", 3), ("decoder/pre_norm", 1), ("decoder/alibi", 0)] {
            variables.push(Variable::new(name, &[], 1, vec![value]));
        }
        let config = json!({
            "suppress_ids": SUPPRESSED, "suppress_ids_begin": [32, 4], "alignment_heads": [[0, 1]], "lang_ids": [0]
        });
        let aliases = [("decoder/projection/weight", "decoder/embeddings/weight")];
        Files::from([
            ("model.bin".into(), model_bin(&variables, &aliases)),
            ("config.json".into(), config.to_string().into_bytes()),
            ("vocabulary.txt".into(), (self.names.join("\n") + "\n").into_bytes()),
        ])
    }

    /// A Hugging Face folder with one file of weights.
    pub fn hugging_face(&self, storage: Storage) -> Files {
        let mut files = self.hugging_face_settings();
        let tensors: Vec<&Tensor> = self.tensors.iter().collect();
        files.insert("model.safetensors".into(), safetensors(&tensors, storage));
        files
    }

    /// A Hugging Face folder with the weights in three files.
    pub fn hugging_face_sharded(&self, storage: Storage) -> Files {
        let mut files = self.hugging_face_settings();
        let mut weight_map = serde_json::Map::new();
        for shard in 0..3 {
            let name = format!("model-{:05}-of-00003.safetensors", shard + 1);
            let tensors: Vec<&Tensor> = self.tensors.iter().skip(shard).step_by(3).collect();
            for tensor in &tensors {
                weight_map.insert(format!("model.{}", tensor.hugging_face), Value::from(name.clone()));
            }
            files.insert(name, safetensors(&tensors, storage));
        }
        let index = json!({ "metadata": { "total_size": 1 }, "weight_map": weight_map });
        files.insert("model.safetensors.index.json".into(), index.to_string().into_bytes());
        files
    }

    fn hugging_face_settings(&self) -> Files {
        let config = json!({
            "model_type": "whisper", "num_mel_bins": self.mel_bins, "max_source_positions": 1500,
            "max_target_positions": 448, "vocab_size": self.names.len(), "d_model": WIDTH, "encoder_ffn_dim": 4 * WIDTH,
            "decoder_ffn_dim": 4 * WIDTH, "encoder_attention_heads": HEADS, "decoder_attention_heads": HEADS,
            "encoder_layers": self.encoder_layers, "decoder_layers": self.decoder_layers, "scale_embedding": false,
            "activation_function": "gelu"
        });
        let generation = json!({
            "suppress_tokens": SUPPRESSED, "begin_suppress_tokens": [32, 4], "alignment_heads": [[0, 1]],
            "is_multilingual": true
        });
        let is_special = |name: &str| name.starts_with("<|");
        let ids = || self.names.iter().enumerate();
        let vocab: serde_json::Map<String, Value> =
            ids().filter(|(_, name)| !is_special(name)).map(|(id, name)| (name.clone(), id.into())).collect();
        let added: Vec<Value> = ids()
            .filter(|(_, name)| is_special(name))
            .map(|(id, name)| json!({ "id": id, "content": name, "special": true }))
            .collect();
        let tokenizer = json!({ "model": { "type": "BPE", "vocab": vocab, "merges": [] }, "added_tokens": added });
        let files = [("config.json", config), ("generation_config.json", generation), ("tokenizer.json", tokenizer)];
        files.map(|(name, json)| (name.to_owned(), json.to_string().into_bytes())).into()
    }

    /// A whisper.cpp file.
    pub fn ggml(&self, storage: Storage) -> Vec<u8> {
        let sizes = [self.names.len(), 1500, WIDTH, HEADS, self.encoder_layers, 448, WIDTH, HEADS, self.decoder_layers];
        let mut file = 0x6767_6d6c_u32.to_le_bytes().to_vec();
        let put = |number: usize, file: &mut Vec<u8>| file.extend((number as u32).to_le_bytes());
        for size in sizes.into_iter().chain([self.mel_bins, 1, self.mel_bins, 201]) {
            put(size, &mut file);
        }
        file.extend(vec![0; self.mel_bins * 201 * 4]);
        let text: Vec<&String> = self.names.iter().take_while(|name| !name.starts_with("<|")).collect();
        put(text.len(), &mut file);
        for (id, name) in text.into_iter().enumerate() {
            let bytes = if id < 256 { vec![id as u8] } else { name.clone().into_bytes() };
            put(bytes.len(), &mut file);
            file.extend(bytes);
        }
        for tensor in &self.tensors {
            let mut shape = tensor.shape.clone();
            if tensor.ggml.starts_with("encoder.conv") && shape.len() == 1 {
                shape.push(1);
            }
            let is_small = tensor.shape.len() < 2 || tensor.ggml.ends_with("positional_embedding");
            let (type_id, bytes) = match storage {
                Storage::F16 if !is_small => (1, encode(&tensor.values, Storage::F16)),
                Storage::Q8_0 if !is_small && shape.len() == 3 => (1, encode(&tensor.values, Storage::F16)),
                Storage::Q8_0 if !is_small => (8, encode(&tensor.values, Storage::Q8_0)),
                _ => (0, encode(&tensor.values, Storage::F32)),
            };
            for number in [shape.len(), tensor.ggml.len(), type_id].into_iter().chain(shape.into_iter().rev()) {
                put(number, &mut file);
            }
            file.extend(tensor.ggml.as_bytes());
            file.extend(bytes);
        }
        file
    }
}

/// A variable of a CTranslate2 file.
pub struct Variable {
    pub name: String,
    pub shape: Vec<u32>,
    pub type_id: u8,
    pub bytes: Vec<u8>,
}

impl Variable {
    pub fn new(name: &str, shape: &[usize], type_id: u8, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), shape: shape.iter().map(|size| *size as u32).collect(), type_id, bytes }
    }
}

/// A CTranslate2 file of these variables.
pub fn model_bin(variables: &[Variable], aliases: &[(&str, &str)]) -> Vec<u8> {
    fn string(file: &mut Vec<u8>, text: &str) {
        file.extend((text.len() as u16 + 1).to_le_bytes());
        file.extend(text.as_bytes());
        file.push(0);
    }
    let mut file = 6_u32.to_le_bytes().to_vec();
    string(&mut file, "WhisperSpec");
    file.extend(3_u32.to_le_bytes());
    file.extend((variables.len() as u32).to_le_bytes());
    for variable in variables {
        string(&mut file, &variable.name);
        file.push(variable.shape.len() as u8);
        file.extend(variable.shape.iter().flat_map(|size| size.to_le_bytes()));
        file.push(variable.type_id);
        file.extend((variable.bytes.len() as u32).to_le_bytes());
        file.extend(&variable.bytes);
    }
    file.extend((aliases.len() as u32).to_le_bytes());
    for (alias, name) in aliases {
        string(&mut file, alias);
        string(&mut file, name);
    }
    file
}

/// The files in a folder that lives as long as the result.
pub fn write(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(Path::new(name)), bytes).unwrap();
    }
    folder
}

fn safetensors(tensors: &[&Tensor], storage: Storage) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    let data_type = match storage {
        Storage::F16 => "F16",
        Storage::Bf16 => "BF16",
        _ => "F32",
    };
    for tensor in tensors {
        let start = data.len();
        data.extend(encode(&tensor.values, storage));
        let info = json!({ "dtype": data_type, "shape": tensor.shape, "data_offsets": [start, data.len()] });
        header.insert(format!("model.{}", tensor.hugging_face), info);
    }
    let header = Value::from(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

fn encode(values: &[f32], storage: Storage) -> Vec<u8> {
    match storage {
        Storage::F16 => values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect(),
        Storage::Bf16 => values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect(),
        Storage::Q8_0 => values
            .chunks(32)
            .flat_map(|block| {
                let scale = half::f16::from_f32(1.0 / 128.0).to_le_bytes();
                let bytes = block.iter().map(|value| (value * 128.0) as i8 as u8);
                scale.into_iter().chain(bytes).collect::<Vec<u8>>()
            })
            .collect(),
        Storage::F32 | Storage::Int8 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

struct Tensors(Vec<Tensor>);

impl Tensors {
    /// Numbers from -127/128 to 127/128 in steps of 1/128, from a seed that is the name.
    fn add(&mut self, [canonical, hugging_face, ggml]: [&str; 3], shape: &[usize]) {
        let mut state = canonical.bytes().fold(1_u64, |state, byte| state.wrapping_mul(31) + u64::from(byte));
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % 255) as f32 / 128.0 - 127.0 / 128.0
        };
        let values = (0..shape.iter().product()).map(|_| next()).collect();
        self.0.push(Tensor {
            canonical: canonical.to_owned(),
            hugging_face: hugging_face.to_owned(),
            ggml: ggml.to_owned(),
            shape: shape.to_vec(),
            values,
        });
    }

    fn norm(&mut self, [canonical, hugging_face, ggml]: [&str; 3]) {
        for parameter in ["weight", "bias"] {
            let names = [canonical, hugging_face, ggml].map(|name| format!("{name}.{parameter}"));
            self.add(names.each_ref().map(String::as_str), &[WIDTH]);
        }
    }

    fn linear(&mut self, names: [String; 3], output: usize, input: usize, has_bias: bool) {
        let parameter = |parameter: &str| names.each_ref().map(|name| format!("{name}.{parameter}"));
        self.add(parameter("weight").each_ref().map(String::as_str), &[output, input]);
        if has_bias {
            self.add(parameter("bias").each_ref().map(String::as_str), &[output]);
        }
    }

    fn attention(&mut self, stack: &str, layer: usize, [canonical, hugging_face, ggml]: [&str; 3]) {
        let (block, layers) = (format!("{stack}.blocks.{layer}"), format!("{stack}.layers.{layer}"));
        let norms = [
            format!("{block}.{canonical}.norm"),
            format!("{layers}.{hugging_face}_layer_norm"),
            format!("{block}.{ggml}_ln"),
        ];
        self.norm(norms.each_ref().map(String::as_str));
        for (name, short) in [("query", "q"), ("key", "k"), ("value", "v"), ("out", "out")] {
            let names = [
                format!("{block}.{canonical}.{name}"),
                format!("{layers}.{hugging_face}.{short}_proj"),
                format!("{block}.{ggml}.{name}"),
            ];
            self.linear(names, WIDTH, WIDTH, name != "key");
        }
    }

    fn mlp(&mut self, stack: &str, layer: usize) {
        let (block, layers) = (format!("{stack}.blocks.{layer}"), format!("{stack}.layers.{layer}"));
        let norms = [format!("{block}.mlp.norm"), format!("{layers}.final_layer_norm"), format!("{block}.mlp_ln")];
        self.norm(norms.each_ref().map(String::as_str));
        for (name, hugging_face, ggml, output, input) in
            [("up", "fc1", "0", 4 * WIDTH, WIDTH), ("down", "fc2", "2", WIDTH, 4 * WIDTH)]
        {
            let names =
                [format!("{block}.mlp.{name}"), format!("{layers}.{hugging_face}"), format!("{block}.mlp.{ggml}")];
            self.linear(names, output, input, true);
        }
    }
}

/// The 256 bytes, made-up words, and the special tokens in OpenAI's order.
fn names(text_tokens: usize, languages: usize) -> Vec<String> {
    let printable = |byte: u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let spell = |byte: u8| match printable(byte) {
        true => char::from(byte),
        false => char::from_u32(256 + (0..byte).filter(|before| !printable(*before)).count() as u32).unwrap(),
    };
    let bytes = (0..=255).map(|byte| spell(byte).to_string());
    let words = (256..text_tokens).map(|id| format!("w{id}"));
    let codes = ["en".to_owned(), "zh".to_owned(), "de".to_owned()]
        .into_iter()
        .chain((0..).map(|i: u8| format!("q{}{}", char::from(b'a' + i / 26), char::from(b'a' + i % 26))));
    let named =
        ["endoftext", "startoftranscript"].map(str::to_owned).into_iter().chain(codes.take(languages)).chain(
            ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"].map(str::to_owned),
        );
    let times = (0..1501).map(|step| format!("{:.2}", f64::from(step) * 0.02));
    bytes.chain(words).chain(named.chain(times).map(|name| format!("<|{name}|>"))).collect()
}
