"""Capture plans bring every byte that decoders read: the parity of the backends, as a property."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytracer.backend.capture import capture
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.decode.catalogue import book, describe
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.memory import Snapshot
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit
from pytracer.output.style import Style
from pytracer.output.text.render import Renderer
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.entry import Entry
from pytracer.spec.plan import Phase
from pytracer.target.selection import Launch, Selection
from tests.programs.build import build

STRING_BYTES = 32


def entries() -> list[tuple[Entry, int]]:
    """Every description for every ABI it holds for."""
    return [(entry, abi) for (_, abi), entry in sorted(book().entries.items(), key=lambda e: e[0])]


@pytest.mark.parametrize(
    ("entry", "abi"), entries(), ids=lambda v: v.name if isinstance(v, Entry) else LAYOUTS[v].name
)
def test_entry_compiles_and_plans(entry: Entry, abi: int) -> None:
    layout = LAYOUTS[abi]
    compiled = entry.compile(layout)
    assert [step[0] for step in compiled.steps] == list(entry.order)
    selector = entry.selector(layout)
    selected: list[int | None] = [None, *(selector.values if selector else ())]
    for value in selected:
        for fetch in entry.fetches(layout, STRING_BYTES, False, value):
            assert 0 < fetch.limit <= 65536


def plan_of(event: SyscallEnter, whole: bool) -> tuple[object, ...]:
    layout = LAYOUTS[event.abi]
    entry = describe(event.abi, event.nr)
    selector = entry.selector(layout)
    value = None
    if selector is not None:
        chosen = event.args[selector.register] & selector.mask
        value = chosen if chosen in selector.values else None
    return entry.fetches(layout, STRING_BYTES, whole, value)


class Both:
    """Decodes each event twice: from live memory, and from what the plan would have captured."""

    def __init__(self, whole: bool = False) -> None:
        options = DecodeOptions(STRING_BYTES, whole)
        self.whole = whole
        self.live = Decoder(options)
        self.planned = Decoder(options)
        self.renderer = Renderer(Style(abbreviate=not whole))
        self.pending: dict[int, tuple[SyscallEnter, tuple[object, ...]]] = {}
        self.differences: list[tuple[str, str, str]] = []
        self.calls = 0

    def entered(self, event: SyscallEnter) -> None:
        word = LAYOUTS[event.abi].word
        plan = plan_of(event, self.whole)
        regions = capture(plan, Phase.ENTRY, event.args, 0, event.memory, word)  # type: ignore[arg-type]
        snapshot = Snapshot(regions)
        self.live.entered(event)
        self.planned.entered(
            SyscallEnter(event.task, event.time_ns, event.abi, event.nr, event.args, snapshot)
        )
        self.pending[event.task.tid] = event, plan

    def exited(self, event: SyscallExit) -> None:
        enter, plan = self.pending.pop(event.task.tid)
        word = LAYOUTS[enter.abi].word
        regions = capture(plan, Phase.EXIT, enter.args, event.ret, event.memory, word)  # type: ignore[arg-type]
        one = self.live.exited(event)
        two = self.planned.exited(
            SyscallExit(event.task, event.time_ns, event.ret, Snapshot(regions))
        )
        assert one is not None and two is not None
        self.calls += 1
        left, right = (
            ", ".join(self.renderer.write(value) for _, value in call.values) for call in (one, two)
        )
        if left != right:
            self.differences.append((one.name, left, right))


PROGRAMS = {
    "ls": ["/bin/ls", "-la", "/usr"],
    "bash": ["/bin/bash", "-c", "echo one | cat; (exit 3); sleep 0.01 & wait"],
    "python": [sys.executable, "-c", "import json, socket, subprocess, threading"],
}


def run_both(argv: list[str], follow: bool = True, whole: bool = False) -> Both:
    """Run a program under ptrace and decode all that it does twice."""
    launch = Launch(
        argv[0].encode(), tuple(a.encode() for a in argv), (b"PATH=/usr/bin:/bin", b"LANG=C")
    )
    backend = PtraceBackend(launch, Selection(follow=follow))
    both = Both(whole)
    try:
        for event in backend.events():
            match event:
                case SyscallEnter():
                    both.entered(event)
                case SyscallExit() if event.task.tid in both.pending:
                    both.exited(event)
    finally:
        backend.close()
    assert both.calls > 20
    return both


@pytest.mark.needs_root
@pytest.mark.parametrize("argv", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_live_decoding_reads_only_what_the_plan_captures(argv: list[str]) -> None:
    assert run_both(argv).differences == []


# Every call of every family, with success and without.
SOURCES = sorted(path.name for path in (Path(__file__).parents[1] / "programs").glob("calls_*.c"))
# It traces its child itself, and nobody else can do so at the same time.
ALONE = {"calls_ptrace.c"}


@pytest.mark.needs_root
@pytest.mark.needs_program("gcc")
@pytest.mark.parametrize("whole", [False, True], ids=["brief", "whole"])
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["x86_64", "i386"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_call_reads_only_what_the_plan_captures(
    source: str,
    flags: tuple[str, ...],
    whole: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = str(build(source, *flags))
    monkeypatch.chdir(tmp_path)
    both = run_both([program], source not in ALONE, whole)
    # Nothing is captured beyond CAPTURE_LIMIT: a whole array that is longer ends there.
    differences = [d for d in both.differences if not whole or "... /* 0x" not in d[2]]
    assert differences == []


def test_every_abi_has_an_entry_for_what_programs_start_with() -> None:
    for abi in Abi:
        for name in ("openat", "read", "write", "close"):
            assert (name, int(abi)) in book().entries
