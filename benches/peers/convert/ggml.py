"""Writes a whisper.cpp model file with q8_0 weights.

As whisper.cpp's own quantiser does it: two-dimensional weights in blocks of 32 int8 values with a float16 scale,
convolution weights in float16, biases, norms and positions in float32.
"""

import struct

import numpy as np

import hugging_face
import mel

MAGIC = 0x67676D6C
FLOAT32, FLOAT16, Q8_0 = 0, 1, 8
# "Mostly q8_0" is file type 7; the thousands are the version of the quantisation.
FILE_TYPE = 2_007

NAMES = [
    ("model.", ""),
    (".layers.", ".blocks."),
    ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("self_attn_layer_norm", "attn_ln"),
    ("final_layer_norm", "mlp_ln"),
    ("encoder_attn", "cross_attn"),
    ("self_attn", "attn"),
    ("q_proj", "query"),
    ("k_proj", "key"),
    ("v_proj", "value"),
    ("out_proj", "out"),
    ("fc1", "mlp.0"),
    ("fc2", "mlp.2"),
    ("encoder.layer_norm", "encoder.ln_post"),
    ("decoder.layer_norm", "decoder.ln"),
    ("embed_positions.weight", "positional_embedding"),
    ("embed_tokens", "token_embedding"),
]


def write(folder, path):
    """Writes the model of a CTranslate2 folder to `path`."""
    vocabulary, width = folder.variables["decoder/embeddings/weight"].shape
    mel_bins = folder.variables["encoder/conv1/weight"].shape[1]
    sizes = [vocabulary, 1_500, width, folder.heads(), folder.layers("encoder")]
    sizes += [448, width, folder.heads(), folder.layers("decoder"), mel_bins, FILE_TYPE]
    filters = mel.filters(mel_bins)
    with open(path, "wb") as file:
        file.write(struct.pack("<I11i", MAGIC, *sizes))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        tokens = [token_bytes(name) for name in folder.tokens()]
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<i", len(token)) + token)
        for name, values in hugging_face.state(folder).items():
            write_tensor(file, renamed(name), values)


def renamed(name):
    """OpenAI's name of a tensor, from Hugging Face's."""
    for old, new in NAMES:
        name = name.replace(old, new)
    return name


def write_tensor(file, name, values):
    """Writes a tensor in the type that whisper.cpp expects under its name."""
    if name.endswith(("conv1.bias", "conv2.bias")):
        values = values.reshape(-1, 1)
    if values.ndim == 3:
        kind, data = FLOAT16, values.astype(np.float16).tobytes()
    elif values.ndim == 2 and name.endswith("weight"):
        kind, data = Q8_0, q8_0(values)
    else:
        kind, data = FLOAT32, values.tobytes()
    encoded = name.encode("utf-8")
    file.write(struct.pack("<3i", values.ndim, len(encoded), kind))
    file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)) + encoded + data)


def q8_0(values):
    """Blocks of a float16 scale and 32 int8 values."""
    blocks = values.reshape(-1, 32).astype(np.float32)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / 127
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    quantised = np.trunc(blocks * inverse + np.copysign(0.5, blocks)).astype(np.int8)
    packed = np.empty(len(blocks), dtype=[("scale", "<f2"), ("values", "i1", 32)])
    packed["scale"], packed["values"] = scales[:, 0], quantised
    return packed.tobytes()


def token_bytes(name):
    """The bytes that a token stands for: byte-level vocabularies write each byte as a printable character."""
    return bytes(BYTE_OF[character] for character in name)


def bytes_by_character():
    """The printable character for each byte, as GPT-2 chose it, inverted."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + rank): byte for rank, byte in enumerate(others)}


BYTE_OF = bytes_by_character()
