"""Who is measured, and how each process is started."""

import json
import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass

import cache

RUNNERS = pathlib.Path(__file__).resolve().parents[1] / "runners"
OURS = "whispernpu"

# The name in the table, the name in status.json, and the runner.
PEERS = [
    ("OpenVINO GenAI int8 weights", "openvino", ["openvino_int8.py"]),
    ("faster-whisper int8 batched", "faster-whisper", ["faster_whisper_int8.py", "--batched"]),
    ("faster-whisper int8", "faster-whisper", ["faster_whisper_int8.py"]),
    ("ONNX Runtime int8", "onnxruntime", ["onnx_runtime_int8.py"]),
    ("whisper.cpp q8_0", "whisper.cpp", ["whisper_cpp_q8_0.py"]),
]


@dataclass
class Contender:
    """A name in the table and the command that measures it."""

    name: str
    command: list


def all_of(parsed):
    """Those that can run, and the reason for each that cannot."""
    running, absent = [], {}
    if not parsed.no_ours:
        if shutil.which(parsed.ours[0]):
            running.append(Contender(OURS, parsed.ours))
        else:
            absent[OURS] = f"there is no program {parsed.ours[0]}: run `cargo build --release --example bench`"
    try:
        status = json.loads((parsed.cache / "status.json").read_text(encoding="utf-8"))
    except OSError:
        status = {}
    for name, package, (script, *options) in PEERS:
        if parsed.peers and not any(part in name for part in parsed.peers):
            continue
        found = status.get(package, {"available": False, "reason": "set-up did not finish: run benches/peers/set-up"})
        if found["available"]:
            command = [parsed.cache / "venv/bin/python", RUNNERS / script, *options]
            running.append(Contender(name, [*command, "--models", parsed.cache / "models"]))
        else:
            absent[name] = found["reason"]
    return running, absent


def environment(threads):
    """What a measured process sees: libraries that start threads by themselves start as many as it may use."""
    return cache.clean_environment() | {"OMP_NUM_THREADS": str(threads)}


def bind(threads):
    """Binds this process to as many cores as it has threads: the last ones, as the first serve most interrupts."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-threads:])


def explain(error):
    """One line for the table."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"took more than {error.timeout:.0f} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = [line for line in error.stderr.splitlines() if line.strip()]
        return f"exit code {error.returncode}: {said[-1] if said else 'it said nothing'}"
    return str(error)
