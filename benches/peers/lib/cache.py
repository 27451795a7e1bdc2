"""Where things are: the peers' cache folder and the installed models."""

import os
import pathlib


def folder():
    """The cache folder of the peers."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (pathlib.Path(base) if base else pathlib.Path.home() / ".cache") / "whispernpu/peers"


def model_folder():
    """Where scripts/get-model installs models."""
    first = os.environ.get("WHISPERNPU_MODEL_PATH", "").partition(":")[0]
    if first:
        return pathlib.Path(first)
    base = os.environ.get("XDG_DATA_HOME")
    return (pathlib.Path(base) if base else pathlib.Path.home() / ".local/share") / "whispernpu/models"


def clean_environment():
    """This process's environment without what would bend a Python of another one, which is to write nothing here."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}
