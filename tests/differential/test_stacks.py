"""Stacks (-k) against strace, frame for frame."""

from __future__ import annotations

import pytest

from tests.differential.cases import CASES, Case
from tests.differential.compare import compare
from tests.differential.run import PYTRACER, Trace, trace_once, trace_twice

pytestmark = [pytest.mark.needs_program("strace", "setarch", "gcc"), pytest.mark.timeout(180)]

NAMES = ("ls", "plain", "signals", "python-imports")
# Walking stacks takes strace so long that, on a busy machine, an alarm may come before its wait.
_ATTEMPTS = 4
_SLOW = {"python-imports", "signals"}
_BY_NAME = {case.name: case for case in CASES}


def case_of(name: str) -> object:
    marks = [pytest.mark.slow] if name in _SLOW else []
    return pytest.param(_BY_NAME[name], id=name, marks=marks)


def as_libdw(trace: Trace) -> None:
    """Give a frame without a function the form that it has where it was not kept for later."""
    for stream in trace.streams.values():
        for line in stream.lines:
            if line.text.startswith(" > "):
                line.text = line.text.replace("(+0x0) [", "() [")


@pytest.mark.parametrize("traced", [case_of(name) for name in NAMES])
def test_frames(traced: Case) -> None:
    text = ""
    for _ in range(_ATTEMPTS):
        pair = trace_twice(traced.program(), ["-k", "-ff"])
        as_libdw(pair[0])
        report = compare(*pair, rewrite=True)
        if report:
            return
        text = report.text()
    pytest.fail(text, pytrace=False)


def test_too_many_frames() -> None:
    options = ["-k", "--stack-trace-frame-limit=2", "-e", "trace=exit_group"]
    trace = trace_once(_BY_NAME["plain"].program(), options, (*PYTRACER, "--backend=ptrace"))
    lines = [line.text for line in trace.streams["0"].lines]
    assert lines[-4].startswith("+++ exited with 0") or lines[-4].startswith("exit_group")
    assert lines[-1] == " > too many stack frames"
    assert all(line.startswith(" > /") for line in lines[-3:-1])
