"""What --backend=auto writes of a launched program into a file, against strace."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.differential.cases import CASES, Case
from tests.differential.compare import compare
from tests.differential.run import PYTRACER, trace_twice

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("strace", "setarch", "gcc"),
]

# Programs whose course does not depend on how much they are slowed down, or on the order of files.
NAMES = ("ls", "cat", "dd", "gzip", "sqlite3", "killed", "plain-static")
_BY_NAME = {case.name: case for case in CASES}


def case_of(name: str) -> object:
    case = _BY_NAME[name]
    marks = [pytest.mark.slow] if case.slow else []
    return pytest.param(case, id=name, marks=[*marks, pytest.mark.needs_program(*case.needs)])


@pytest.mark.parametrize("traced", [case_of(name) for name in NAMES])
def test_says_what_strace_says(traced: Case) -> None:
    options = ["-f"] if traced.follow else []
    pair = trace_twice(traced.program(), options, second=PYTRACER)
    report = compare(*pair, rewrite=True, column=34 if traced.follow else 40)
    if not report:
        pytest.fail(f"{report.text()}\n{pair[1].stderr[-1500:]}", pytrace=False)


@pytest.mark.parametrize(
    ("options", "backend"),
    [(["-o", "log"], "ebpf"), ([], "ptrace"), (["-o", "log", "-v"], "ptrace")],
)
def test_who_does_it(options: list[str], backend: str, tmp_path: Path) -> None:
    command = [*PYTRACER, "-d", *options, "true"]
    said = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert f"the backend is {backend}\n" in said.stderr
