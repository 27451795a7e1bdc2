"""Exports a Hugging Face Whisper folder to ONNX (int8, dynamic) or OpenVINO IR (int8 weights), with Optimum.

    export.py onnx|openvino HUGGING-FACE-FOLDER TARGET

Runs in the converter's environment, which has torch.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# The exporters look for updates and remote code by themselves; everything needed is in the folder.
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="", DO_NOT_TRACK="1")

TASK = "automatic-speech-recognition-with-past"


def onnx(source, target):
    """Encoder and both decoder graphs, matrix products quantised to int8 while running, weights beforehand."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.exporters.onnx import main_export

    with tempfile.TemporaryDirectory(dir=target.parent) as exported:
        main_export(
            source,
            exported,
            task=TASK,
            library_name="transformers",
            do_validation=False,
            no_post_process=True,
            device="cpu",
        )
        for name in ("encoder_model", "decoder_model", "decoder_with_past_model"):
            quantize_dynamic(
                f"{exported}/{name}.onnx",
                target / f"{name}.onnx",
                op_types_to_quantize=["MatMul"],
                weight_type=QuantType.QInt8,
            )
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        shutil.copy(source / name, target / name)


def openvino(source, target):
    """Encoder, stateful decoder and tokenizer; weights in 8 bits, the rest as OpenVINO computes."""
    command = pathlib.Path(sys.executable).with_name("optimum-cli")
    arguments = ["export", "openvino", "--model", source, "--task", TASK, "--weight-format", "int8", target]
    subprocess.run([command, *arguments], check=True)


def main():
    """Writes beside the target first, so that a target is there only when it is whole."""
    kind, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    {"onnx": onnx, "openvino": openvino}[kind](source, partial)
    partial.rename(target)


if __name__ == "__main__":
    main()
