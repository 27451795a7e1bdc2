#!/usr/bin/env python3
"""Record what Silero's voice activity network says of some clips: tests/golden/voice.json.

    python3 -m venv venv && . venv/bin/activate
    pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 packaging==26.3 safetensors==0.8.0
    pip install --no-deps silero-vad==6.2.3
    python scripts/make-voice-golden.py \
        --wav 0870=sense_and_sensibility_01_austen_64kb-0870.wav --wav 0880=sense_and_sensibility_01_austen_64kb-0880.wav \
        --out tests/golden/voice.json

The package's plain tensors (silero_vad_16k.safetensors) are of another training than those in its ONNX file for 16 kHz. So the
ONNX graph runs here, in ONNX Runtime, with the plain tensors put in the place of its own. Stretches of speech are made by the
package's own get_speech_timestamps_from_probs. tests/golden/README.md explains the fields.
"""

import argparse
import json
import sys
import wave
from importlib.metadata import files
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import load_file

# The package imports torch, which this function does not need.
with mock.patch.dict(sys.modules, {"torch": mock.MagicMock()}):
    from silero_vad.utils_vad import get_speech_timestamps_from_probs

CHUNK_SAMPLES, CONTEXT_SAMPLES, WIDTH = 512, 64, 128
SETTINGS = [
    {},
    {"min_silence_duration_ms": 500, "speech_pad_ms": 200, "min_speech_duration_ms": 100},
    {"threshold": 0.3, "neg_threshold": 0.1, "min_silence_duration_ms": 30, "speech_pad_ms": 100},
]


def data_file(name):
    return next(Path(file.locate()) for file in files("silero-vad") if file.name == name)


def network():
    """The ONNX graph for 16 kHz with the plain tensors."""
    tensors = load_file(data_file("silero_vad_16k.safetensors"))
    places = {
        "model.stft.forward_basis_buffer": "stft_conv.weight",
        "model.decoder.decoder.2.weight": "final_conv.weight",
        "model.decoder.decoder.2.bias": "final_conv.bias",
    }
    for part in ("weight", "bias"):
        places |= {f"model.encoder.{i}.reparam_conv.{part}": f"conv{i + 1}.{part}" for i in range(4)}
        places |= {f"model.decoder.rnn.{part}_{side}": f"lstm_cell.{part}_{side}" for side in ("ih", "hh")}
    model = onnx.load(data_file("silero_vad_16k_op15.onnx"))
    for initializer in model.graph.initializer:
        tensor = tensors.pop(places.pop(initializer.name))
        assert list(initializer.dims) == list(tensor.shape), initializer.name
        initializer.CopyFrom(numpy_helper.from_array(tensor, initializer.name))
    assert not places and not tensors, (places, list(tensors))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def probabilities(session, samples):
    state = np.zeros((2, 1, WIDTH), np.float32)
    padded = np.concatenate([np.zeros(CONTEXT_SAMPLES), samples, np.zeros(-len(samples) % CHUNK_SAMPLES)])
    padded = padded.astype(np.float32)
    found = []
    for start in range(0, len(padded) - CONTEXT_SAMPLES, CHUNK_SAMPLES):
        feeds = {
            "input": padded[None, start : start + CONTEXT_SAMPLES + CHUNK_SAMPLES],
            "state": state,
            "sr": np.array(16000, np.int64),
        }
        output, state = session.run(None, feeds)
        found.append(float(output[0, 0]))
    return found


def noise(count, level):
    """Numbers from -level to level of a linear congruential generator."""
    values, state = np.zeros(count, np.float32), 1
    for i in range(count):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        values[i] = level * (state / (1 << 31) - 1)
    return values


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def named_path(text):
    name, path = text.split("=", 1)
    return name, Path(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wav", type=named_path, action="append", required=True, metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    clips = {name: read(path) for name, path in args.wav}
    (first, _), *_ = args.wav
    speech = clips[first]
    clips |= {
        "silence": np.zeros(32000, np.float32),
        "noise": noise(32000, 0.05),
        f"{first} in noise": (speech + noise(len(speech), 0.02)).astype(np.float32),
        f"{first} twice, with a pause": np.concatenate([speech, np.zeros(16000, np.float32), speech]),
    }
    session = network()
    golden = {"settings": SETTINGS, "clips": {}}
    for name, samples in clips.items():
        found = probabilities(session, samples)
        stretches = [
            get_speech_timestamps_from_probs(found, audio_length_samples=len(samples), **settings) for settings in SETTINGS
        ]
        golden["clips"][name] = {
            "samples": len(samples),
            "probabilities": [round(value, 5) for value in found],
            "speech": [[[stretch["start"], stretch["end"]] for stretch in of_settings] for of_settings in stretches],
        }
        print(name, len(found), f"{min(found):.4f} {max(found):.4f}", golden["clips"][name]["speech"])
    args.out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
