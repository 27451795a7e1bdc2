#!/usr/bin/env python3
"""Record what openai/whisper computes with the weights of a CTranslate2 folder: tests/golden/*.json.

    python3 -m venv venv && . venv/bin/activate
    pip install numpy==2.4.6 openai-whisper==20250625 torch==2.15.0 ctranslate2==4.8.5
    python scripts/make-golden.py speech --model tiny.en=DIR --model base=DIR \
        --wav 0870=sense_and_sensibility_01_austen_64kb-0870.wav --wav 0880=sense_and_sensibility_01_austen_64kb-0880.wav \
        --out tests/golden
    python scripts/make-golden.py toy --model toy=tests/data/toy --out tests/golden

The network runs in PyTorch in float32 from the float16 weights; the log-mel is computed in float64. CTranslate2 decodes
the same window from the same folder, and a recording is refused when the two disagree about a token.
tests/golden/README.md explains the fields.
"""

import argparse
import json
import struct
import wave
from pathlib import Path
from types import SimpleNamespace

import ctranslate2
import numpy as np
import torch
from whisper.audio import mel_filters
from whisper.decoding import ApplyTimestampRules, SuppressBlank, SuppressTokens
from whisper.model import ModelDimensions, Whisper
from whisper.timing import add_word_timestamps, find_alignment
from whisper.tokenizer import Tokenizer

WINDOW_SAMPLES = 480000
STEPS_WITH_LOGITS = 20
MAX_TOKENS = 224
TONES_HZ = [300.0, 500.0, 800.0, 1300.0, 2100.0]


# --- weights --------------------------------------------------------------------------------------------------------


def read_ctranslate2(path):
    """Variables of a CTranslate2 model.bin of version 6: name -> numpy array."""
    data, at = path.read_bytes(), 0

    def number(code):
        nonlocal at
        value = struct.unpack_from("<" + code, data, at)[0]
        at += struct.calcsize(code)
        return value

    def text():
        nonlocal at
        size = number("H")
        value = data[at : at + size - 1].decode()
        at += size
        return value

    version, name, revision = number("I"), text(), number("I")
    assert (version, name, revision) == (6, "WhisperSpec", 3), (version, name, revision)
    types = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
    variables = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = types[number("B")], number("I")
        variables[name] = np.frombuffer(data, kind, size // np.dtype(kind).itemsize, at).reshape(shape)
        at += size
    return variables


def build_model(variables):
    """openai/whisper's PyTorch model holding these variables in float32."""
    layers = lambda side: len(
        {name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_")} - {"layer_norm"}
    )
    width, mels, _ = variables["encoder/conv1/weight"].shape
    vocabulary = len(variables["decoder/embeddings/weight"])
    audio, text = (len(variables[f"{side}/position_encodings/encodings"]) for side in ("encoder", "decoder"))
    heads = [int(variables[f"{side}/num_heads"]) for side in ("encoder", "decoder")]
    dims = ModelDimensions(
        mels, audio, width, heads[0], layers("encoder"), vocabulary, text, width, heads[1], layers("decoder")
    )
    state = {}
    get = lambda name: torch.from_numpy(variables[name].astype(np.float32))

    def linear(source, *targets):
        weights, biases = get(f"{source}/weight").split(width), get(f"{source}/bias").split(width)
        if len(targets) == 1:
            weights, biases = [get(f"{source}/weight")], [get(f"{source}/bias")]
        for target, weight, bias in zip(targets, weights, biases, strict=True):
            state[f"{target}.weight"] = weight
            if target.endswith(".key"):
                assert not bias.any(), f"{source}: a key has a bias"
            else:
                state[f"{target}.bias"] = bias

    def norm(source, target):
        state[f"{target}.weight"], state[f"{target}.bias"] = get(f"{source}/gamma"), get(f"{source}/beta")

    for side, count in (("encoder", layers("encoder")), ("decoder", layers("decoder"))):
        for index in range(count):
            source, target = f"{side}/layer_{index}", f"{side}.blocks.{index}"
            norm(f"{source}/self_attention/layer_norm", f"{target}.attn_ln")
            linear(f"{source}/self_attention/linear_0", *(f"{target}.attn.{x}" for x in ("query", "key", "value")))
            linear(f"{source}/self_attention/linear_1", f"{target}.attn.out")
            if side == "decoder":
                norm(f"{source}/attention/layer_norm", f"{target}.cross_attn_ln")
                linear(f"{source}/attention/linear_0", f"{target}.cross_attn.query")
                linear(f"{source}/attention/linear_1", f"{target}.cross_attn.key", f"{target}.cross_attn.value")
                linear(f"{source}/attention/linear_2", f"{target}.cross_attn.out")
            norm(f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
            linear(f"{source}/ffn/linear_0", f"{target}.mlp.0")
            linear(f"{source}/ffn/linear_1", f"{target}.mlp.2")
        state[f"{side}.positional_embedding"] = get(f"{side}/position_encodings/encodings")
    for name in ("conv1", "conv2"):
        state[f"encoder.{name}.weight"], state[f"encoder.{name}.bias"] = (
            get(f"encoder/{name}/weight"),
            get(f"encoder/{name}/bias"),
        )
    norm("encoder/layer_norm", "encoder.ln_post")
    norm("decoder/layer_norm", "decoder.ln")
    state["decoder.token_embedding.weight"] = get("decoder/embeddings/weight")
    model = Whisper(dims)
    model.load_state_dict(state)
    return model.eval()


def read_tokens(folder):
    """What the rules of decoding need to know about the vocabulary."""
    listed = folder / "vocabulary.json"
    if listed.exists():
        vocabulary = json.loads(listed.read_text())
    else:
        vocabulary = (folder / "vocabulary.txt").read_text().split("\n")[:-1]
    ids = {token: index for index, token in enumerate(vocabulary)}
    languages = [token for token in vocabulary[ids["<|startoftranscript|>"] + 1 : ids["<|translate|>"]]]
    multilingual = "<|transcribe|>" in ids and ids["<|endoftext|>"] != 50256
    return SimpleNamespace(
        vocabulary=vocabulary,
        ids=ids,
        eot=ids["<|endoftext|>"],
        sot=ids["<|startoftranscript|>"],
        no_speech=ids.get("<|nospeech|>", ids.get("<|nocaptions|>")),
        no_timestamps=ids["<|notimestamps|>"],
        timestamp_begin=ids["<|0.00|>"],
        languages=[token[2:-2] for token in languages] if multilingual else [],
        encode=lambda text: [ids["Ġ"]] if text == " " else None,
    )


def text_of(tokens, vocabulary):
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    spelling = {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(rest)}
    data = bytes(spelling[c] for token in tokens for c in vocabulary[token])
    return data.decode("utf-8", "replace")


# --- numbers --------------------------------------------------------------------------------------------------------


def log_mel(samples):
    """Log-mel (80, 3000) of one zero-padded window in float64, by openai/whisper's log_mel_spectrogram."""
    audio = np.zeros(WINDOW_SAMPLES)
    audio[: len(samples)] = samples
    padded = np.pad(audio, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160][:3000]
    power = np.abs(np.fft.rfft(frames * window, axis=-1)) ** 2
    logs = np.log10(np.maximum(power @ mel_filters("cpu", 80).numpy().astype(np.float64).T, 1e-10)).T
    logs = np.maximum(logs, logs.max() - 8.0)
    return (logs + 4.0) / 4.0


def rounded(array):
    return [float(f"{value:.6g}") for value in np.asarray(array, dtype=np.float64).reshape(-1)]


def subset(array, rows, columns):
    """A table of some rows and columns of a matrix, row by row."""
    rows, columns = [int(r) for r in rows], [int(c) for c in columns]
    return {"rows": rows, "columns": columns, "values": rounded(array[np.ix_(rows, columns)])}


def record_mel(samples, stride=7):
    mel = log_mel(samples).T
    speech_frames = min(3000, len(samples) // 160 + 3)
    frames = [*range(0, speech_frames, stride), *range(speech_frames, 3000, 211), 2999]
    table = subset(mel, sorted(set(frames)), range(0, 80, 3))
    return {
        "samples": len(samples),
        "shape": [3000, 80],
        "max": rounded(mel.max())[0],
        "min": rounded(mel.min())[0],
    } | table


def record_encoder(states, samples):
    states = states[0].numpy()
    end = min(1500, samples // 320 + 1)
    positions = sorted({*range(0, end, 13), *range(end, 1500, 149), 1499})
    return {"shape": list(states.shape)} | subset(states, positions, range(0, states.shape[1], 31))


@torch.no_grad()
def record_greedy(model, states, prompt, tokens, config, logit_stride):
    """Greedy decoding with timestamps: openai/whisper's logit filters, its loop written out."""
    filters = [SuppressBlank(tokens, len(prompt)), SuppressTokens(config["suppress_ids"])]
    filters.append(ApplyTimestampRules(tokens, len(prompt), 50))
    written, steps, total = [], [], 0.0
    no_speech = None
    while len(written) < MAX_TOKENS:
        context = torch.tensor([prompt + written])
        logits = model.decoder(context, states)
        if no_speech is None:
            no_speech = float(logits[0, prompt.index(tokens.sot)].softmax(-1)[tokens.no_speech])
        logits = logits[:, -1]
        raw = logits[0].numpy().copy()
        for each in filters:
            each.apply(logits, context)
        token = int(logits[0].argmax())
        total += float(logits[0].log_softmax(-1)[token])
        if len(steps) < STEPS_WITH_LOGITS:
            top = np.argsort(-raw)[:5]
            steps.append(
                {
                    "token": token,
                    "top": [[int(i), rounded(raw[i])[0]] for i in top],
                    "logits": rounded(raw[::logit_stride]),
                }
            )
        written.append(token)
        if token == tokens.eot:
            break
    return {
        "prompt": prompt,
        "tokens": written,
        "text": text_of([t for t in written if t < tokens.eot], tokens.vocabulary),
        "sum_log_probability": rounded(total)[0],
        "no_speech_probability": rounded(no_speech)[0],
        "logit_stride": logit_stride,
        "steps": steps,
    }


def segments_of(written, tokens):
    """Segments (start, end, text) between timestamps; the end is null where no timestamp closes the text."""
    found, start, text = [], None, []
    for token in written:
        if token >= tokens.timestamp_begin:
            time = round((token - tokens.timestamp_begin) * 0.02, 2)
            if text:
                found.append({"start": start, "end": time, "text": text_of(text, tokens.vocabulary)})
                text = []
            start = time
        elif token < tokens.eot:
            text.append(token)
    if text:
        found.append({"start": start, "end": None, "text": text_of(text, tokens.vocabulary)})
    return found


def record_words(model, mel, samples, prompt, written, tokens, config):
    """Tokens and words with their times, by openai/whisper's timing.py, with the folder's alignment heads."""
    heads = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
    for layer, head in config["alignment_heads"]:
        heads[layer, head] = True
    model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    segments, start, text = [], 0.0, []
    for token in [*written, tokens.timestamp_begin + round(len(samples) / 320)]:
        if token >= tokens.timestamp_begin:
            time = (token - tokens.timestamp_begin) * 0.02
            if text:
                segments.append({"seek": 0, "start": start, "end": time, "tokens": text})
                text = []
            start = time
        elif token < tokens.eot:
            text.append(token)
    # openai/whisper's own splitting, over a vocabulary that need not be one of its own.
    splitter = SimpleNamespace(
        sot_sequence=prompt,
        no_timestamps=tokens.no_timestamps,
        eot=tokens.eot,
        decode_with_timestamps=lambda ids: text_of([t for t in ids if t < tokens.eot], tokens.vocabulary),
    )
    splitter.split_tokens_on_unicode = lambda ids: Tokenizer.split_tokens_on_unicode(splitter, ids)
    splitter.split_to_word_tokens = lambda ids: Tokenizer.split_tokens_on_spaces(splitter, ids)
    mel, frames = torch.from_numpy(mel.astype(np.float32)), len(samples) // 160
    all_tokens = [token for segment in segments for token in segment["tokens"]]
    add_word_timestamps(
        segments=segments, model=model, tokenizer=splitter, mel=mel, num_frames=frames, last_speech_timestamp=0.0
    )
    splitter.split_to_word_tokens = lambda ids: ([str(t) for t in ids], [[t] for t in ids])
    timings = find_alignment(model, splitter, all_tokens, mel, frames)
    return {
        "tokens": [[int(t.tokens[0]), round(float(t.start), 2), rounded(t.probability)[0]] for t in timings],
        "end": round(float(timings[-1].end), 2) if timings else 0.0,
        "words": [
            [[w["word"], round(float(w["start"]), 2), round(float(w["end"]), 2), rounded(w["probability"])[0]] for w in s["words"]]
            for s in segments
        ],
    }


@torch.no_grad()
def record_languages(model, states, tokens):
    """Probability of each of the three likeliest languages, over the language tokens alone."""
    logits = model.decoder(torch.tensor([[tokens.sot]]), states)[0, 0]
    ids = torch.tensor([tokens.ids[f"<|{code}|>"] for code in tokens.languages])
    probabilities = logits[ids].softmax(-1)
    top = probabilities.argsort(descending=True)[:3]
    return {tokens.languages[i]: rounded(probabilities[i])[0] for i in top.tolist()}


def check_with_ctranslate2(folder, mel, recorded, tokens):
    engine = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None].astype(np.float32)))
    result = engine.generate(
        features,
        [recorded["prompt"]],
        beam_size=1,
        max_length=MAX_TOKENS,
        return_no_speech_prob=True,
        return_scores=True,
        suppress_blank=True,
    )[0]
    theirs = [t for t in result.sequences_ids[0] if t != tokens.eot]
    ours = [t for t in recorded["tokens"] if t != tokens.eot]
    assert theirs == ours, f"CTranslate2 wrote {theirs}, PyTorch {ours}"
    assert abs(result.no_speech_prob - recorded["no_speech_probability"]) < 1e-3, result.no_speech_prob


def open_model(folder):
    model = build_model(read_ctranslate2(folder / "model.bin"))
    return model, read_tokens(folder), json.loads((folder / "config.json").read_text())


def save(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


# --- speech ---------------------------------------------------------------------------------------------------------


def read_wav(path):
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def record_speech(args):
    wavs = {name: read_wav(path) for name, path in args.wav}
    for clip, samples in wavs.items():
        save(args.out / f"{clip}.mel.json", record_mel(samples))
    for name, folder in args.model:
        model, tokens, config = open_model(folder)
        for clip, samples in wavs.items():
            mel = log_mel(samples)
            with torch.no_grad():
                states = model.encoder(torch.from_numpy(mel[None].astype(np.float32)))
            prompt = [tokens.sot]
            if tokens.languages:
                prompt += [tokens.ids["<|en|>"], tokens.ids["<|transcribe|>"]]
            greedy = record_greedy(model, states, prompt, tokens, config, 307)
            check_with_ctranslate2(folder, mel, greedy, tokens)
            whole = model.transcribe(samples, temperature=0, condition_on_previous_text=False, fp16=False)
            content = {
                "model": name,
                "samples": len(samples),
                "encoder": record_encoder(states, len(samples)),
                "languages": record_languages(model, states, tokens) if tokens.languages else {},
                "greedy": greedy,
                "segments": segments_of(greedy["tokens"], tokens),
                "alignment": record_words(model, mel, samples, prompt, greedy["tokens"], tokens, config),
                "transcribe": {
                    "language": whole["language"],
                    "segments": [
                        {"start": round(s["start"], 2), "end": round(s["end"], 2), "text": s["text"]}
                        for s in whole["segments"]
                    ],
                },
            }
            save(args.out / f"{clip}.{name}.json", content)
            print(
                json.dumps(
                    [content["languages"], content["segments"], content["transcribe"], greedy["tokens"]],
                    ensure_ascii=False,
                )
            )


# --- toy ------------------------------------------------------------------------------------------------------------


TOY_CLIPS = {
    "toy-en": {
        "language": "en",
        "task": "transcribe",
        "samples": 160000,
        "level": 0.3,
        "noise": 0.0,
        "phrases": [[0.5, [0, 1, 2]], [3.0, [3]], [5.4, [4, 3, 2, 1]], [8.6, [0, 2]]],
    },
    "toy-de-cut": {
        "language": "de",
        "task": "transcribe",
        "samples": 480000,
        "level": 0.2,
        "noise": 0.002,
        "phrases": [
            [0.3, [4, 0]],
            [4.0, [1, 2, 3]],
            [9.5, [4]],
            [17.2, [3, 1, 4, 0]],
            [24.6, [2, 1]],
            [29.0, [0, 4, 2]],
        ],
    },
    "toy-de-translate": {
        "language": "de",
        "task": "translate",
        "samples": 96000,
        "level": 0.4,
        "noise": 0.001,
        "phrases": [[0.0, [0, 1, 2, 3]], [3.4, [4, 2]]],
    },
    "toy-silence": {
        "language": "en",
        "task": "transcribe",
        "samples": 80000,
        "level": 0.0,
        "noise": 0.003,
        "phrases": [],
    },
}


def synthesise(clip):
    """The clip's samples, by the formula of tests/data/toy/README.md."""
    audio = np.zeros(clip["samples"])
    state = 1
    for i in range(len(audio)):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        audio[i] = clip["noise"] * (state / (1 << 31) - 1)
    n = np.arange(4800)
    edge = np.minimum(1, np.minimum(n + 1, 4800 - n) / 160)
    for start, tones in clip["phrases"]:
        for index, tone in enumerate(tones):
            turn = 2 * np.pi * TONES_HZ[tone] * n / 16000
            shape = np.sin(turn) if clip["language"] == "en" else 0.8 * np.sin(turn) + 0.4 * np.sin(3 * turn)
            first = round(16000 * start) + 6400 * index
            count = max(0, min(4800, len(audio) - first))
            audio[first : first + count] += (clip["level"] * edge * shape)[:count]
    return audio.astype(np.float32)


def record_toy(args):
    ((_, folder),) = args.model
    model, tokens, config = open_model(folder)
    for name, clip in TOY_CLIPS.items():
        samples = synthesise(clip)
        mel = log_mel(samples)
        with torch.no_grad():
            states = model.encoder(torch.from_numpy(mel[None].astype(np.float32)))
        prompt = [tokens.sot, tokens.ids[f"<|{clip['language']}|>"], tokens.ids[f"<|{clip['task']}|>"]]
        greedy = record_greedy(model, states, prompt, tokens, config, 37)
        check_with_ctranslate2(folder, mel, greedy, tokens)
        content = {
            "clip": clip,
            "sample_stride": 4001,
            "every_sample": rounded(samples[::4001]),
            "mel": record_mel(samples, 40),
            "encoder": record_encoder(states, min(len(samples), 160000)),
            "languages": record_languages(model, states, tokens),
            "greedy": greedy,
            "segments": segments_of(greedy["tokens"], tokens),
            "alignment": record_words(model, mel, samples, prompt, greedy["tokens"], tokens, config),
        }
        save(args.out / f"{name}.json", content)
        print(
            json.dumps([content["languages"], greedy["no_speech_probability"], content["segments"]], ensure_ascii=False)
        )


def named_path(text):
    name, path = text.split("=", 1)
    return name, Path(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speech", "toy"])
    parser.add_argument("--model", type=named_path, action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--wav", type=named_path, action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    {"speech": record_speech, "toy": record_toy}[args.what](args)


if __name__ == "__main__":
    main()
