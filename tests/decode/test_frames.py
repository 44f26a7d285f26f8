"""The parts of which stacks are told: mappings, rules of frames, functions of files."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from pytracer.decode.frames.demangle import demangled
from pytracer.decode.frames.frame import Frame
from pytracer.decode.frames.maps import parse_maps, read_maps
from pytracer.decode.frames.module import BadModule, Module
from pytracer.decode.frames.rows import Row, evaluate
from pytracer.decode.frames.stacks import load_module
from pytracer.event.memory import NO_MEMORY, Snapshot
from pytracer.event.registers import LENGTH, RBP, RIP, RSP, is_native, numbered
from pytracer.output.text.stacked import lines_of

LINES = """\
00400000-00401000 r--p 00000000 08:02 173521                             /usr/bin/a b
00401000-00452000 r-xp 00001000 08:02 173521                             /usr/bin/a b
7ffd0000-7ffd2000 rw-p 00000000 00:00 0                                  [stack]
7ffe0000-7ffe1000 rw-p 00000000 00:00 0
"""


def test_mappings() -> None:
    maps = parse_maps(LINES.splitlines())
    found = maps.find(0x401010)
    assert found is not None
    assert (found.path, found.offset, found.executable) == ("/usr/bin/a b", 0x1000, True)
    assert maps.find(0x400FFF) is not None and not maps.find(0x400FFF).executable  # type: ignore[union-attr]
    assert maps.find(0x452000) is None
    assert maps.find(0x1000) is None
    assert maps.find(0x7FFE0000).path == ""  # type: ignore[union-attr]
    mine = read_maps(os.getpid())
    assert mine is not None
    assert read_maps(0x7FFFFFFF) is None


def words(at: int, *values: int) -> Snapshot:
    data = b"".join(value.to_bytes(8, "little") for value in values)
    return Snapshot([(at, data, True)])


def test_leaving_a_frame() -> None:
    row = Row(RSP, 16, None, {RIP: ("OFFSET", -8), RBP: ("OFFSET", -16)}, 0)
    memory = words(0x1000, 77, 0x401234)
    left = row.leave({RSP: 0x1000, RIP: 1, RBP: 5, 3: 9}, memory)
    assert left == {RSP: 0x1010, RIP: 0x401234, RBP: 77, 3: 9}
    assert row.leave({RSP: 0x5000, RIP: 1}, memory) is None
    outermost = Row(RSP, 8, None, {RIP: ("UNDEFINED", None)}, 0)
    assert outermost.leave({RSP: 0x1000, RIP: 1}, memory) is None


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (b"\x77\x08", 0x1008),  # breg7 8
        (b"\x77\x78", 0xFF8),  # breg7 -8
        (b"\x77\x00\x06", 77),  # deref
        (b"\x77\x00\x23\x90\x01", 0x1090),  # plus_uconst
        (b"\x38\x33\x24", 64),  # lit8 lit3 shl
        (b"\x3b\x3a\x2a\x33\x24", 8),  # lit11 lit10 ge lit3 shl
        (b"\x08\xff\x09\xff\x22", 0xFE),  # const1u, const1s, plus
        (b"\x06", None),
        (b"\xff", None),
        (b"\x77\x80\x20\x06", None),
        (b"", None),
    ],
)
def test_expressions(code: bytes, value: int | None) -> None:
    assert evaluate(code, {RSP: 0x1000}, words(0x1000, 77), []) == value


def test_registers() -> None:
    data = b"".join(i.to_bytes(8, "little") for i in range(21))
    assert len(data) == LENGTH
    found = numbered(data)
    assert (found[RIP], found[RSP], found[RBP], found[15], found[0]) == (16, 19, 4, 0, 10)
    assert not is_native(data)
    assert not isinstance(NO_MEMORY.read(0, 8), bytes)


def test_not_a_program() -> None:
    for data in (b"", b"\x7fELF" + bytes(60), Path(__file__).read_bytes()):
        with pytest.raises(BadModule):
            Module(data)


@pytest.mark.needs_program("gcc")
def test_functions_of_a_program(tmp_path: Path) -> None:
    source = tmp_path / "two.c"
    source.write_text("int one(int a) { return a + 1; }\nint main(void) { return one(1); }\n")
    subprocess.run(["gcc", "-O0", "-o", str(tmp_path / "two"), str(source)], check=True, timeout=60)
    said = subprocess.run(
        ["nm", str(tmp_path / "two")], capture_output=True, text=True, check=True, timeout=60
    )
    address = next(
        int(line.split()[0], 16) for line in said.stdout.splitlines() if " T one" in line
    )
    module = Module((tmp_path / "two").read_bytes())
    assert module.function(address + 1) == ("one", 1)
    assert module.function(0) is None
    row = module.row(address)
    assert row is not None
    assert (row.register, row.offset) == (RSP, 8)
    inside = module.row(address + 4)  # behind push and mov
    assert inside is not None and inside.offset == 16
    assert module.row(1 << 40) is None
    assert module.address(1 << 40) is None


def test_names_of_cpp() -> None:
    assert demangled("main") == "main"
    assert demangled("_ZN3FooC1Ev") in ("Foo::Foo()", "_ZN3FooC1Ev")
    assert demangled("_Znonsense") == "_Znonsense"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (str(tmp_path / "fifo"), "/dev/zero", "/a\0b", "/\ud800", "relative", ""):
        assert load_module(path, "/proc") is None


def test_names_do_not_reach_a_terminal_as_they_are() -> None:
    hostile = Frame("/a\x1b]0;x\x07\udcff\ud800é", "f\n", 1, 2)
    assert lines_of([hostile]) == (" > /a\\33]0;x\\7\\377\\355\\240\\200é(f\\12+0x1) [0x2]\n")
    assert lines_of([Frame("", None, 0, 0, "\x1b")]) == " > \\33\n"


@pytest.mark.needs_program("gcc")
def test_damaged_programs_are_bad_modules_or_none_the_worse(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text("int main(void) { return 0; }\n")
    command = ["gcc", "-O0", "-o", str(tmp_path / "one"), str(tmp_path / "one.c")]
    subprocess.run(command, check=True, timeout=60)
    good = (tmp_path / "one").read_bytes()
    chosen = random.Random(20261)
    bad = 0
    for _ in range(307):
        data = bytearray(good)
        for _ in range(chosen.choice((1, 7, 31))):
            # The header, and the tables at the end.
            first, last = chosen.choice(((0, 64), (len(data) - 2048, len(data)), (0, len(data))))
            data[chosen.randrange(first, last)] = chosen.choice((0, 255, chosen.randrange(256)))
        try:
            module = Module(bytes(data))
        except BadModule:
            bad += 1
            continue
        assert module.entry is None or module.entry >= 0
        for address in (0x1040, 0x1129, 0x1131, 1 << 62):
            module.function(address)
            module.row(address)
    assert 0 < bad < 307
