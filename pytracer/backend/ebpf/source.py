"""Where the C sources of the programs are: beside the package in a checkout, else inside it."""

from __future__ import annotations

from pathlib import Path

import pytracer
from pytracer.backend.base import BackendUnavailable


def source_folder() -> Path:
    """Find the folder that holds the programs and their header tree.

    Errors: BackendUnavailable when the installation is incomplete.
    """
    package = Path(pytracer.__file__).resolve().parent
    for folder in (package / "_bpf", package.parent / "bpf"):
        if (folder / "pytracer.h").is_file():
            return folder
    raise BackendUnavailable(
        "ebpf", f"the BPF sources are missing from {package}", "install pytracer again"
    )
