"""What has to be looked up about a turn while the processes are there, for who reads it later.

A recording is decoded when they are gone, or elsewhere. Strings that the programs could not read
but that cannot have changed since, and whether a group of processes can be stopped, come along.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.repair import Repair
from pytracer.backend.ebpf.stops import orphaned
from pytracer.backend.ebpf.wire import EventRecord, Region

_COUNTS: Final = struct.Struct("<II")
# Process, when its call began, address, length, whether the region is whole.
_MEND: Final = struct.Struct("<QQQI?3x")
_STOP: Final = struct.Struct("<QQ")
_SIGSTOP: Final = 19

# What is added to the memory of a call: of which process, and when it began.
Mend: TypeAlias = tuple[int, int, Region]


@dataclass(slots=True)
class Aside:
    """``mends``: what could be read after all. ``stops``: (process, time) of signals that stop."""

    mends: list[Mend] = field(default_factory=list)
    stops: list[tuple[int, int]] = field(default_factory=list)

    def encode(self) -> bytes:
        """As bytes; none when there is nothing."""
        if not self.mends and not self.stops:
            return b""
        parts = [_COUNTS.pack(len(self.mends), len(self.stops))]
        for pid, time_ns, (address, data, whole) in self.mends:
            parts += [_MEND.pack(pid, time_ns, address, len(data), whole), data]
        parts += [_STOP.pack(*stop) for stop in self.stops]
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Aside:
        """Read it back. Errors: struct.error."""
        aside = cls()
        if not data:
            return aside
        mends, stops = _COUNTS.unpack_from(data)
        at = _COUNTS.size
        for _ in range(mends):
            pid, time_ns, address, length, whole = _MEND.unpack_from(data, at)
            at += _MEND.size
            aside.mends.append((pid, time_ns, (address, data[at : at + length], whole)))
            at += length
        for _ in range(stops):
            aside.stops.append(_STOP.unpack_from(data, at))
            at += _STOP.size
        return aside


def look(slices: Sequence[bytes]) -> Aside:
    """Look up what concerns the calls and signals of some slices."""
    aside = Aside()
    repair = Repair()
    missing: list[tuple[int, int, list[Region]]] = []
    for data in slices:
        at = 0
        while at < len(data):
            (length,) = wire.SAMPLE_SIZE.unpack_from(data, at)
            if data[at] == wire.PERF_RECORD_SAMPLE:
                if data[at + wire.SAMPLE.size] == wire.RECORD_CALL:
                    _call(data, at, missing)
                else:
                    event = wire.EVENT.unpack_from(data, at + wire.SAMPLE.size)
                    _event(EventRecord._make(event), repair, aside)
            at += length
    for pid, time_ns, regions in missing:
        before = len(regions)
        repair.mend(pid, time_ns, regions)
        aside.mends += [(pid, time_ns, region) for region in regions[before:]]
    return aside


def _call(data: bytes, at: int, missing: list[tuple[int, int, list[Region]]]) -> None:
    record = wire.SAMPLE_RECORD.unpack_from(data, at)
    used = record[wire.USED]
    if not used:
        return
    body = at + wire.SAMPLE_RECORD.size
    regions = wire.regions(data[body : body + used], True)
    if not all(data for _, data, _ in regions):
        missing.append((record[wire.TGID], record[wire.ENTER_NS], regions))


def _event(event: EventRecord, repair: Repair, aside: Aside) -> None:
    if event.type == wire.RECORD_EXEC:
        repair.executed(event.tgid, event.time_ns)
    elif (
        event.type == wire.RECORD_SIGNAL
        and event.flags & wire.SIGNAL_STOPS
        and event.other != _SIGSTOP
        and not orphaned(event.tgid)
    ):
        aside.stops.append((event.tgid, event.time_ns))


class Told(Repair):
    """Fills in what was looked up when a recording was made."""

    def __init__(self) -> None:
        super().__init__()
        self._mends: dict[tuple[int, int, int], Region] = {}
        self._stops: set[tuple[int, int]] = set()

    def learn(self, aside: Aside) -> None:
        """Take in what comes with a turn."""
        for pid, time_ns, region in aside.mends:
            self._mends[pid, time_ns, region[0]] = region
        self._stops.update(aside.stops)

    def mend(self, pid: int, time_ns: int, regions: list[Region]) -> None:
        """Add what was looked up of the regions that could not be read."""
        if self._mends:
            for start, data, _ in tuple(regions):
                found = None if data else self._mends.pop((pid, time_ns, start), None)
                if found is not None:
                    regions.append(found)

    def stops(self, pid: int, time_ns: int) -> bool:
        """Whether a signal that came then could stop the process."""
        known = (pid, time_ns) in self._stops
        self._stops.discard((pid, time_ns))
        return known
