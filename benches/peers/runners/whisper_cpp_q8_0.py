"""whisper.cpp with q8_0 weights, built for this machine's instruction set, through pywhispercpp."""

import pathlib

import interface

PARSED = interface.arguments()

import _pywhispercpp  # noqa: E402
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


def versions():
    """The binding's version, and that of the whisper.cpp in it, which only its file's name tells."""
    folder = pathlib.Path(_pywhispercpp.__file__).parent
    names = [path.name for where in (folder, folder / "pywhispercpp.libs") for path in where.glob("libwhisper*.so.*.*")]
    library = {"whisper.cpp": names[0].partition(".so.")[2]} if names else {}
    return interface.versions("pywhispercpp") | library


if __name__ == "__main__":
    interface.measure("whisper.cpp q8_0", versions(), PARSED, load)
