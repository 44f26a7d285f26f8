"""Which file is mapped where in a process."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mapping:
    """A line of /proc/PID/maps. ``path`` is empty for a mapping of no file."""

    start: int
    end: int
    offset: int
    executable: bool
    path: str


class Maps:
    """The mappings of one process at one moment."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self._mappings = sorted(mappings, key=lambda mapping: mapping.start)
        self._starts = [mapping.start for mapping in self._mappings]

    def find(self, address: int) -> Mapping | None:
        """The mapping that an address is in."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._mappings[at].end:
            return None
        return self._mappings[at]


def read_maps(pid: int, proc: str = "/proc") -> Maps | None:
    """Read the mappings of a process; None when it is gone."""
    try:
        with open(f"{proc}/{pid}/maps", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return None
    return parse_maps(lines) if lines else None


def parse_maps(lines: list[str]) -> Maps:
    """Understand the lines of /proc/PID/maps.

    Source: show_map_vma(), fs/proc/task_mmu.c.
    """
    found = []
    for line in lines:
        span, flags, offset, _, _, *path = line.split(maxsplit=5)
        start, _, end = span.partition("-")
        name = path[0] if path else ""
        found.append(Mapping(int(start, 16), int(end, 16), int(offset, 16), flags[2] == "x", name))
    return Maps(found)
