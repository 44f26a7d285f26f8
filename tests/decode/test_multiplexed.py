"""Calls that stand for others."""

from __future__ import annotations

import struct

from pytracer.decode.catalogue import describe, with_multiplexers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY, Snapshot
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit, Task
from pytracer.output.style import Style
from pytracer.output.summary import Summary, render
from pytracer.output.text.render import Renderer
from pytracer.spec.abi import I386
from pytracer.spec.plan import AtOffset, From, Phase

SOCKETCALL, SENDTO = 102, 369
TASK = Task(1, 1)
MEMORY = Snapshot(
    [(0x100, struct.pack("<IIII", 3, 0x200, 5, 0x4000), True), (0x200, b"hello", True)]
)


def enter(number: int, memory: Snapshot = MEMORY) -> SyscallEnter:
    return SyscallEnter(TASK, 0, Abi.I386, SOCKETCALL, (number, 0x100, 0, 0, 0, 0), memory)


def shown(decoder: Decoder, event: SyscallEnter) -> str | None:
    call = decoder.entered(event)
    if call is None:
        return None
    done = decoder.exited(SyscallExit(TASK, 1, 5, NO_MEMORY))
    assert done is not None
    return f"{done.name}({Renderer(Style()).arguments(done.values)})"


def test_the_call_that_is_meant() -> None:
    assert shown(Decoder(), enter(9)) == 'send(3, "hello", 5, MSG_NOSIGNAL)'


def test_a_number_without_meaning_and_memory_that_cannot_be_read() -> None:
    assert shown(Decoder(), enter(99)) == "socketcall(99, 0x100)"
    assert shown(Decoder(), enter(9, Snapshot([]))) == "socketcall(SYS_SEND, 0x100)"


def test_which_are_wanted() -> None:
    def wanted(*numbers: int) -> Decoder:
        none: frozenset[int] = frozenset()
        listed = frozenset(numbers)
        syscalls = {Abi.X86_64: none, Abi.I386: listed, Abi.X32: none}
        return Decoder(DecodeOptions(syscalls=syscalls))

    assert shown(wanted(SOCKETCALL), enter(9)) is not None
    assert shown(wanted(359), enter(1)) is not None
    assert shown(wanted(359), enter(2)) is None
    assert shown(wanted(359), enter(99)) is None


def test_they_are_counted_apart() -> None:
    decoder, summary = Decoder(), Summary()
    for number in (9, 9, 1, 99):
        decoder.entered(enter(number))
        call = decoder.exited(SyscallExit(TASK, 1, 5, NO_MEMORY))
        assert call is not None
        summary.add(call)
    names = [line.split()[-1] for line in render(summary).splitlines()[3:-2]]
    assert sorted(names) == ["send", "socket", "socketcall"]


def test_what_has_to_be_read_of_the_arguments_lies_in_their_block() -> None:
    entry = describe(Abi.I386, SOCKETCALL)
    (block, *_), inner = entry.fetches(I386, 32, False, 9), entry.selector(I386)
    assert inner is not None
    assert inner.register == 0
    assert block.limit == 16
    (at_entry,) = (f for f in entry.fetches(I386, 32, False, 9) if f.inside)
    assert at_entry.phase is Phase.ENTRY
    (buffer,) = at_entry.inside
    assert buffer.at == AtOffset(4)
    assert (buffer.length.source, buffer.length.value) == (From.PARENT, 8)


def test_who_filters_must_let_them_through() -> None:
    none: frozenset[int] = frozenset()
    wanted = {Abi.X86_64: frozenset({41}), Abi.I386: frozenset({SENDTO}), Abi.X32: none}
    assert with_multiplexers(wanted) == wanted | {Abi.I386: frozenset({SENDTO, SOCKETCALL})}
    assert with_multiplexers(wanted | {Abi.I386: frozenset({3})})[Abi.I386] == {3}
