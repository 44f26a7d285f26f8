"""Whatever a target passes, decoding raises nothing; text comes out, and JSON."""

from __future__ import annotations

import random

import pytest

from pytracer.decode.catalogue import book, numbers
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import Absent, CString, Reason
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit, Task
from pytracer.output.ndjson.lines import NdjsonOutput, Start
from pytracer.output.style import LineStyle, Style, Xlats
from pytracer.output.text.lines import TextOutput
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.entry import Entry
from tests.output.accounts import read
from tests.output.scene import Text

pytestmark = pytest.mark.slow

ROUNDS = 12
# What a target can make the tracer read at once is bounded, whatever it passes.
MOST_READ = 1 << 23
INTERESTING = (0, 1, 2, 3, 4, 8, 16, 24, 48, 64, 128, 4096, 0x1000, 0x7FFFFFFF, 0x80000000)
# These are shown as the calls that they stand for.
MULTIPLEXED = {"ipc", "socketcall"}
START = Start("ptrace", "6.18", 0)
TASK = Task(7, 7, "nonsense")


class Nonsense:
    """A memory of random bytes, small numbers more often than not, of which parts are missing."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.reads = 0

    def _bytes(self, length: int) -> bytes:
        kind = self.chance.random()
        if kind < 0.3:
            return bytes(length)
        if kind < 0.6 or length > 4096:
            small = bytes(self.chance.choice((0, 0, 0, 1, 2, 3, 16, 255)) for _ in range(64))
            return (small * (length // 64 + 1))[:length]
        return self.chance.randbytes(length)

    def read(self, address: int, length: int) -> bytes | Absent:
        assert 0 <= length <= MOST_READ
        self.reads += 1
        # Vectors of vectors would be written for minutes.
        if not address or self.reads > 500 or self.chance.random() < 0.15:
            return Absent(address, Reason.UNMAPPED if address else Reason.NULL)
        return self._bytes(length)

    def read_some(self, address: int, length: int) -> bytes | Absent:
        found = self.read(address, length)
        if isinstance(found, bytes) and self.chance.random() < 0.3:
            return found[: self.chance.randrange(1, length + 1)] if length else found
        return found[:4096] if isinstance(found, bytes) else found

    def read_cstr(self, address: int, limit: int) -> CString | Absent:
        found = self.read(address, limit)
        if not isinstance(found, bytes):
            return found
        end = found.find(b"\0")
        return CString(found[:end], True) if end >= 0 else CString(found, False)


def registers(chance: random.Random, width: int, selected: tuple[int, ...]) -> tuple[int, ...]:
    mask = (1 << 8 * width) - 1
    found = []
    for _ in range(6):
        kind = chance.random()
        if kind < 0.5:
            value = chance.choice(INTERESTING)
        elif kind < 0.7 and selected:
            value = chance.choice(selected)
        elif kind < 0.8:
            value = mask - chance.choice(INTERESTING[:6])
        else:
            value = chance.getrandbits(8 * width)
        found.append(value & mask)
    return tuple(found)


ENTRIES = sorted(book().entries.items(), key=lambda item: item[0])
STYLES = (
    Style(),
    Style(abbreviate=False, arg_names=True),
    Style(xlats=Xlats.VERBOSE),
    Style(xlats=Xlats.RAW),
)


@pytest.mark.parametrize(
    ("key", "entry"), ENTRIES, ids=[f"{name}-{Abi(abi).name}" for (name, abi), _ in ENTRIES]
)
def test_decoding_raises_nothing(key: tuple[str, int], entry: Entry) -> None:
    name, index = key
    abi = Abi(index)
    found = [nr for nr, (known, _) in numbers(abi).items() if known == name]
    if not found:
        pytest.skip("the ABI has no such call")
    chance = random.Random(f"{name} {index}")
    width = 4 if abi is Abi.I386 else 8
    selector = entry.selector(LAYOUTS[index])
    selected = selector.values if selector else ()
    for turn in range(ROUNDS):
        memory = Nonsense(chance)
        style = STYLES[turn % len(STYLES)]
        decoder = Decoder(DecodeOptions(32, not style.abbreviate))
        sink = Text()
        output = TextOutput(sink, style, LineStyle())
        told = Text()
        objects = NdjsonOutput(told, START)
        args = registers(chance, width, selected)
        enter = SyscallEnter(TASK, 1, abi, found[0], args, memory)  # type: ignore[arg-type]
        call = decoder.handle(enter)
        output.handle(enter, call)
        objects.handle(enter, call)
        ret = chance.choice((0, 0, 1, 2, 3, 40, 4096, -1, -14, -7, -512, -516, 1 << 40, -(1 << 40)))
        leave = SyscallExit(TASK, 2, ret, memory)
        call = decoder.handle(leave)
        output.handle(leave, call)
        objects.handle(leave, call)
        output.flush()
        objects.flush()
        assert [each["type"] for each in read(told.text)] == ["start", "syscall"]
        # A remark on the ABI may stand before it.
        *_, line, end = sink.text.split("\n")
        assert line.startswith(name) or name in MULTIPLEXED
        assert not end
