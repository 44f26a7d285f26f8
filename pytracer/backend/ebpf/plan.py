"""Capture plans in the form in which the kernel runs them: struct step, call and shape."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from pytracer.backend.ebpf.wire import (
    CALL_DROP_FAILED,
    CALL_DROP_FAST,
    CALL_DROP_OK,
    CALL_FRAME,
    CALL_SELECTS,
    CALL_WANTED,
    MAX_NR,
)
from pytracer.event.schema import FRAME_CALLS, Abi
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.entry import Selector
from pytracer.spec.plan import AtOffset, AtRegister, AtResult, AtStack, Fetch, From, Numbers, Phase
from pytracer.target.selection import Selection

_STEP: Final = struct.Struct("<BBBBHHHHHHIIII")
_CALL: Final = struct.Struct("<BBHHHI")
_SHAPE: Final = struct.Struct("<HHH2x")
_SHAPE_KEY: Final = struct.Struct("<II")

_CSTR: Final = 1
_OFFSET: Final = 2
_WORD4: Final = 4
_UNTIL_NULL: Final = 8
_DESCRIBE: Final = 16
_NUMBERS: Final = {Numbers.ONE: 0, Numbers.SET: 1, Numbers.PASSED: 2}
_BROUGHT: Final = 32
_REGISTERS: Final = 64
_RESULT: Final = 6  # after the six registers of a call
_STACK: Final = 7
_FROM: Final = {From.CONST: 0, From.REGISTER: 1, From.RETURN: 2, From.PARENT: 3}

_MOST_STEPS: Final = 32768


class Plans(Protocol):
    """Where the descriptions of system calls are: what the tables know, as the backend needs it.

    ``descriptors``: whether plans ask what descriptors refer to. ``stacks``: whether they bring the
    caller's stack.
    """

    descriptors: bool
    stacks: bool

    def numbers(self, abi: Abi) -> Iterable[int]:
        """All numbers that have a description."""
        ...

    def selector(self, abi: Abi, nr: int) -> Selector | None:
        """The argument that the plan depends on."""
        ...

    def fetches(self, abi: Abi, nr: int, selected: int | None) -> tuple[Fetch, ...]:
        """The plan for one value of the selector."""
        ...


class NoPlans:
    """No call is described: nothing but registers is captured."""

    descriptors = False
    stacks = False

    def numbers(self, abi: Abi) -> Iterable[int]:
        return ()

    def selector(self, abi: Abi, nr: int) -> Selector | None:
        return None

    def fetches(self, abi: Abi, nr: int, selected: int | None) -> tuple[Fetch, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Image:
    """The contents of the maps calls (in order of its index), steps and shapes."""

    calls: bytes
    steps: bytes
    shape_keys: bytes
    shapes: bytes


class PlanError(Exception):
    """The plans do not fit into the kernel's form."""


class Compiler:
    """Lays fetches out as steps, sharing equal chains."""

    def __init__(self) -> None:
        self._steps: list[bytes] = [bytes(_STEP.size)]
        self._known: dict[tuple[tuple[Fetch, ...], int], int] = {}

    def chain(self, fetches: tuple[Fetch, ...], word: int) -> int:
        """Lay out siblings; the number of the first, 0 for none."""
        if not fetches:
            return 0
        key = fetches, word
        known = self._known.get(key)
        if known is not None:
            return known
        following = 0
        # From the last to the first, as each names its successor.
        for fetch in reversed(fetches):
            step = self._step(fetch, word, following, self.chain(fetch.inside, word))
            following = len(self._steps)
            if following >= _MOST_STEPS:
                raise PlanError(f"more than {_MOST_STEPS} steps")
            self._steps.append(step)
        self._known[key] = following
        return following

    @staticmethod
    def _step(fetch: Fetch, word: int, following: int, child: int) -> bytes:
        flags = _CSTR if fetch.cstr else 0
        register = offset = 0
        match fetch.at:
            case AtRegister(index=register):
                pass
            case AtOffset(offset=offset):
                flags |= _OFFSET
            case AtResult():
                register = _RESULT
            case AtStack():
                register = _STACK
        if word == 4:
            flags |= _WORD4
        if fetch.until_null:
            flags |= _UNTIL_NULL
        source = _FROM[fetch.length.source]
        if fetch.describes is Numbers.REGISTERS:
            flags |= _REGISTERS
        elif fetch.describes is not None:
            flags |= _DESCRIBE
            source = _NUMBERS[fetch.describes]
        length = fetch.length
        if length.brought:
            flags |= _BROUGHT
        fixed = min(length.value, fetch.limit) if length.source is From.CONST else 0
        value = length.value if length.source in (From.REGISTER, From.PARENT) else 0
        return _STEP.pack(
            flags,
            register,
            source,
            length.width,
            offset,
            value,
            following,
            child,
            fetch.stride,
            min(fetch.elements, 0xFFFF),
            length.unit,
            fetch.limit,
            fixed,
            max(fetch.limit, fetch.netlink),
        )

    def plan(self, fetches: tuple[Fetch, ...], word: int) -> tuple[int, int, int]:
        """The first steps at entry, at a successful exit and at a failed one."""
        at_entry = tuple(f for f in fetches if f.phase is Phase.ENTRY)
        at_exit = tuple(f for f in fetches if f.phase is Phase.EXIT)
        always = tuple(f for f in at_exit if f.always)
        return (
            self.chain(at_entry, word),
            self.chain(at_exit, word),
            self.chain(always, word),
        )

    def steps(self) -> bytes:
        """All steps so far."""
        return b"".join(self._steps)


def compile_plans(plans: Plans) -> Image:
    """Compile every description; :func:`select` then says which calls are wanted.

    Errors: PlanError.
    """
    compiler = Compiler()
    calls = [_CALL.pack(0, 0, 0, 0, 0, 0)] * (MAX_NR * len(Abi))
    keys = []
    shapes = []
    for abi in Abi:
        word = LAYOUTS[abi].word
        for nr in plans.numbers(abi):
            if not 0 <= nr < MAX_NR - 1:
                raise PlanError(f"number {nr} is beyond {MAX_NR - 2}")
            index = abi * MAX_NR + nr
            default = compiler.plan(plans.fetches(abi, nr, None), word)
            selector = plans.selector(abi, nr)
            if selector is None:
                if any(default):
                    calls[index] = _CALL.pack(0, 0, *default, 0)
                continue
            mask = selector.mask & 0xFFFFFFFF
            calls[index] = _CALL.pack(CALL_SELECTS, selector.register, *default, mask)
            for value in selector.values:
                shape = compiler.plan(plans.fetches(abi, nr, value), word)
                if shape != default:
                    keys.append(_SHAPE_KEY.pack(index, value & 0xFFFFFFFF))
                    shapes.append(_SHAPE.pack(*shape))
    return Image(b"".join(calls), compiler.steps(), b"".join(keys), b"".join(shapes))


def select(calls: bytes, selection: Selection) -> bytes:
    """Mark the calls that are wanted in the contents of the map calls."""
    data = bytearray(calls)
    for abi, nr in FRAME_CALLS:
        data[(abi * MAX_NR + nr) * _CALL.size] |= CALL_FRAME
    flags = CALL_WANTED
    if not selection.succeeded:
        flags |= CALL_DROP_OK
    if not selection.failed:
        flags |= CALL_DROP_FAILED
    if selection.slower_than_ns:
        flags |= CALL_DROP_FAST
    for abi in Abi:
        if selection.syscalls is None:
            wanted: Iterable[int] = range(MAX_NR)
        else:
            # Numbers beyond the table share its last entry, and are always wanted.
            listed = selection.syscalls.get(abi, ())
            wanted = {MAX_NR - 1, *(nr for nr in listed if 0 <= nr < MAX_NR)}
        for nr in wanted:
            data[(abi * MAX_NR + nr) * _CALL.size] |= flags
    return bytes(data)
