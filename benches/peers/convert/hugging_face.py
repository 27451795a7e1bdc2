"""Writes a Hugging Face Whisper folder, the form from which the ONNX and OpenVINO exporters start."""

import json
import pathlib
import struct

import numpy as np

FEATURES = {
    "feature_extractor_type": "WhisperFeatureExtractor",
    "processor_class": "WhisperProcessor",
    "feature_size": 80,
    "sampling_rate": 16_000,
    "n_fft": 400,
    "hop_length": 160,
    "chunk_length": 30,
    "n_samples": 480_000,
    "nb_max_frames": 3_000,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
}


def write(folder, target):
    """Writes weights (float32, safetensors), configurations and tokenizer files of `folder` into `target`."""
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    write_safetensors(target / "model.safetensors", state(folder))
    special = folder.special()
    for name, content in {
        "config.json": configuration(folder, special),
        "generation_config.json": generation(folder, special),
        "preprocessor_config.json": FEATURES,
        "tokenizer_config.json": tokenizer(special),
        "special_tokens_map.json": {name: "<|endoftext|>" for name in ("bos_token", "eos_token", "unk_token")},
        "tokenizer.json": folder.tokenizer,
        "vocab.json": folder.tokenizer["model"]["vocab"],
        "added_tokens.json": special,
    }.items():
        (target / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in folder.tokenizer["model"]["merges"]]
    (target / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


def state(folder):
    """All weights under Hugging Face's names, float32; the output projection is the embedding's."""
    tensors = {}
    for side in ("encoder", "decoder"):
        tensors[f"model.{side}.embed_positions.weight"] = folder.tensor(f"{side}/position_encodings/encodings")
        copy_norm(folder, f"{side}/layer_norm", tensors, f"model.{side}.layer_norm")
        for index in range(folder.layers(side)):
            copy_layer(folder, side, index, tensors)
    for name in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            tensors[f"model.encoder.{name}.{part}"] = folder.tensor(f"encoder/{name}/{part}")
    tensors["model.decoder.embed_tokens.weight"] = folder.tensor("decoder/embeddings/weight")
    return tensors


def copy_layer(folder, side, index, tensors):
    """Copies one encoder or decoder layer, splitting what CTranslate2 fuses."""
    source, target = f"{side}/layer_{index}", f"model.{side}.layers.{index}"
    copy_norm(folder, f"{source}/self_attention/layer_norm", tensors, f"{target}.self_attn_layer_norm")
    split_linear(folder, f"{source}/self_attention/linear_0", tensors, f"{target}.self_attn", "qkv")
    split_linear(folder, f"{source}/self_attention/linear_1", tensors, f"{target}.self_attn", "o")
    if side == "decoder":
        copy_norm(folder, f"{source}/attention/layer_norm", tensors, f"{target}.encoder_attn_layer_norm")
        split_linear(folder, f"{source}/attention/linear_0", tensors, f"{target}.encoder_attn", "q")
        split_linear(folder, f"{source}/attention/linear_1", tensors, f"{target}.encoder_attn", "kv")
        split_linear(folder, f"{source}/attention/linear_2", tensors, f"{target}.encoder_attn", "o")
    copy_norm(folder, f"{source}/ffn/layer_norm", tensors, f"{target}.final_layer_norm")
    for number in (0, 1):
        for part in ("weight", "bias"):
            tensors[f"{target}.fc{number + 1}.{part}"] = folder.tensor(f"{source}/ffn/linear_{number}/{part}")


def copy_norm(folder, source, tensors, target):
    """Copies a layer norm."""
    tensors[f"{target}.weight"] = folder.tensor(f"{source}/gamma")
    tensors[f"{target}.bias"] = folder.tensor(f"{source}/beta")


def split_linear(folder, source, tensors, target, parts):
    """Splits a fused projection into `parts`, of q, k, v and o. Whisper's keys have no bias: theirs must be zero."""
    weights = np.split(folder.tensor(f"{source}/weight"), len(parts))
    biases = np.split(folder.tensor(f"{source}/bias"), len(parts))
    for part, weight, bias in zip(parts, weights, biases):
        name = f"{target}.out_proj" if part == "o" else f"{target}.{part}_proj"
        tensors[f"{name}.weight"] = weight
        if part != "k":
            tensors[f"{name}.bias"] = bias
        elif bias.any():
            raise ValueError(f"{source}: expected keys without a bias")


def configuration(folder, special):
    """config.json, from the shapes of the weights."""
    vocabulary, width = folder.variables["decoder/embeddings/weight"].shape
    end = special["<|endoftext|>"]
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "d_model": width,
        "encoder_layers": folder.layers("encoder"),
        "decoder_layers": folder.layers("decoder"),
        "num_hidden_layers": folder.layers("encoder"),
        "encoder_attention_heads": folder.heads(),
        "decoder_attention_heads": folder.heads(),
        "encoder_ffn_dim": 4 * width,
        "decoder_ffn_dim": 4 * width,
        "num_mel_bins": folder.variables["encoder/conv1/weight"].shape[1],
        "max_source_positions": 1_500,
        "max_target_positions": 448,
        "vocab_size": vocabulary,
        "activation_function": "gelu",
        "dropout": 0.0,
        "is_encoder_decoder": True,
        "scale_embedding": False,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": special["<|startoftranscript|>"],
        "dtype": "float32",
        "use_cache": True,
    }


def generation(folder, special):
    """generation_config.json: what is suppressed, and the ids of languages and tasks."""
    end = special["<|endoftext|>"]
    settings = {
        "_from_model_config": False,
        "alignment_heads": folder.config["alignment_heads"],
        "begin_suppress_tokens": folder.config["suppress_ids_begin"],
        "bos_token_id": end,
        "decoder_start_token_id": special["<|startoftranscript|>"],
        "eos_token_id": end,
        "is_multilingual": folder.is_multilingual(),
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "no_timestamps_token_id": special["<|notimestamps|>"],
        "pad_token_id": end,
        "prev_sot_token_id": special["<|startofprev|>"],
        "return_timestamps": False,
        "suppress_tokens": folder.config["suppress_ids"],
    }
    if folder.is_multilingual():
        tasks = {"transcribe": special["<|transcribe|>"], "translate": special["<|translate|>"]}
        first = special["<|startoftranscript|>"] + 1
        languages = {name: number for name, number in special.items() if first <= number < tasks["translate"]}
        settings |= {"lang_to_id": languages, "task_to_id": tasks}
    return settings


def tokenizer(special):
    """tokenizer_config.json."""
    decoder = {
        str(number): {
            "content": name,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for name, number in special.items()
    }
    return {
        "added_tokens_decoder": decoder,
        "additional_special_tokens": [name for name in special if name != "<|endoftext|>"],
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": True,
        "errors": "replace",
        "model_max_length": 1_024,
        "processor_class": "WhisperProcessor",
        "tokenizer_class": "WhisperTokenizer",
    }


def write_safetensors(path, tensors):
    """Writes float32 tensors: the length of a JSON header, the header, then the values one after another."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [offset, offset + values.nbytes],
        }
        offset += values.nbytes
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())
