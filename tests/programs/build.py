"""Compile the C workloads, once per content and set of flags."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent


class BuildFailed(Exception):
    """The compiler refused a program. The message is the compiler's."""


def build(source: Path | str, *flags: str) -> Path:
    """Compile one C file with gcc and return the executable.

    ``source``: a path, or the name of a file in this folder. ``flags``: such as -m32, -static.
    The executable's path depends on the content alone, so that traces of it can be compared.
    Errors: BuildFailed.
    """
    path = Path(source)
    if not path.is_absolute():
        path = PROGRAMS / path
    command = ["gcc", "-O1", "-g0", "-Wall", "-pthread", *flags]
    sources = (path, *sorted(path.parent.glob("*.h")))
    content = b"\0".join(source.read_bytes() for source in sources)
    digest = hashlib.sha256(content + "\0".join(command).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"pytracer-programs-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise BuildFailed(f"{folder} belongs to somebody else")
    target = folder / f"{path.stem}-{digest}"
    if not target.exists():
        partial = folder / f"{target.name}.{os.getpid()}"
        done = subprocess.run(
            [*command, "-o", str(partial), str(path)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BuildFailed(done.stderr.strip())
        partial.rename(target)
    return target
