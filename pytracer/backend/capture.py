"""Run a capture plan in user space, over a memory that can be read now.

The kernel programs do the same over the running task. This one serves calls that hang while
pytracer attaches, recordings of live runs, and the proof that plans bring all that decoders read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pytracer.event.files import LOOK_UP
from pytracer.event.memory import CString, Memory, descriptor_address
from pytracer.spec.plan import (
    AtOffset,
    AtRegister,
    AtResult,
    AtStack,
    Fetch,
    From,
    Length,
    Numbers,
    Phase,
)

# (address, bytes, whole): see event.memory.Snapshot
Region: TypeAlias = tuple[int, bytes, bool]


def capture(
    fetches: Iterable[Fetch],
    phase: Phase,
    args: tuple[int, ...],
    ret: int,
    memory: Memory,
    word: int,
) -> list[Region]:
    """Read what the plan wants of one phase.

    Shape:  ``ret`` counts only at exit; ``word`` is the size of a stored pointer in bytes.
    Errors: none raised; what cannot be read is a region without bytes that is not whole.
    """
    failed = phase is Phase.EXIT and -4095 <= ret < 0
    regions: list[Region] = []
    for fetch in fetches:
        if fetch.phase is not phase or (failed and not fetch.always):
            continue
        if isinstance(fetch.at, AtStack):
            continue  # of a task that may run on there is none to be had
        if fetch.describes is not None:
            regions += _described(fetch, b"", args, ret)
            continue
        assert isinstance(fetch.at, AtRegister), "a plan starts from registers"
        _fetch(fetch, args[fetch.at.index], b"", args, ret, memory, word, regions)
    return regions


def _described(fetch: Fetch, block: bytes, args: tuple[int, ...], ret: int) -> list[Region]:
    """Have descriptors looked up by whoever decodes: that the call goes on is why this is run."""
    match fetch.describes, fetch.at:
        case Numbers.ONE, AtRegister(index=index):
            found = [args[index]]
        case Numbers.ONE, AtResult():
            found = [ret]
        case Numbers.ONE, AtOffset(offset=offset):
            found = [int.from_bytes(block[offset : offset + 4], "little")]
        case Numbers.SET, _:
            most = min(_length(fetch.length, block, args, ret), 8 * len(block))
            found = [fd for fd in range(most) if block[fd >> 3] >> (fd & 7) & 1]
        case _:
            # Nothing that passes descriptors on hangs with them in hand.
            found = []
    return [(descriptor_address(fd), LOOK_UP, True) for fd in found]


def _length(length: Length, block: bytes, args: tuple[int, ...], ret: int) -> int:
    match length.source:
        case From.CONST:
            value = length.value
        case From.REGISTER:
            value = args[length.value]
            if length.width:
                value &= (1 << 8 * length.width) - 1
        case From.RETURN:
            value = ret
        case From.PARENT:
            value = int.from_bytes(block[length.value : length.value + length.width], "little")
    value *= length.unit if length.source is not From.CONST else 1
    return min(value, ret) if length.brought else value


def _fetch(
    fetch: Fetch,
    address: int,
    block: bytes,
    args: tuple[int, ...],
    ret: int,
    memory: Memory,
    word: int,
    regions: list[Region],
) -> None:
    if not address:
        return
    limit = max(fetch.limit, fetch.netlink)  # whether it is such a socket is not known here
    wanted = min(max(_length(fetch.length, block, args, ret), 0), limit)
    if not wanted:
        return
    if fetch.cstr:
        found = memory.read_cstr(address, wanted)
        if isinstance(found, CString):
            data = found.data + b"\0" if found.terminated else found.data
            regions.append((address, data, True))
        else:
            regions.append((address, b"", False))
        return
    some = memory.read_some(address, wanted)
    data = some if isinstance(some, bytes) else b""
    regions.append((address, data, len(data) == wanted))
    for element in _elements(fetch, data, word):
        for inner in fetch.inside:
            if inner.describes is not None:
                regions += _described(inner, element, args, ret)
                continue
            assert isinstance(inner.at, AtOffset)
            offset = inner.at.offset
            if len(element) >= offset + word:
                pointer = int.from_bytes(element[offset : offset + word], "little")
                _fetch(inner, pointer, element, args, ret, memory, word, regions)


def _elements(fetch: Fetch, data: bytes, word: int) -> Iterable[bytes]:
    if not fetch.inside:
        return
    if not fetch.stride:
        yield data
        return
    for i in range(min(len(data) // fetch.stride, fetch.elements)):
        element = data[i * fetch.stride : (i + 1) * fetch.stride]
        if fetch.until_null and not any(element[:word]):
            return
        yield element
