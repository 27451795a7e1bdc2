"""Reads a CTranslate2 Whisper folder: its tensors as NumPy arrays, its configuration and its tokenizer.

The layout of model.bin (version 6): a version, the specification's name and revision, then the variables
(name, rank, dimensions, type, bytes), then aliases of variables under other names. Little endian throughout.
"""

import json
import mmap
import pathlib
import struct

import numpy as np

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


class Folder:
    """A CTranslate2 model folder that holds float16 or float32 weights."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        self.tokenizer = json.loads((self.path / "tokenizer.json").read_text(encoding="utf-8"))
        self.variables = read_variables(self.path / "model.bin")

    def tensor(self, name):
        """A variable as float32."""
        return self.variables[name].astype(np.float32)

    def layers(self, side):
        """How many layers "encoder" or "decoder" has."""
        count = 0
        while f"{side}/layer_{count}/self_attention/linear_0/weight" in self.variables:
            count += 1
        return count

    def heads(self):
        """Attention heads of a layer: Whisper's are 64 wide."""
        return self.tensor("encoder/layer_norm/gamma").shape[0] // 64

    def tokens(self):
        """The text tokens' names in the order of their ids, without the special tokens."""
        special = {token["content"] for token in self.tokenizer["added_tokens"]}
        vocabulary = self.tokenizer["model"]["vocab"]
        names = sorted((name for name in vocabulary if name not in special), key=vocabulary.get)
        if [vocabulary[name] for name in names] != list(range(len(names))):
            raise ValueError(f"{self.path}: expected text tokens numbered from 0 without gaps in tokenizer.json")
        return names

    def special(self):
        """Ids of the special tokens by name."""
        return {token["content"]: token["id"] for token in self.tokenizer["added_tokens"]}

    def is_multilingual(self):
        """Whether the model knows more than English."""
        return self.variables["decoder/embeddings/weight"].shape[0] >= 51_865


def read_variables(path):
    """All variables of a model.bin by name, aliases included."""
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    reader = Reader(data)
    version = reader.number("I")
    if version != 6:
        raise ValueError(f"{path}: expected version 6 of CTranslate2's format, found {version}")
    specification = reader.name()
    if specification != "WhisperSpec":
        raise ValueError(f"{path}: expected a WhisperSpec, found {specification}")
    reader.number("I")
    variables = {}
    for _ in range(reader.number("I")):
        name = reader.name()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind = TYPES[reader.number("B")]
        variables[name] = reader.array(kind, reader.number("I")).reshape(shape)
    for _ in range(reader.number("I")):
        alias, name = reader.name(), reader.name()
        variables[alias] = variables[name]
    return variables


class Reader:
    """A position in a buffer of little-endian values."""

    def __init__(self, data):
        self.data = data
        self.offset = 0

    def number(self, code):
        """The number of struct's type `code` at the position."""
        (value,) = struct.unpack_from("<" + code, self.data, self.offset)
        self.offset += struct.calcsize("<" + code)
        return value

    def name(self):
        """The string at the position: its length with the final zero byte, then its bytes."""
        length = self.number("H")
        text = self.data[self.offset : self.offset + length]
        self.offset += length
        return text.rstrip(b"\0").decode("utf-8")

    def array(self, kind, length_bytes):
        """A flat array of `length_bytes` bytes at the position."""
        values = np.frombuffer(self.data, kind, length_bytes // np.dtype(kind).itemsize, self.offset)
        self.offset += length_bytes
        return values
