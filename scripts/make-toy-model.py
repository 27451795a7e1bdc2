#!/usr/bin/env python3
"""Train the toy Whisper in tests/data/toy: Whisper's architecture and token layout, hearing beeps instead of speech.

    python3 -m venv venv && . venv/bin/activate
    pip install numpy==2.4.6 openai-whisper==20250625 torch==2.15.0
    python scripts/make-toy-model.py --out FOLDER --checkpoint FILE [--resume FILE] --seed … --rate … --stages …

The data are synthetic and drawn from a fixed seed (tests/data/toy/README.md says how the audio is made); the weights are
rounded to float16 before the last evaluation. Without `--stages` the model is untrained, in the same format. The
committed weights come from a series of runs, each resuming from the checkpoint of the one before:

    --seed 7 --rate 3e-3 --stages '[{"steps": 1200, "batches": [[24, 150]], "spread": 0.01}, {"steps": 800, "batches": [[16, 300]], "spread": 0.01}]'
    --seed 8 --rate 2e-3 --stages '[{"steps": 500, "batches": [[8, 700]], "spread": 0.01}, {"steps": 500, "batches": [[4, 1500]], "spread": 0.01}]'
    --seed 9 --rate 2e-3 --stages '[{"steps": 1000, "batches": [[4, 1500], [12, 350]], "spread": 0.01}]'
    --seed 11 --rate 1.5e-3 --stages '[{"steps": 1000, "batches": [[4, 1500], [10, 350]], "spread": 0.01}]'

The first two runs drew up to five beeps a phrase, with repeats, and ended before their learning rate had come down to
zero; shifted input timestamps and phrases cut at the window's end came only with the last. So the same commands give
another model of the same kind, not the same bytes. The alignment heads in config.json are those of the committed weights
whose attention, where a word is predicted, lies on its beep.
"""

import argparse
import json
import math
import multiprocessing
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from whisper.audio import mel_filters
from whisper.model import ModelDimensions, Whisper

SAMPLE_RATE = 16000
SAMPLES_PER_POSITION = 320
POSITIONS = 1500
WIDTH, HEADS, LAYERS, TEXT_POSITIONS = 48, 2, 2, 448

TONES_HZ = [300.0, 500.0, 800.0, 1300.0, 2100.0]
WORDS = {
    "en": [["Ġdo"], ["Ġre"], ["Ġmi"], ["Ġfa"], ["Ġso"]],
    "de": [["Ġeins"], ["Ġzwei"], ["Ġdrei"], ["Ġvier"], ["Ġf", "Ã", "¼", "nf"]],
}
BEEP_S, GAP_S, MAX_BEEPS = 0.30, 0.10, 4


def byte_spelling():
    """The 256 characters that stand for bytes, in the id order of GPT-2's vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def make_vocabulary():
    pieces = byte_spelling()
    for word in [*WORDS["en"], *WORDS["de"]]:
        pieces += [piece for piece in word if piece not in pieces]
    special = ["endoftext", "startoftranscript", "en", "de", "translate", "transcribe", "startoflm", "startofprev"]
    special += ["nospeech", "notimestamps", *(f"{i * 0.02:.2f}" for i in range(POSITIONS + 1))]
    return pieces + [f"<|{name}|>" for name in special]


VOCABULARY = make_vocabulary()
ID = {token: index for index, token in enumerate(VOCABULARY)}
END, START, NO_SPEECH, TIME0 = (ID[f"<|{name}|>"] for name in ("endoftext", "startoftranscript", "nospeech", "0.00"))
LAST_FIRST_TIME = TIME0 + 50
WORD_IDS = {code: [[ID[piece] for piece in word] for word in words] for code, words in WORDS.items()}


def make_config():
    special = ["startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech"]
    symbols = [ID[c] for c in '"#()*+/:;<=>@[\\]^_`{|}~']
    return {
        "alignment_heads": [[0, 1], [1, 0]],
        "lang_ids": [ID["<|en|>"], ID["<|de|>"]],
        "suppress_ids": sorted(symbols + [ID[f"<|{name}|>"] for name in special]),
        "suppress_ids_begin": [ID["Ġ"], END],
    }


# --- audio ----------------------------------------------------------------------------------------------------------


@dataclass
class Beep:
    start: int
    length: int
    tone: int


@dataclass
class Clip:
    """A window's audio: phrases of beeps, and how they sound."""

    samples: int
    phrases: list
    language: str
    level: float = 0.3
    noise: float = 0.0
    detune: float = 1.0
    ramp: int = 160
    silence_from: int = 1 << 30
    noise_seed: int = 0
    phases: np.ndarray = field(default_factory=lambda: np.zeros(64))

    def render(self):
        rng = np.random.default_rng(self.noise_seed)
        audio = np.zeros(self.samples, np.float32)
        if self.noise > 0:
            audio += self.noise * rng.standard_normal(self.samples, dtype=np.float32)
            audio[min(self.silence_from, self.samples) :] = 0
        beeps = [beep for phrase in self.phrases for beep in phrase]
        for beep, phase in zip(beeps, np.resize(self.phases, len(beeps))):
            n = np.arange(beep.length)
            turn = 2 * np.pi * TONES_HZ[beep.tone] * self.detune * n / SAMPLE_RATE + phase
            wave = np.sin(turn) if self.language == "en" else 0.8 * np.sin(turn) + 0.4 * np.sin(3 * turn)
            edge = np.minimum(1, np.minimum(n + 1, beep.length - n) / self.ramp)
            low, high = max(0, beep.start), min(self.samples, beep.start + beep.length)
            if low < high:
                audio[low:high] += (self.level * wave * edge)[low - beep.start : high - beep.start]
        return audio


def log_mel(audio):
    """Log-mel of a batch (batch, samples) -> (batch, 80, frames), as openai/whisper computes each of them."""
    window = torch.hann_window(400)
    power = torch.stft(audio, 400, 160, window=window, return_complex=True)[..., :-1].abs() ** 2
    logs = (mel_filters("cpu", 80) @ power).clamp(min=1e-10).log10()
    logs = torch.maximum(logs, logs.amax(dim=(1, 2), keepdim=True) - 8.0)
    return (logs + 4.0) / 4.0


def draw_clip(rng, positions, at_start, at_end, spread):
    """A random clip of `positions` x 20 ms; it may be cut at the window's start or end where these are the window's."""
    samples = positions * SAMPLES_PER_POSITION
    level = 10 ** rng.uniform(-1.3, -0.2)
    clip = Clip(
        samples=samples,
        phrases=[],
        language="en" if rng.random() < 0.5 else "de",
        level=level,
        noise=0.0 if rng.random() < 0.3 else level * 10 ** rng.uniform(-3.5, -1.3),
        detune=rng.uniform(0.99, 1.01),
        ramp=int(rng.integers(40, 240)),
        noise_seed=int(rng.integers(1 << 31)),
        phases=rng.uniform(0, 2 * np.pi, 64),
    )
    if rng.random() < 0.08:
        return clip

    def seconds(low, high):
        return int(SAMPLE_RATE * rng.uniform(low, high))

    def pause():
        return seconds(0.8, 2.0) if rng.random() < 0.6 else seconds(0.8, 8.0)

    style = rng.random()
    if at_start and style < 0.15:
        cursor = -seconds(0.0, 0.3)
    elif at_start and style < 0.4:
        cursor = 0
    else:
        cursor = seconds(0.0, 1.0) if rng.random() < 0.6 else seconds(0.0, samples / SAMPLE_RATE)
    while True:
        phrase = []
        for tone in rng.permutation(len(TONES_HZ))[: int(rng.integers(1, MAX_BEEPS + 1))]:
            length = int(SAMPLE_RATE * (BEEP_S + spread * rng.uniform(-1, 1)))
            phrase.append(Beep(cursor, length, int(tone)))
            cursor += length + int(SAMPLE_RATE * (GAP_S + 0.6 * spread * rng.uniform(-1, 1)))
        if phrase[-1].start + phrase[-1].length > samples - (0 if at_end else 4800):
            break
        clip.phrases.append(phrase)
        if rng.random() < 0.1:
            break
        cursor += pause()
    if at_end and phrase[-1].start + phrase[-1].length > samples and rng.random() < 0.8:
        visible = [beep for beep in phrase if beep.start < samples - 2400]
        if visible and not samples < visible[-1].start + visible[-1].length <= samples + 800:
            clip.phrases.append(visible)
    if clip.phrases and rng.random() < 0.4:
        last = clip.phrases[-1][-1]
        clip.silence_from = last.start + last.length + seconds(0, 2)
    return clip


def heard(clip):
    """What is to be written: a list of (start, end or None, tones), times in 20 ms steps of the clip."""
    spans = []
    for phrase in clip.phrases:
        phrase = [b for b in phrase if min(b.start + b.length, clip.samples) - max(b.start, 0) >= 2000]
        if not phrase:
            continue
        start = max(0, phrase[0].start)
        end = phrase[-1].start + phrase[-1].length
        tones = [beep.tone for beep in phrase]
        step = SAMPLES_PER_POSITION
        spans.append((round(start / step), None if end > clip.samples + 160 else round(end / step), tones))
    return spans


def write_tokens(spans, language, offset=0):
    """Text tokens after the prompt, in Whisper's layout."""
    tokens = []
    for start, end, tones in spans:
        tokens.append(TIME0 + offset + start)
        if end is None and len(spans) > 1:
            break
        for tone in tones:
            tokens += WORD_IDS[language][tone]
        if end is not None:
            tokens.append(TIME0 + offset + end)
    return (tokens or [TIME0]) + [END]


def draw_batch(rng, size, positions, spread):
    clips, offsets, inputs, targets = [], [], [], []
    for _ in range(size):
        where = rng.random()
        room = POSITIONS - positions
        offset = 0 if where < 0.3 else room if where < 0.55 else int(rng.integers(0, room + 1))
        clip = draw_clip(rng, positions, offset == 0, offset == room, spread)
        spans = heard(clip)
        translate = rng.random() < 0.15
        prompt_language = clip.language if rng.random() < 0.85 else ("en" if rng.random() < 0.5 else "de")
        tokens = write_tokens(spans, "en" if translate else prompt_language, offset)
        prompt = [START, ID[f"<|{prompt_language}|>"], ID["<|translate|>" if translate else "<|transcribe|>"]]
        target = [ID[f"<|{clip.language}|>"] if spans else NO_SPEECH, -1, *tokens]
        shown = list(tokens[:-1])
        if shown[0] > LAST_FIRST_TIME and rng.random() < 0.5:
            shown[0] = LAST_FIRST_TIME if rng.random() < 0.7 else int(rng.integers(TIME0, LAST_FIRST_TIME + 1))
        # Its own timestamps are off by a step at times; the text after them must not suffer from that.
        for i, token in enumerate(shown):
            if TIME0 < token < TIME0 + POSITIONS and rng.random() < 0.25:
                shown[i] = token + int(rng.integers(-1, 2))
        clips.append(clip)
        offsets.append(offset)
        inputs.append(prompt + shown)
        targets.append(target)
    longest = max(map(len, inputs))
    pad = lambda rows, value: torch.tensor([row + [value] * (longest - len(row)) for row in rows])
    audio = torch.from_numpy(np.stack([clip.render() for clip in clips]))
    return log_mel(audio), torch.tensor(offsets), pad(inputs, END), pad(targets, -1)


# --- model ----------------------------------------------------------------------------------------------------------


def make_model():
    dims = ModelDimensions(80, POSITIONS, WIDTH, HEADS, LAYERS, len(VOCABULARY), TEXT_POSITIONS, WIDTH, HEADS, LAYERS)
    model = Whisper(dims)
    encoder, decoder = model.encoder, model.decoder
    with torch.no_grad():
        encoder.positional_embedding.copy_(encoder.positional_embedding.half())
        decoder.token_embedding.weight.normal_(std=0.4)
        # Timestamps start where the encoder's positions are, so that pointing at a position is easy to learn.
        decoder.token_embedding.weight[TIME0 : TIME0 + POSITIONS] = 0.5 * encoder.positional_embedding
        decoder.token_embedding.weight[TIME0 + POSITIONS] = decoder.token_embedding.weight[TIME0 + POSITIONS - 1]
        decoder.positional_embedding.normal_(std=0.1)
        # Attention starts out looking for what resembles itself: nearby positions, and the place a timestamp names.
        for block in encoder.blocks:
            block.attn.key.weight.copy_(block.attn.query.weight)
        for block in decoder.blocks:
            block.cross_attn.query.weight.mul_(2)
            block.cross_attn.key.weight.copy_(block.cross_attn.query.weight)
            block.cross_attn.out.weight.copy_(block.cross_attn.value.weight.T)
    return model


def encode(model, mel, offsets):
    """The encoder on a part of the window that begins at position `offsets[i]`."""
    encoder = model.encoder
    x = F.gelu(encoder.conv1(mel))
    x = F.gelu(encoder.conv2(x)).permute(0, 2, 1)
    rows = offsets[:, None] + torch.arange(x.shape[1])
    x = x + encoder.positional_embedding[rows]
    for block in encoder.blocks:
        x = block(x)
    return encoder.ln_post(x)


def loss_of(model, batch):
    mel, offsets, inputs, targets = batch
    logits = model.decoder(inputs, encode(model, mel, offsets))
    logs = logits.log_softmax(-1)
    known = targets >= 0
    logs, targets = logs[known], targets[known]
    exact = logs.gather(1, targets[:, None])[:, 0]
    is_time = targets >= TIME0
    before = logs.gather(1, (targets - 1).clamp(min=TIME0)[:, None])[:, 0]
    after = logs.gather(1, (targets + 1).clamp(max=TIME0 + POSITIONS)[:, None])[:, 0]
    loss = torch.where(is_time, 0.8 * exact + 0.1 * before + 0.1 * after, exact)
    first = torch.zeros_like(known)
    first[:, 2] = True
    late = first[known] & is_time & (targets > LAST_FIRST_TIME)

    def right():
        """Shares of right guesses by kind of target, with the true tokens before them."""
        guess = logs.argmax(-1)
        opening = first[known]
        kinds = {"first": opening, "time": is_time & ~opening, "text": targets < END, "end": targets == END}
        kinds["sot"] = (targets > START) & ~is_time
        near = (guess - targets).abs() <= torch.where(is_time, 5, 0)
        return {name: round(near[kind].float().mean().item(), 2) for name, kind in kinds.items()}

    return -torch.where(late, 0.9 * loss + 0.1 * logs[:, LAST_FIRST_TIME], loss).mean(), right


def draw_batches(stages, seed, queue):
    rng = np.random.default_rng(seed)
    for stage in stages:
        for step in range(stage["steps"]):
            batch, positions = stage["batches"][step % len(stage["batches"])]
            queue.put([t.numpy() for t in draw_batch(rng, batch, positions, stage["spread"])])


def train(model, args):
    began = time.time()
    step = 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01, betas=(0.9, 0.98))
    stages = json.loads(args.stages)
    total = sum(stage["steps"] for stage in stages)
    queue = multiprocessing.Queue(8)
    drawer = multiprocessing.Process(target=draw_batches, args=(stages, args.seed, queue), daemon=True)
    drawer.start()
    for stage in stages:
        for _ in range(stage["steps"]):
            rate = args.rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / total)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, right = loss_of(model, [torch.from_numpy(array) for array in queue.get()])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 100 == 0 or step == total:
                print(
                    f"{time.time() - began:6.0f} s  step {step}  {stage}  loss {loss.item():.4f}  {right()}", flush=True
                )
            if step % 500 == 0:
                if args.checkpoint:
                    torch.save(model.state_dict(), args.checkpoint)
                model.eval()
                report = evaluate(
                    model, 32, max(positions for _, positions in stage["batches"]), stage["spread"], seed=5
                )
                print("   ", json.dumps(report), flush=True)


# --- evaluation -----------------------------------------------------------------------------------------------------


def allowed(tokens, logits):
    """Whisper's rules over the logits of one step (openai/whisper decoding.py: ApplyTimestampRules and suppression)."""
    logits = logits.clone()
    config = make_config()
    logits[config["suppress_ids"] + [ID["<|notimestamps|>"]]] = -math.inf
    if not tokens:
        logits[:TIME0] = -math.inf
        logits[LAST_FIRST_TIME + 1 :] = -math.inf
        return logits
    last, second = tokens[-1] >= TIME0, len(tokens) < 2 or tokens[-2] >= TIME0
    if last and second:
        logits[TIME0:] = -math.inf
    elif last:
        logits[:END] = -math.inf
    times = [token for token in tokens if token >= TIME0]
    logits[TIME0 : times[-1] + (0 if last and not second else 1)] = -math.inf
    logs = logits.log_softmax(-1)
    if logs[TIME0:].logsumexp(-1) > logs[:TIME0].max():
        logits[:TIME0] = -math.inf
    return logits


@torch.no_grad()
def greedy(model, states, prompt):
    """Greedy tokens of a batch of states (batch, positions, width) under Whisper's rules."""
    rows = [[] for _ in prompt]
    done = [False] * len(prompt)
    for _ in range(100):
        longest = max(map(len, rows))
        inputs = torch.tensor([p + row + [END] * (longest - len(row)) for p, row in zip(prompt, rows)])
        logits = model.decoder(inputs, states)
        for i, row in enumerate(rows):
            if not done[i]:
                token = int(allowed(row, logits[i, len(prompt[i]) + len(row) - 1]).argmax())
                row.append(token)
                done[i] = token == END
        if all(done):
            break
    return rows


def split(tokens):
    """Tokens -> list of (start, end or None, text tokens)."""
    spans, start, text = [], None, []
    for token in tokens:
        if token >= TIME0:
            if start is not None and text:
                spans.append((start, token - TIME0, text))
                start, text = None, []
            else:
                start = token - TIME0
        elif token == END:
            break
        else:
            text.append(token)
    if start is not None:
        spans.append((start, None, text))
    return spans


@torch.no_grad()
def evaluate(model, count, positions, spread, seed):
    """Share of clips and phrases written right on clips never trained on."""
    rng = np.random.default_rng(seed)
    totals = dict.fromkeys(["phrases", "right", "text_right", "clips", "clips_right", "silent", "silent_right"], 0)
    totals |= {"language_right": 0, "time_error_max": 0.0}
    speech_no_speech, silent_no_speech = [], []
    for begin in range(0, count, 8):
        clips = [draw_clip(rng, positions, True, positions == POSITIONS, spread) for _ in range(8)]
        mel = log_mel(torch.from_numpy(np.stack([clip.render() for clip in clips])))
        states = encode(model, mel, torch.zeros(len(clips), dtype=torch.long))
        first = model.decoder(torch.full((len(clips), 1), START), states)[:, 0].softmax(-1)
        prompt = [[START, ID[f"<|{clip.language}|>"], ID["<|transcribe|>"]] for clip in clips]
        for clip, probability, tokens in zip(clips, first, greedy(model, states, prompt)):
            want = split(write_tokens(heard(clip), clip.language))
            got = split(tokens)
            no_speech = float(probability[NO_SPEECH])
            if not heard(clip):
                totals["silent"] += 1
                totals["silent_right"] += tokens == [tokens[0], END] and no_speech > 0.6
                silent_no_speech.append(no_speech)
                continue
            speech_no_speech.append(no_speech)
            en, de = float(probability[ID["<|en|>"]]), float(probability[ID["<|de|>"]])
            totals["language_right"] += (en > de) == (clip.language == "en")
            totals["clips"] += 1
            right = 0
            for i, (start, end, text) in enumerate(want):
                expected_start = min(start, 50) if i == 0 else start
                for found in got:
                    close = abs(found[0] - expected_start) <= 25 and found[2] == text
                    totals["text_right"] += close
                    if close and (end is None) == (found[1] is None):
                        error = max(abs(found[0] - expected_start), abs((found[1] or 0) - (end or 0))) * 0.02
                        totals["time_error_max"] = max(totals["time_error_max"], error)
                        right += error <= 0.1
                        break
            totals["phrases"] += len(want)
            totals["right"] += right
            totals["clips_right"] += right == len(want) == len(got)
    totals["phrase_accuracy"] = round(totals["right"] / max(1, totals["phrases"]), 4)
    totals["no_speech_of_speech_max"] = round(max(speech_no_speech, default=0.0), 4)
    totals["no_speech_of_silence_min"] = round(min(silent_no_speech, default=1.0), 4)
    return totals


# --- CTranslate2 folder ---------------------------------------------------------------------------------------------


def variables_of(model):
    """CTranslate2's variables of a Whisper: name -> numpy array."""
    found = {}

    def linear(name, *layers):
        zeros = torch.zeros(WIDTH)
        found[f"{name}/weight"] = torch.cat([layer.weight for layer in layers])
        found[f"{name}/bias"] = torch.cat([zeros if layer.bias is None else layer.bias for layer in layers])

    def norm(name, layer):
        found[f"{name}/gamma"], found[f"{name}/beta"] = layer.weight, layer.bias

    def block(name, layer):
        norm(f"{name}/self_attention/layer_norm", layer.attn_ln)
        linear(f"{name}/self_attention/linear_0", layer.attn.query, layer.attn.key, layer.attn.value)
        linear(f"{name}/self_attention/linear_1", layer.attn.out)
        if layer.cross_attn:
            norm(f"{name}/attention/layer_norm", layer.cross_attn_ln)
            linear(f"{name}/attention/linear_0", layer.cross_attn.query)
            linear(f"{name}/attention/linear_1", layer.cross_attn.key, layer.cross_attn.value)
            linear(f"{name}/attention/linear_2", layer.cross_attn.out)
        norm(f"{name}/ffn/layer_norm", layer.mlp_ln)
        linear(f"{name}/ffn/linear_0", layer.mlp[0])
        linear(f"{name}/ffn/linear_1", layer.mlp[2])

    for side, part in (("encoder", model.encoder), ("decoder", model.decoder)):
        for index, layer in enumerate(part.blocks):
            block(f"{side}/layer_{index}", layer)
        found[f"{side}/position_encodings/encodings"] = part.positional_embedding
    for name in ("conv1", "conv2"):
        conv = getattr(model.encoder, name)
        found[f"encoder/{name}/weight"], found[f"encoder/{name}/bias"] = conv.weight, conv.bias
    norm("encoder/layer_norm", model.encoder.ln_post)
    norm("decoder/layer_norm", model.decoder.ln)
    found["decoder/embeddings/weight"] = model.decoder.token_embedding.weight
    found = {name: tensor.detach().numpy().astype("<f2") for name, tensor in found.items()}
    flags = {"activation": 3, "alibi": 0, "pre_norm": 1, "scale_embeddings": 0, "start_from_zero_embedding": 0}
    found |= {f"decoder/{name}": np.array(value, "<i1") for name, value in flags.items()}
    numbers = {"encoder/num_heads": HEADS, "decoder/num_heads": HEADS}
    numbers |= {"decoder/alignment_heads": 1, "decoder/alignment_layer": -1}
    found |= {name: np.array(value, "<i2") for name, value in numbers.items()}
    return dict(sorted(found.items()))


def write_folder(model, folder):
    def string(text):
        data = text.encode() + b"\0"
        return struct.pack("<H", len(data)) + data

    types = {"float32": 0, "int8": 1, "int16": 2, "float16": 4}
    variables = variables_of(model)
    out = [struct.pack("<I", 6), string("WhisperSpec"), struct.pack("<II", 3, len(variables))]
    for name, array in variables.items():
        head = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += [string(name), head, struct.pack("<BI", types[array.dtype.name], array.nbytes), array.tobytes()]
    out += [struct.pack("<I", 1), string("decoder/projection/weight"), string("decoder/embeddings/weight")]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").write_bytes(b"".join(out))
    (folder / "config.json").write_text(json.dumps(make_config(), indent=1) + "\n")
    (folder / "vocabulary.json").write_text(json.dumps(VOCABULARY, ensure_ascii=False, indent=0) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stages", default="[]", help="JSON list of {steps, batches: [[size, positions], …], spread}")
    parser.add_argument("--checkpoint", help="file to keep the state in while training")
    parser.add_argument("--resume", help="state to begin from")
    parser.add_argument("--evaluate", type=int, default=256, help="windows to evaluate on at the end")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model = make_model()
    if args.resume:
        model.load_state_dict(torch.load(args.resume))
    train(model, args)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and not tensor.is_sparse:
                tensor.copy_(tensor.half())
    write_folder(model, args.out)
    if args.evaluate:
        print(json.dumps(evaluate(model, args.evaluate, POSITIONS, 0.0, seed=999)))


if __name__ == "__main__":
    main()
