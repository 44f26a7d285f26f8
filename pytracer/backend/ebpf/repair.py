"""Bytes that the programs could not have: they cannot bring a page in, and the call did not either.

A string constant that a failed call never looked at, such as the data of a write into a closed
pipe, lies in a mapping of a file that its owner cannot write to: read now, it is what it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pytracer.backend.ebpf.wire import Region
from pytracer.backend.ptrace.memory import LiveMemory

_MOST_BYTES: Final = 4096
# A program may be full of failing calls with bad addresses: looking at each takes time.
_MOST_REPAIRS: Final = 64


class Repair:
    """Fills in what is missing, as long as the process still runs the same program."""

    def __init__(self) -> None:
        self._left = _MOST_REPAIRS
        self._execs: dict[int, int] = {}

    def executed(self, pid: int, time_ns: int) -> None:
        """The process has had another memory since."""
        self._execs[pid] = time_ns

    def forget(self, pid: int) -> None:
        """The process is gone."""
        self._execs.pop(pid, None)

    def rest(self) -> None:
        """A turn is over."""
        self._left = _MOST_REPAIRS

    def mend(self, pid: int, time_ns: int, regions: list[Region]) -> None:
        """Add what can be read now of the regions that could not be read then."""
        read = {start for start, data, _ in regions if data}
        for start, data, _ in tuple(regions):
            if data or start in read or self._left <= 0 or self._execs.get(pid, 0) >= time_ns:
                continue
            self._left -= 1
            end = _constant_until(pid, start)
            if end:
                some = LiveMemory(pid).read_some(start, min(end - start, _MOST_BYTES))
                if isinstance(some, bytes):
                    regions.append((start, some, start + len(some) < end))


def _constant_until(pid: int, address: int) -> int:
    """Where the mapping ends that holds an address, if its owner cannot write to it; else 0."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_bytes().splitlines()
    except OSError:
        return 0
    for line in lines:
        span, flags, _ = line.split(maxsplit=2)
        first, _, last = span.partition(b"-")
        if int(first, 16) <= address < int(last, 16):
            return 0 if b"w" in flags else int(last, 16)
    return 0
