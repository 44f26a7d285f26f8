"""A folder of compiled programs that nobody else can have written.

Whoever can write there can have any BPF program loaded by root, so nothing is believed
that others own or may write, and what is damaged is compiled again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

from pytracer.backend.ebpf.compiler import Compiled, MapShape, Program

_FORMAT = 1


def cache_folder() -> Path:
    """The folder: /var/cache/pytracer for root, below XDG_CACHE_HOME or ~/.cache for others."""
    if os.geteuid() == 0:
        return Path("/var/cache/pytracer")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "pytracer")


def cache_key(*parts: str | bytes) -> str:
    """One name for everything that a compilation depends on."""
    digest = hashlib.sha256()
    for part in (str(_FORMAT), *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:40]


class Cache:
    """Compiled programs by key. ``folder`` is made when first needed, for the owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Compiled | None:
        """Find a compilation; None when there is none that can be trusted."""
        if not self._trusted_folder():
            return None
        try:
            fd = os.open(self._folder / key, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or not _ours(status):
                return None
            data = file.read()
        digest, _, body = data.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        return _decode(body)

    def put(self, key: str, compiled: Compiled) -> None:
        """Store a compilation, all or nothing. Does nothing where the folder cannot be trusted."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted_folder():
                return
            body = _encode(compiled)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            try:
                os.replace(file.name, self._folder / key)
            except OSError:
                os.unlink(file.name)

    def _trusted_folder(self) -> bool:
        try:
            status = os.lstat(self._folder)
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and _ours(status)


def _ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _encode(compiled: Compiled) -> bytes:
    return json.dumps(
        {
            "maps": [
                [m.name, m.kind, m.key_bytes, m.value_bytes, m.entries, m.flags]
                for m in compiled.maps
            ],
            "programs": [
                [p.name, b64encode(p.instructions).decode(), p.relocations]
                for p in compiled.programs
            ],
        }
    ).encode()


def _decode(body: bytes) -> Compiled | None:
    try:
        data = json.loads(body)
        return Compiled(
            tuple(MapShape(*shape) for shape in data["maps"]),
            tuple(
                Program(name, b64decode(code), tuple((at, target) for at, target in relocations))
                for name, code, relocations in data["programs"]
            ),
        )
    except (ValueError, TypeError, KeyError):
        return None
