"""Programs that strace 6.1 cannot speak for: what one backend says of them, the other says too."""

from __future__ import annotations

import pytest

from tests.differential.compare import compare
from tests.differential.run import PYTRACER, Program, trace_twice
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("gcc", "setarch"),
    pytest.mark.timeout(180),
]

# Calls that are younger than the installed strace: test_newer_calls.py has strace 7.2's words for
# them. And a tracer: its tracee cannot be strace's as well.
PROGRAMS = ("calls_newer.c", "calls_ptrace.c")


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["x86_64", "i386"])
@pytest.mark.parametrize("source", PROGRAMS)
def test_ebpf_says_what_ptrace_says(source: str, flags: tuple[str, ...]) -> None:
    program = Program((str(build(source, *flags)),))
    backends = [(*PYTRACER, f"--backend={name}") for name in ("ptrace", "ebpf")]
    pair = trace_twice(program, (), first=backends[0], second=backends[1])
    report = compare(*pair, rewrite=False)
    assert report.compared > 30
    if not report:
        pytest.fail(report.text(), pytrace=False)
