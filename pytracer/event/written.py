"""Events as bytes, for recordings: JSON for what they say, plain bytes for the memory.

An event is followed by what was read of the target's memory, which is all that decoding needs.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.recording import BadRecording
from pytracer.event.schema import (
    Abi,
    Event,
    GroupStop,
    Lost,
    NewBy,
    Signal,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)

Region = tuple[int, bytes, bool]

_KINDS: Final[dict[str, type[Event]]] = {
    kind.__name__: kind
    for kind in (
        SyscallEnter,
        SyscallExit,
        Signal,
        GroupStop,
        TaskNew,
        TaskExec,
        TaskExiting,
        TaskExit,
        TaskDetached,
        Lost,
    )
}
# Length of the JSON, number of regions.
_HEAD: Final = struct.Struct("<II")
# Address, length, whether the region is whole.
_REGION: Final = struct.Struct("<QI?3x")


def write_event(event: Event, regions: Iterable[Region] = ()) -> bytes:
    """Write one event. ``regions``: what was read of its memory."""
    fields = {
        name: _plain(getattr(event, name))
        for name in event.__slots__
        if name != "memory" and getattr(event, name) is not None
    }
    text = json.dumps([type(event).__name__, fields], separators=(",", ":")).encode()
    parts = []
    count = 0
    for address, data, whole in regions:
        parts += [_REGION.pack(address, len(data), whole), data]
        count += 1
    return b"".join((_HEAD.pack(len(text), count), text, *parts))


def _plain(value: Any) -> Any:
    match value:
        case Task():
            return [value.pid, value.tid, value.comm]
        case bytes():
            return value.hex()
        case NewBy():
            return value.value
        case _:
            return value


class EventReader:
    """Reads events back. Tasks are shared, as from any backend."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[int, int, str], Task] = {}

    def read(self, data: bytes) -> Iterator[Event]:
        """Read all events of a frame.

        Errors: BadRecording.
        """
        at = 0
        try:
            while at < len(data):
                length, count = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name, fields = json.loads(data[at : at + length])
                at += length
                regions = []
                for _ in range(count):
                    address, size, whole = _REGION.unpack_from(data, at)
                    at += _REGION.size
                    regions.append((address, data[at : at + size], whole))
                    at += size
                yield self._event(_KINDS[name], fields, regions)
        except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
            raise BadRecording("an event in it cannot be read") from error

    def _event(self, kind: type[Event], fields: dict[str, Any], regions: list[Region]) -> Event:
        for name in ("task", "parent"):
            if name in fields:
                fields[name] = self._task(fields[name])
        if "siginfo" in fields:
            fields["siginfo"] = bytes.fromhex(fields["siginfo"])
        elif kind is Signal:
            fields["siginfo"] = None
        if "by" in fields:
            fields["by"] = NewBy(fields["by"])
        if "abi" in fields:
            fields["abi"] = Abi(fields["abi"])
            fields["args"] = tuple(fields["args"])
        if kind in (SyscallEnter, SyscallExit):
            memory: Memory = Snapshot(regions) if regions else NO_MEMORY
            fields["memory"] = memory
        return kind(**fields)

    def _task(self, written: list[Any]) -> Task:
        pid, tid, comm = written
        key = int(pid), int(tid), str(comm)
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = Task(*key)
        return task
