"""Events as bytes, for recordings: JSON for what they say, plain bytes for the memory.

An event is followed by what was read of the target's memory, which is all that decoding needs.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.recording import BadRecording
from pytracer.event.schema import (
    Abi,
    Event,
    GroupStop,
    Lost,
    Mapped,
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
# What was asked of the live system, such as ("terminal", pid 7, descriptor 0), and the answers.
Answers: TypeAlias = dict[tuple[str, int, int], Any]
# The same by process.
Known: TypeAlias = dict[int, dict[tuple[str, int], Any]]

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
        Mapped,
        Lost,
    )
}
# Length of the JSON, number of regions.
_HEAD: Final = struct.Struct("<II")
# Address, length, whether the region is whole, and whether it lies beyond all addresses, where
# descriptors are.
_REGION: Final = struct.Struct("<QI??2x")
_BEYOND: Final = 1 << 64


def write_event(
    event: Event,
    regions: Iterable[Region] = (),
    answers: Answers | None = None,
    let_go_ns: int | None = None,
) -> bytes:
    """Write one event.

    ``regions``: what was read of its memory. ``answers``: what was asked about it that is new.
    ``let_go_ns``: the time that it had once it was handed on, where that is another.
    """
    fields = {
        name: _plain(getattr(event, name))
        for name in event.__slots__
        if name != "memory" and getattr(event, name) is not None
    }
    about: dict[str, Any] = {}
    if answers:
        about["answers"] = [[*key, value] for key, value in answers.items()]
    if let_go_ns is not None:
        about["let_go_ns"] = let_go_ns
    text = json.dumps([type(event).__name__, fields, about], separators=(",", ":")).encode()
    parts = []
    count = 0
    for address, data, whole in regions:
        beyond = address >= _BEYOND
        parts += [_REGION.pack(address - beyond * _BEYOND, len(data), whole, beyond), data]
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
    """Reads events back. Tasks are shared, as from any backend.

    ``known``: takes in what was answered about each event, before it is given.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._tasks: dict[tuple[int, int, str], Task] = {}

    def read(self, data: bytes) -> Iterator[tuple[Event, int | None]]:
        """Read all events of a frame, each with the time that it had once it was handed on.

        Errors: BadRecording.
        """
        at = 0
        try:
            while at < len(data):
                length, count = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name, fields, about = json.loads(data[at : at + length])
                at += length
                regions = []
                for _ in range(count):
                    address, size, whole, beyond = _REGION.unpack_from(data, at)
                    at += _REGION.size
                    regions.append((address + beyond * _BEYOND, data[at : at + size], whole))
                    at += size
                for what, pid, number, answer in about.get("answers", ()):
                    self._known.setdefault(int(pid), {})[str(what), int(number)] = answer
                yield self._event(_KINDS[name], fields, regions), about.get("let_go_ns")
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            struct.error,
        ) as error:
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
        if "areas" in fields:
            fields["areas"] = tuple(
                (int(start), int(end), int(offset), str(path))
                for start, end, offset, path in fields["areas"]
            )
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
