"""One look at rings and threads, as it travels: through a spool or a recording."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.aside import Aside

# Its time; how many counters, threads and slices follow; flags; the length of what is told aside.
_HEAD: Final = struct.Struct("<QIIIII")
_WHOLE: Final = 1
_HAS_EVENTS: Final = 2
# No errno is that high.
SPOOL_FULL: Final = 0xFFFF

# Reads so many bytes from so far behind the beginning of a turn.
Fetch = Callable[[int, int], bytes]


class BadTurn(Exception):
    """Bytes that are no turn."""


@dataclass(slots=True)
class Turn:
    """What one look brought.

    ``until_ns``: everything that happened before is known. ``threads``: the used part of values of
    the threads' map: those that have something new. ``whole``: of all of them.
    ``counters``: what the kernel had counted before the look, empty when that is no news.
    ``slices``: of the rings, to be taken once. ``refused``: why nothing could be taken from the
    rings, so that nothing is known either: an errno, SPOOL_FULL, 0 for any other turn.
    ``has_events``: there may be records that are not of calls. ``aside``: for recordings alone.
    """

    until_ns: int
    threads: list[bytes] = field(default_factory=list)
    counters: tuple[int, ...] = ()
    slices: Iterable[bytes] = ()
    whole: bool = False
    refused: int = 0
    has_events: bool = True
    aside: Aside = field(default_factory=Aside)

    def pack(self, slices: Sequence[bytes]) -> list[bytes]:
        """The parts of a turn: what tells of the others first."""
        lengths = [*map(len, self.threads), *map(len, slices)]
        aside = self.aside.encode()
        flags = _WHOLE * self.whole | _HAS_EVENTS * self.has_events
        counts = len(self.counters), len(self.threads), len(slices)
        head = _HEAD.pack(self.until_ns, *counts, flags, len(aside))
        head += struct.pack(f"<{counts[0]}Q{len(lengths)}I", *self.counters, *lengths)
        return [head, aside, b"".join(self.threads), *slices]


def unpack(fetch: Fetch, length: int, check: bool = False) -> Turn:
    """Read a turn back, each slice when it is asked for.

    ``check``: it comes from a file that anybody may have written.
    Errors: BadTurn; with ``check``, also when a slice is asked for.
    """
    if length < _HEAD.size:
        raise BadTurn
    until_ns, counters, threads, slices, flags, aside_bytes = _HEAD.unpack(fetch(0, _HEAD.size))
    size = 8 * counters + 4 * (threads + slices)
    at = _HEAD.size + size
    if at > length:
        raise BadTurn
    words = struct.unpack(f"<{counters}Q{threads + slices}I", fetch(_HEAD.size, size))
    counted, sizes = words[:counters], words[counters:]
    known_bytes = sum(sizes[:threads])
    if at + aside_bytes + sum(sizes) > length:
        raise BadTurn
    aside = Aside.decode(fetch(at, aside_bytes))
    at += aside_bytes
    known = fetch(at, known_bytes)
    ends = list(accumulate(sizes[:threads]))
    found = [known[end - size : end] for end, size in zip(ends, sizes, strict=False)]
    if check and not all(wire.is_thread(each) for each in found):
        raise BadTurn
    return Turn(
        until_ns,
        found,
        counted,
        _slices(fetch, at + known_bytes, sizes[threads:], check),
        bool(flags & _WHOLE),
        has_events=bool(flags & _HAS_EVENTS),
        aside=aside,
    )


def _slices(fetch: Fetch, at: int, sizes: Sequence[int], check: bool) -> Iterator[bytes]:
    for size in sizes:
        data = fetch(at, size)
        if check and not wire.is_slice(data):
            raise BadTurn
        yield data
        at += size
