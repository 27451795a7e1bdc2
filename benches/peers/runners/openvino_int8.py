"""OpenVINO GenAI with int8 weights; the CPU plugin chooses the type it computes in."""

import interface

PARSED = interface.arguments()

import openvino_genai  # noqa: E402


def load(parsed):
    """Greedy with timestamps: it cuts audio of more than 30 s by them."""
    pipeline = openvino_genai.WhisperPipeline(
        str(parsed.folder / "openvino-int8"),
        "CPU",
        INFERENCE_NUM_THREADS=parsed.threads,
        PERFORMANCE_HINT="LATENCY",
    )
    configuration = pipeline.get_generation_config()
    configuration.return_timestamps = True
    if not interface.is_english_only(parsed):
        configuration.language = "<|en|>"
        configuration.task = "transcribe"

    def transcribe(audio):
        return str(pipeline.generate(audio, configuration))

    return transcribe


if __name__ == "__main__":
    interface.measure("OpenVINO GenAI int8 weights", interface.versions("openvino", "openvino-genai"), PARSED, load)
