"""ONNX Runtime on Optimum's graphs, matrix products in dynamic int8, with a bare greedy loop.

Not a product but its floor: timestamps by OpenAI's rules, no fallback, no voice activity.
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
import timestamps  # noqa: E402
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
        self.first_timestamp = settings["no_timestamps_token_id"] + 1
        bins = json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_mel_bins"]
        self.filters = mel.filters(bins)

    def transcribe(self, audio):
        """The text of all windows; where one ends at a timestamp, the next begins."""
        texts, start = [], 0
        while start < len(audio):
            window = audio[start : start + mel.WINDOW_SAMPLES]
            tokens, advance = timestamps.cut(self.window(window), self.first_timestamp, len(window))
            texts.append(self.tokenizer.decode(tokens))
            # A window whose only segment ends where it starts would be met for ever.
            start += advance or len(window)
        return " ".join(texts)

    def window(self, audio):
        """The tokens of one window, timestamps among them."""
        spectrogram = onnxruntime.OrtValue.ortvalue_from_numpy(mel.log_mel(audio, self.filters)[None])
        (states,) = self.encoder.run_with_ort_values(None, {"input_features": spectrogram})
        inputs = {"input_ids": token_values(self.prompt), "encoder_hidden_states": states}
        outputs = dict(zip(self.names[0], self.first.run_with_ort_values(None, inputs)))
        past = {name: outputs[name.replace("past_key_values", "present")] for name in self.past}
        tokens = []
        token = self.choose(outputs["logits"], tokens, self.suppressed_first)
        while token != self.end and len(tokens) < MAX_TOKENS:
            tokens.append(token)
            outputs = self.next.run_with_ort_values(None, {"input_ids": token_values([token])} | past)
            # Only the decoder's own keys and values grow: the encoder's stay those of the first step.
            for name, value in zip(self.names[1], outputs):
                if name.startswith("present"):
                    past[name.replace("present", "past_key_values")] = value
            token = self.choose(outputs[0], tokens, self.suppressed)
        return tokens

    def choose(self, logits, tokens, suppressed):
        """The likeliest token that may come next."""
        scores = logits.numpy()[0, -1].copy()
        scores[suppressed] = -np.inf
        # Languages, tasks and the like, which stand between the end of the text and the timestamps.
        scores[self.end + 1 : self.first_timestamp] = -np.inf
        timestamps.forbid(scores, tokens, self.end, self.first_timestamp)
        return int(scores.argmax())


def token_values(tokens):
    """Tokens as the decoder takes them: [1, tokens]."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.array([tokens], np.int64))


def load(parsed):
    """Loads the graphs."""
    return Whisper(parsed).transcribe


if __name__ == "__main__":
    interface.measure("ONNX Runtime int8", interface.versions("onnxruntime"), PARSED, load)
