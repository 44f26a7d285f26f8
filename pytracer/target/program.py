"""The program to start: its file, its environment, its user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

# Source: include/uapi/linux/limits.h
PATH_MAX = 4096


class NoProgram(Exception):
    """No file can be found for a program. ``errno``: the system's answer, 0 when PATH has none."""

    def __init__(self, name: bytes, errno: int) -> None:
        super().__init__(f"{name!r}: errno {errno}")
        self.name = name
        self.errno = errno


def find(name: bytes, path: bytes | None) -> bytes:
    """Find the file to execute for a name, in ``path`` (as $PATH is) unless it has a slash.

    Errors: NoProgram.
    """
    if b"/" in name:
        try:
            os.stat(name)
        except OSError as error:
            raise NoProgram(name, error.errno or 0) from error
        return name
    for folder in (path or b"").split(b":") if path else ():
        candidate = os.path.join(folder or os.getcwdb(), name)
        if len(candidate) < PATH_MAX and _executable(candidate):
            return candidate
    raise NoProgram(name, 0)


def _executable(path: bytes) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o111)


def inherited_environment() -> list[bytes]:
    """The environment that this process was started with, before Python added to it.

    Source: PEP 538, which sets LC_CTYPE in a process that was started in the C locale.
    """
    try:
        data = Path("/proc/self/environ").read_bytes()
    except OSError:
        return [name + b"=" + value for name, value in os.environb.items()]
    return [entry for entry in data.split(b"\0") if entry]


def environment(inherited: Iterable[bytes], changes: Iterable[bytes]) -> tuple[bytes, ...]:
    """Apply -E: ``VAR=VALUE`` sets a variable, ``VAR`` removes it, in order."""
    result = list(inherited)
    for change in changes:
        name, equals, _value = change.partition(b"=")
        places = [i for i, entry in enumerate(result) if entry.partition(b"=")[0] == name]
        if equals and places:
            result[places[0]] = change
        elif equals:
            result.append(change)
        else:
            result = [entry for i, entry in enumerate(result) if i not in places]
    return tuple(result)
