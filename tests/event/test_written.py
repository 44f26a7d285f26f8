"""Events as bytes, and back."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import pytest

from pytracer.event.memory import NO_MEMORY, Snapshot, descriptor_address
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
from pytracer.event.written import EventReader, Known, write_event

ONE, TWO = Task(5, 5, "sh\udcff"), Task(5, 7, "")
REGIONS = [
    (0x1000, b"path\0", True),
    (0xFFFF_FFFF_FFFF_F000, b"", False),
    (descriptor_address(-100), b"?", True),
]
ARGS = (1, 0xFFFF_FFFF_FFFF_FFFF, 3, 4, 5, 6)
EVENTS: Sequence[Event] = (
    TaskNew(ONE, 1, NewBy.LAUNCHED),
    TaskNew(TWO, 2, NewBy.FORKED, ONE),
    SyscallEnter(ONE, 3, Abi.I386, -1, ARGS, NO_MEMORY),
    SyscallEnter(TWO, 3, Abi.X32, 5, ARGS, NO_MEMORY, 0x1234, 230),
    SyscallExit(ONE, 4, -512, NO_MEMORY, True, 17, 5),
    Signal(ONE, 5, 10, bytes(range(48)), 7),
    Signal(ONE, 5, 10, None),
    GroupStop(ONE, 6, 19),
    TaskExec(ONE, 7, 7),
    TaskExiting(TWO, 8),
    TaskExit(TWO, 9, 0x100),
    TaskDetached(ONE, 10),
    Lost(11, 13, "the ring was full"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    ((found, let_go_ns),) = EventReader({}).read(write_event(event))
    assert found == event and let_go_ns is None


def test_memory_comes_along() -> None:
    event = SyscallExit(ONE, 4, 0, NO_MEMORY)
    ((found, _),) = EventReader({}).read(write_event(event, REGIONS))
    assert isinstance(found, SyscallExit) and isinstance(found.memory, Snapshot)
    assert found.memory.regions == REGIONS


def test_answers_are_known_once_their_event_is_given() -> None:
    known: Known = {}
    first = write_event(EVENTS[0], answers={("terminal", 5, 0): True})
    second = write_event(EVENTS[1], answers={("netlink", 5, 3): None}, let_go_ns=77)
    events = EventReader(known).read(first + second)
    next(events)
    assert known == {5: {("terminal", 0): True}}
    assert next(events)[1] == 77
    assert known == {5: {("terminal", 0): True, ("netlink", 3): None}}


def test_tasks_are_shared() -> None:
    data = b"".join(map(write_event, EVENTS))
    found = [event for event, _ in EventReader({}).read(data)]
    assert found[0].task is found[2].task  # type: ignore[union-attr]


def written(value: object, count: int = 0) -> bytes:
    text = json.dumps(value).encode()
    return struct.pack("<II", len(text), count) + text


@pytest.mark.parametrize(
    "data",
    [
        b"abc",
        written(["Nothing", {}, {}]),
        written(["Lost", {"time_ns": 1}, {}]),
        written(["Lost", {"time_ns": 1, "count": 1, "reason": "", "more": 1}, {}]),
        written(["TaskNew", {"task": [1], "time_ns": 1, "by": "launched"}, {}]),
        written(["TaskNew", {"task": [1, 1, ""], "time_ns": 1, "by": "magic"}, {}]),
        written(["Lost", {"time_ns": 1, "count": 1, "reason": ""}, []]),
        written(["Lost", {"time_ns": 1, "count": 1, "reason": ""}, {}], 1),
        written(7),
    ],
)
def test_nonsense_is_found_out(data: bytes) -> None:
    with pytest.raises(BadRecording):
        list(EventReader({}).read(data))
