"""Converts a CTranslate2 folder with nothing but NumPy.

write.py ggml|hugging-face SOURCE TARGET
"""

import pathlib
import sys

import ctranslate2_folder
import ggml
import hugging_face


def main():
    """Writes beside the target first, so that a target is there only when it is whole."""
    kind, source, target = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    partial = target.with_name(target.name + ".partial")
    {"ggml": ggml, "hugging-face": hugging_face}[kind].write(ctranslate2_folder.Folder(source), partial)
    partial.rename(target)


if __name__ == "__main__":
    main()
