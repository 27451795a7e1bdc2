"""faster-whisper, int8 computed by CTranslate2: window after window, or with --batched eight at a time."""

import interface

PARSED = interface.arguments(lambda parser: parser.add_argument("--batched", action="store_true"))

import faster_whisper  # noqa: E402

BATCH = 8


def load(parsed):
    """Greedy with timestamps, at one temperature, every window on its own."""
    model = faster_whisper.WhisperModel(
        str(parsed.folder / "ctranslate2"),
        device="cpu",
        compute_type="int8",
        cpu_threads=parsed.threads,
        local_files_only=True,
    )
    options = {
        "language": "en",
        "beam_size": 1,
        "best_of": 1,
        "temperature": 0.0,
        "condition_on_previous_text": False,
        "without_timestamps": False,
    }
    if parsed.batched:
        # Cut at pauses by its own voice activity detection: batches need windows that are known beforehand.
        model = faster_whisper.BatchedInferencePipeline(model)
        options |= {"batch_size": BATCH, "vad_filter": True}

    def transcribe(audio):
        segments, _ = model.transcribe(audio, **options)
        return " ".join(segment.text for segment in segments)

    return transcribe


if __name__ == "__main__":
    PEER = "faster-whisper int8 batched" if PARSED.batched else "faster-whisper int8"
    interface.measure(PEER, interface.versions("faster-whisper", "ctranslate2"), PARSED, load)
