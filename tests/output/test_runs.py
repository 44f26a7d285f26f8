"""Calls that come in runs are written as they are written one by one."""

from __future__ import annotations

import struct

import pytest

from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import NO_MEMORY, Memory, Patched, Snapshot
from pytracer.event.schema import Abi, NewBy, Registers, Run, Task, TaskNew, WholeCall
from pytracer.output.style import LineStyle, Stamp, Status, Style, Xlats
from pytracer.output.text.lines import TextOutput
from pytracer.spec.values import Reference
from tests.output.scene import Text

Parts = tuple[int, Registers, int, int, Memory, Memory]

ONE, OTHER = Task(7, 7, "one"), Task(1234567, 1234567, "other")
PATH = Snapshot([(0x1000, b"/etc/passwd\0", True)])
READ = Snapshot([(0x2000, b"text \1and\n", True)])
SENT = Snapshot([(0x3000, b"to a socket", True)])
STAT = Snapshot(
    [(0x4000, struct.pack("<QQQII16xq", 8, 9, 1, 0o100644, 0, 5).ljust(144, b"\0"), True)]
)
LIMITS = Snapshot([(0x5000, struct.pack("<QQ", 1, 2), True)])
FDS = Snapshot([(0x6000, struct.pack("<ihh", 3, 1, 1), True)])

# number, registers, result, memory at the entry and at the exit
CALLS: tuple[tuple[int, tuple[int, ...], int, Memory, Memory], ...] = (
    (257, (0xFFFFFF9C, 0x1000, 0x80000), 3, PATH, NO_MEMORY),  # openat
    (257, (0xFFFFFF9C, 0x1000, 0o100), -13, PATH, NO_MEMORY),
    (0, (3, 0x2000, 832), 10, NO_MEMORY, READ),  # read
    (0, (3, 0x2000, 832), -9, NO_MEMORY, NO_MEMORY),
    (5, (3, 0x4000), 0, NO_MEMORY, STAT),  # fstat
    (9, (0, 8192, 3, 0x22, 0xFFFFFFFF, 0), 0x7F1122334000, NO_MEMORY, NO_MEMORY),  # mmap
    (44, (3, 0x3000, 11, 0, 0, 0), 11, SENT, NO_MEMORY),  # sendto
    (302, (0, 7, 0x5000, 0x5000), 0, LIMITS, LIMITS),  # prlimit64
    (7, (0x6000, 1, 0), 1, FDS, FDS),  # poll
    (39, (), 7, NO_MEMORY, NO_MEMORY),  # getpid
    (61, (0xFFFFFFFF, 0, 0, 0), -512, NO_MEMORY, NO_MEMORY),  # wait4
    (35, (0x5000, 0x5000), -516, LIMITS, LIMITS),  # nanosleep
    (219, (), -4, NO_MEMORY, NO_MEMORY),  # restart_syscall
    (3, (3,), 0, NO_MEMORY, NO_MEMORY),  # close
    (999, (1, 2, 3), -38, NO_MEMORY, NO_MEMORY),  # none
)  # fmt: skip


def run_of(abi: Abi = Abi.X86_64, opened: list[int] | None = None) -> Run:
    """All calls, by two tasks, twice."""

    def open_call(call: WholeCall) -> Parts:
        nr, args, ret, before, after = CALLS[int(call[3])]
        if opened is not None:
            opened.append(nr)
        registers = (*args, *(0,) * (6 - len(args)))
        return nr, registers, ret, 0x401000, before, after  # type: ignore[return-value]

    calls: list[WholeCall] = []
    for task in (ONE, OTHER, OTHER, ONE):
        for i in range(len(CALLS)):
            began = 1_000_000_000 + len(calls) * 10_000
            calls.append((task, began, began + 1_000 + i, str(i).encode(), None))
    return Run(abi, calls, open_call)


class Names:
    """Says that every descriptor is another file each time."""

    def __init__(self) -> None:
        self.asked = 0

    def about(self, pid: int, fd: int, memory: object = None) -> Reference | None:
        self.asked += 1
        return Reference(str(self.asked).encode())


def texts(
    run: Run,
    style: Style | None = None,
    lines: LineStyle | None = None,
    options: DecodeOptions | None = None,
    names: Names | None = None,
) -> tuple[str, str]:
    """What is written of a run at once, and call by call."""
    found = []
    for at_once in (True, False):
        sink = Text()
        decoder = Decoder(options, names)
        output = TextOutput(sink, style, lines, wall_offset_ns=1_700_000_000_000_000_000)
        for task in (ONE, OTHER):
            output.handle(TaskNew(task, 0, NewBy.FORKED))
        if at_once:
            output.run(run, decoder)
        else:
            for event in run.events():
                output.handle(event, decoder.handle(event))
        output.close()
        found.append(sink.text)
    return found[0], found[1]


@pytest.mark.parametrize(
    "lines",
    [
        LineStyle(),
        LineStyle(bracket_pid=False),
        LineStyle(pid_prefix=True, duration=6),
        LineStyle(pid_prefix=True, stamp=Stamp.TIME, stamp_digits=6),
        LineStyle(stamp=Stamp.UNIX, stamp_digits=9, relative=6, duration=9),
        LineStyle(ip=True),
        LineStyle(number=True),
        LineStyle(statuses=frozenset((Status.FAILED,))),
    ],
    ids=["plain", "bare", "duration", "time", "many times", "ip", "number", "failed"],
)  # fmt: skip
def test_lines_are_those_of_single_calls(lines: LineStyle) -> None:
    at_once, singly = texts(run_of(), lines=lines)
    assert at_once == singly
    assert 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CREAT, 000) = -1 EACCES' in at_once


@pytest.mark.parametrize(
    "style",
    [
        Style(column=60),
        Style(column=0),
        Style(arg_names=True),
        Style(xlats=Xlats.VERBOSE),
        Style(undecoded=frozenset({"fstat"})),
        Style(abbreviate=False),
    ],
)
def test_values_are_those_of_single_calls(style: Style) -> None:
    at_once, singly = texts(run_of(), style)
    assert at_once == singly


def test_calls_that_are_not_wanted_are_not_written() -> None:
    wanted = {abi: frozenset({0, 3}) for abi in Abi}
    at_once, singly = texts(run_of(), options=DecodeOptions(syscalls=wanted))
    assert at_once == singly
    assert "openat" not in at_once


def test_what_the_target_calls_otherwise_is_decoded_so() -> None:
    at_once, singly = texts(run_of(Abi.X32))
    assert at_once == singly


def test_descriptors_are_asked_about_each_time() -> None:
    names, again = Names(), Names()
    at_once, _ = texts(run_of(), names=names)
    _, singly = texts(run_of(), names=again)
    assert names.asked == again.asked > 0
    assert at_once.count("read(3<") == singly.count("read(3<") == 8


def test_a_call_that_was_written_is_not_decoded_again() -> None:
    opened: list[int] = []
    run = run_of(opened=opened)
    run.calls = [call for call in run.calls if call[0] is ONE and call[3] != b"11"]
    sink, decoder = Text(), Decoder()
    TextOutput(sink, lines=LineStyle(bracket_pid=False)).run(run, decoder)
    assert len(run.calls) == 2 * len(opened)


def test_what_was_filled_in_later_is_written_of_that_call_alone() -> None:
    asked = []

    def open_call(call: WholeCall) -> Parts:
        asked.append(call)
        memory = Patched([(0x3000, b"", False), (0x3000, b"abc"[: len(asked)], True)])
        return 1, (3, 0x3000, 1, 0, 0, 0), 1, 0, memory, NO_MEMORY

    run = Run(Abi.X86_64, [(ONE, 1, 2, b"same", None), (ONE, 3, 4, b"same", None)], open_call)
    texts(run)
    assert len(asked) == 4


def test_a_line_that_is_open_is_cut() -> None:
    run = run_of()
    sink, decoder = Text(), Decoder()
    output = TextOutput(sink)
    enter, leave = Run(run.abi, [(Task(5, 5), 1, 2, b"0", None)], run.open).events()
    output.handle(enter, decoder.handle(enter))
    output.run(run, decoder)
    output.handle(leave, decoder.handle(leave))
    output.close()
    lines = sink.text.splitlines()
    assert lines[0] == 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC <unfinished ...>'
    assert lines[-1] == "<... openat resumed>)                   = 3"
    assert not any("unfinished" in line or "resumed" in line for line in lines[1:-1])


def test_each_task_has_its_own_lines() -> None:
    run, found = run_of(), []
    for at_once in (True, False):
        files: dict[int, Text] = {}

        def file(task: Task, files: dict[int, Text] = files) -> Text:
            return files.setdefault(task.tid, Text())

        decoder, output = Decoder(), TextOutput(file)
        if at_once:
            output.run(run, decoder)
        else:
            for event in run.events():
                output.handle(event, decoder.handle(event))
        output.close()
        found.append({tid: each.text for tid, each in files.items()})
    assert found[0] == found[1]
    assert set(found[0]) == {ONE.tid, OTHER.tid}
