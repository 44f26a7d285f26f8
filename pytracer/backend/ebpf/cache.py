"""A folder of compiled things that nobody else can have written.

Whoever can write there can have any BPF program loaded by root, so nothing is believed
that others own or may write, and what is damaged is made again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from importlib.util import source_hash
from pathlib import Path

_FORMAT = 2
_MOST_FILES = 32


def cache_folder() -> Path:
    """The folder: /var/cache/pytracer for root, below XDG_CACHE_HOME or ~/.cache for others."""
    if os.geteuid() == 0:
        return Path("/var/cache/pytracer")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "pytracer")


def cache_key(*parts: str | bytes) -> str:
    """One name for everything that a compilation depends on.

    Changes are to be noticed, not forgeries: what tells a .pyc from its source does, and is there.
    """
    found = []
    for part in (str(_FORMAT), *parts):
        data = part.encode() if isinstance(part, str) else part
        found.append(len(data).to_bytes(8, "little") + data)
    return source_hash(b"".join(found)).hex()


class Cache:
    """Files by key. ``folder`` is made when first needed, for the owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """Find what was stored; None when there is nothing that can be trusted."""
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
        return body if source_hash(body).hex().encode() == digest else None

    def put(self, key: str, body: bytes) -> None:
        """Store bytes, all or nothing. Does nothing where the folder cannot be trusted."""
        import tempfile  # seldom needed, and large

        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._trusted_folder():
                return
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(source_hash(body).hex().encode() + b"\n" + body)
            try:
                os.replace(file.name, self._folder / key)
            except OSError:
                os.unlink(file.name)
            self._expire()

    def _expire(self) -> None:
        """Keep the youngest files only: every change of the sources makes new ones."""
        files = [path for path in self._folder.iterdir() if path.is_file()]
        files.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-_MOST_FILES]:
            path.unlink()

    def _trusted_folder(self) -> bool:
        try:
            status = os.lstat(self._folder)
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and _ours(status)


def _ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022
