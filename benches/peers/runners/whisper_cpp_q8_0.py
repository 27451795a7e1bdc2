"""whisper.cpp with q8_0 weights, built for this machine's instruction set, through pywhispercpp."""

import interface

PARSED = interface.arguments()

from pywhispercpp.model import Model  # noqa: E402


def load(parsed):
    """Greedy with timestamps, at one temperature, every window on its own."""
    model = Model(
        str(parsed.folder / "ggml-q8_0.bin"),
        context_params={"use_gpu": False},
        n_threads=parsed.threads,
        language="en",
        greedy={"best_of": 1},
        temperature=0.0,
        temperature_inc=0.0,
        no_context=True,
        print_progress=False,
        print_timestamps=False,
    )

    def transcribe(audio):
        return " ".join(segment.text for segment in model.transcribe(audio))

    return transcribe


if __name__ == "__main__":
    interface.measure("whisper.cpp q8_0", ["pywhispercpp"], PARSED, load)
