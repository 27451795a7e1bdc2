#!/usr/bin/env python3
"""Transcribes a manifest's clips with faster-whisper, so that `wer --score` can compare it with ours.

    pip install faster-whisper
    scripts/rival-hypotheses.py --manifest speech/manifest.tsv --model MODEL_FOLDER --output rival.tsv
    cargo run --release --example wer -- --manifest speech/manifest.tsv --score rival.tsv

MODEL_FOLDER is a CTranslate2 folder. Decoding is greedy in float32, without voice activity detection and without the
previous text as context, in the clip's own language. The output has a line `id<TAB>hypothesis` for each clip; clips that
the output already has are not done again.
"""

import argparse
import csv
import pathlib
import sys
import time

import faster_whisper

LABELS_ONLY = {"diarization"}


def main():
    options = parse_arguments()
    model = faster_whisper.WhisperModel(
        options.model, device="cpu", compute_type="float32", cpu_threads=options.threads
    )
    clips = read_clips(options, model.model.is_multilingual)
    done = read_ids(options.output)
    todo = [clip for clip in clips if clip["id"] not in done]
    audio_seconds = 0.0
    wall_seconds = 0.0
    with open(options.output, "a", encoding="utf-8") as output:
        for number, clip in enumerate(todo, start=1):
            samples = faster_whisper.decode_audio(str(options.manifest.parent / clip["file"]))
            started = time.monotonic()
            text = transcribe(model, samples, clip["language"] or "en")
            wall_seconds += time.monotonic() - started
            audio_seconds += len(samples) / 16_000
            output.write(f"{clip['id']}\t{' '.join(text.split())}\n")
            output.flush()
            print(f"{number}/{len(todo)} {clip['id']}", file=sys.stderr)
    if todo:
        rate = audio_seconds / wall_seconds
        print(f"{audio_seconds:.1f} s of audio in {wall_seconds:.1f} s: {rate:.1f} times real time", file=sys.stderr)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", required=True, type=pathlib.Path)
    parser.add_argument("--model", required=True, help="CTranslate2 folder")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="file to write or to complete")
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def read_clips(options, multilingual):
    """The manifest's rows that this model can be asked to transcribe."""
    with open(options.manifest, encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [row for row in rows if row["kind"] not in LABELS_ONLY]
    if options.kind:
        rows = [row for row in rows if row["kind"] in options.kind]
    if multilingual:
        return rows
    english = [row for row in rows if row["language"] in ("", "en")]
    print(f"{len(rows) - len(english)} clips skipped: the model knows English only", file=sys.stderr)
    return english


def read_ids(path):
    if not path.exists():
        return set()
    with open(path, encoding="utf-8") as lines:
        return {line.split("\t", 1)[0] for line in lines}


def transcribe(model, samples, language):
    segments, _ = model.transcribe(
        samples,
        language=language,
        task="transcribe",
        beam_size=1,
        temperature=0.0,
        vad_filter=False,
        condition_on_previous_text=False,
    )
    return " ".join(segment.text.strip() for segment in segments)


if __name__ == "__main__":
    main()
