"""ONNX Runtime on Optimum's graphs, matrix products in dynamic int8, with a bare greedy loop.

Not a product but its floor: no timestamps, and long audio is cut every 30 s, through words where they fall there.
"""

import json
import pathlib
import sys

import interface

PARSED = interface.arguments()

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "convert"))

import mel  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

# As many as OpenAI's decoder samples for one window.
MAX_TOKENS = 224


class Whisper:
    """Encoder, the decoder's first step, and its further steps, as three graphs."""

    def __init__(self, parsed):
        folder = parsed.folder / "onnx-int8"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = parsed.threads
        options.inter_op_num_threads = 1
        self.encoder, self.first, self.next = (
            onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
            for name in ("encoder_model", "decoder_model", "decoder_with_past_model")
        )
        self.names = [[output.name for output in graph.get_outputs()] for graph in (self.first, self.next)]
        self.past = [value.name for value in self.next.get_inputs() if value.name.startswith("past_key_values")]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        settings = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
        self.end = settings["eos_token_id"]
        self.suppressed = settings["suppress_tokens"]
        self.suppressed_first = self.suppressed + settings["begin_suppress_tokens"]
        self.prompt = [settings["decoder_start_token_id"]]
        if settings["is_multilingual"]:
            self.prompt += [settings["lang_to_id"]["<|en|>"], settings["task_to_id"]["transcribe"]]
        self.prompt += [settings["no_timestamps_token_id"]]
        self.first_timestamp = settings["no_timestamps_token_id"] + 1
        bins = json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_mel_bins"]
        self.filters = mel.filters(bins)

    def transcribe(self, audio):
        """The text of all 30 s windows."""
        windows = range(0, len(audio), mel.WINDOW_SAMPLES)
        return " ".join(self.window(audio[start : start + mel.WINDOW_SAMPLES]) for start in windows)

    def window(self, audio):
        """The text of one window."""
        spectrogram = onnxruntime.OrtValue.ortvalue_from_numpy(mel.log_mel(audio, self.filters)[None])
        (states,) = self.encoder.run_with_ort_values(None, {"input_features": spectrogram})
        inputs = {"input_ids": token_values(self.prompt), "encoder_hidden_states": states}
        outputs = dict(zip(self.names[0], self.first.run_with_ort_values(None, inputs)))
        past = {name: outputs[name.replace("past_key_values", "present")] for name in self.past}
        tokens = [self.choose(outputs["logits"], self.suppressed_first)]
        while tokens[-1] != self.end and len(tokens) < MAX_TOKENS:
            outputs = self.next.run_with_ort_values(None, {"input_ids": token_values(tokens[-1:])} | past)
            # Only the decoder's own keys and values grow: the encoder's stay those of the first step.
            for name, value in zip(self.names[1], outputs):
                if name.startswith("present"):
                    past[name.replace("present", "past_key_values")] = value
            tokens.append(self.choose(outputs[0], self.suppressed))
        return self.tokenizer.decode(tokens)

    def choose(self, logits, suppressed):
        """The likeliest token that is text or the end."""
        scores = logits.numpy()[0, -1, : self.first_timestamp].copy()
        scores[suppressed] = -np.inf
        return int(scores.argmax())


def token_values(tokens):
    """Tokens as the decoder takes them: [1, tokens]."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.array([tokens], np.int64))


def load(parsed):
    """Loads the graphs."""
    return Whisper(parsed).transcribe


if __name__ == "__main__":
    interface.measure("ONNX Runtime int8", interface.versions("onnxruntime"), PARSED, load)
