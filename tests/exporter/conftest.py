"""What several tests of the exporter need."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """The sources where any user can read them."""
    folder = Path("/tmp", f"pytracer-stages-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        for name in ("pytracer", "exporters/pytracer_exporter", "tests/exporter", "bpf"):
            place = folder / name.removeprefix("exporters/")
            shutil.copytree(_CHECKOUT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True, timeout=30)
        (folder / "cache").mkdir()
        os.chown(folder / "cache", pwd.getpwnam("nobody").pw_uid, -1)
        yield folder
    finally:
        shutil.rmtree(folder)
