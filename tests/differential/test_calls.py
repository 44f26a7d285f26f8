"""Every call of every family against strace: the programs calls_*.c, under both ABIs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.differential.compare import compare, compare_same_run
from tests.differential.run import Program, trace_together, trace_twice
from tests.programs.build import build

pytestmark = [pytest.mark.needs_program("strace", "setarch", "gcc"), pytest.mark.timeout(180)]

PROGRAMS = sorted(path.name for path in (Path(__file__).parents[1] / "programs").glob("calls_*.c"))
# Children are followed only where it is they who make the calls: a tracee cannot be traced twice.
FOLLOWED = {"calls_process.c"}
# A program that traces its child cannot do so where strace follows it.
TRACERS = {"calls_ptrace.c"}
ABIS = ((), ("-m32",))
STYLES = ((), ("-v",), ("-s", "4"), ("-x",))


def _name(value: object) -> str:
    return "".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("abi", ABIS, ids=("x86_64", "i386"))
@pytest.mark.parametrize("source", PROGRAMS)
@pytest.mark.parametrize(
    "style", [pytest.param(s, marks=pytest.mark.slow if s else ()) for s in STYLES], ids=_name
)
def test_ptrace_says_what_strace_says(
    source: str, style: tuple[str, ...], abi: tuple[str, ...]
) -> None:
    program = Program((str(build(source, *abi)),))
    following = ("-f",) if source in FOLLOWED else ()
    pair = trace_twice(program, (*following, *style))
    report = compare(*pair, rewrite=True, column=34 if following else 40)
    if not report:
        pytest.fail(report.text(), pytrace=False)


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.slow
@pytest.mark.parametrize("abi", ABIS, ids=("x86_64", "i386"))
@pytest.mark.parametrize("source", [name for name in PROGRAMS if name not in TRACERS])
def test_ebpf_says_what_strace_says(source: str, abi: tuple[str, ...]) -> None:
    pair = trace_together(Program((str(build(source, *abi)),)), [])
    report = compare_same_run(*pair, rewrite=True)
    if not report:
        pytest.fail(report.text(), pytrace=False)
