"""JSON of real programs: valid by the schema, and saying what the text of the same run says."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

import pytest

from tests.differential.cases import CASES
from tests.differential.run import Program, run, work_directory
from tests.output import accounts
from tests.programs.build import PROGRAMS, build

TOGETHER = Path(__file__).with_name("together.py")
EBPF = pytest.param("ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf])

pytestmark = [
    pytest.mark.needs_program("gcc", "git", "curl", "perl", "sqlite3"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]


def told_twice(program: Program, backend: str, *options: str) -> tuple[str, list[accounts.Json]]:
    """Run a program once; return its text and its objects."""
    with tempfile.TemporaryDirectory(prefix="pytracer-json-") as name:
        base = Path(name)
        log = base / "log"
        words = ("-f", "--backend", backend, *options, "-o", str(log))
        command = [sys.executable, str(TOGETHER), *words, *program.argv]
        with work_directory(base, program) as work:
            _, stderr, _ = run(command, program, work, base)
        assert log.exists(), stderr
        assert "internal error" not in stderr, stderr
        text = log.read_text(errors="surrogateescape")
        return text, accounts.read(log.with_name("log.json").read_text())


def check(program: Program, backend: str, *options: str) -> None:
    text, objects = told_twice(program, backend, *options)
    assert objects[0]["type"] == "start"
    assert objects[0]["backend"] == backend
    accounts.validate(objects)
    assert accounts.compare(text, objects, whole="-v" in options) > 1000


def calls_programs(backend: str) -> Program:
    """Every program that makes the calls of a family, one after the other.

    With ebpf, which is quick, in both ABIs. A tracer's tracee cannot be followed by another one.
    """
    left_out, abis = set(), [(), ("-m32",)]
    if backend == "ptrace":
        left_out, abis = {"calls_ptrace.c"}, [()]
    sources = sorted(path.name for path in PROGRAMS.glob("calls_*.c") if path.name not in left_out)
    built = [build(source, *flags) for source in sources for flags in abis]
    setup = "".join(f"mkdir {path.name};" for path in built)
    script = "".join(f"(cd {path.name}; {path});" for path in built)
    return Program(("sh", "-c", script), setup, timeout_s=200)


def differential_programs() -> Program:
    """All programs of the comparison with strace, one after the other."""
    served = next(case for case in CASES if case.service)
    setup, script = served.setup, ""
    for case in CASES:
        setup += f"mkdir {case.name}; (cd {case.name}; {case.setup or ':'});"
        script += f"(cd {case.name}; {shlex.join(case.program().argv)});"
    return Program(("sh", "-c", script), setup, served.service, timeout_s=200)


@pytest.mark.parametrize("backend", ["ptrace", EBPF])
def test_every_described_call(backend: str) -> None:
    check(calls_programs(backend), backend, "-v", "-N")


@pytest.mark.parametrize("backend", ["ptrace", EBPF])
def test_every_program_of_the_comparison(backend: str) -> None:
    check(differential_programs(), backend, "-yy")
