"""What every runner has in common: its command line and the JSON lines it prints.

    RUNNER --model NAME --threads N --repeats R CLIP...

The model is loaded once, the first clip is transcribed once to warm up, then every clip R times. Clips are WAV files of
16 kHz mono 16-bit samples, read before the clock starts. Standard output has one JSON object a line:

    {"event": "load", "peer": "...", "versions": {"...": "..."}, "load_seconds": 0.4}
    {"event": "run", "clip": "path as given", "repeat": 0, "audio_seconds": 11.0, "wall_seconds": 0.2,
     "cpu_seconds": 0.4, "peak_rss_bytes": 123456789, "text": "..."}
    {"event": "end", "peak_rss_bytes": 123456789}

CPU seconds are those of all threads of the process; the peak of the resident memory is that of the process so far.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import resource
import sys
import time
import wave

import numpy as np

SAMPLE_RATE = 16_000


def arguments(add=lambda parser: None):
    """The parsed command line. Call it before importing a peer: libraries read their thread count when loaded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True, help="a name below models/ of the cache folder, such as tiny.en")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--models", type=pathlib.Path, required=True, help="folder of the converted models")
    parser.add_argument("clips", nargs="+")
    add(parser)
    parsed = parser.parse_args()
    parsed.folder = parsed.models / parsed.model
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(parsed.threads)
    os.environ.update(HF_HUB_OFFLINE="1", OPENVINO_TELEMETRY_DISABLE="1", DO_NOT_TRACK="1")
    return parsed


def measure(peer, versions, parsed, load):
    """Measures `load(parsed)`, which returns a function from samples to text, and then that function."""
    clips = {path: samples(path) for path in parsed.clips}
    started = time.perf_counter()
    transcribe = load(parsed)
    load_seconds = time.perf_counter() - started
    report(event="load", peer=peer, versions=versions, load_seconds=load_seconds)
    transcribe(clips[parsed.clips[0]])
    for path, audio in clips.items():
        for repeat in range(parsed.repeats):
            wall, cpu = time.perf_counter(), time.process_time()
            text = transcribe(audio)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            report(
                event="run",
                clip=path,
                repeat=repeat,
                audio_seconds=len(audio) / SAMPLE_RATE,
                wall_seconds=wall,
                cpu_seconds=cpu,
                peak_rss_bytes=peak_rss_bytes(),
                text=" ".join(text.split()),
            )
    report(event="end", peak_rss_bytes=peak_rss_bytes())


def versions(*packages):
    """The versions of installed packages."""
    return {package: importlib.metadata.version(package) for package in packages}


def samples(path):
    """A WAV file's samples, from -1 to 1."""
    with wave.open(path) as file:
        found = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if found != (SAMPLE_RATE, 1, 2):
            sys.exit(f"{path}: expected 16 kHz, one channel, 16 bits; found {found[0]} Hz, {found[1]}, {8 * found[2]}")
        values = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return values.astype(np.float32) / 32_768


def peak_rss_bytes():
    """The largest resident memory of this process so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


def is_english_only(parsed):
    """Whether the model takes neither a language nor a task."""
    return parsed.model.endswith(".en")


def report(**fields):
    """Prints a JSON line."""
    print(json.dumps(fields), flush=True)
