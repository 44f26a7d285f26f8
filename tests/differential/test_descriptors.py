"""What descriptors refer to, as the ebpf backend saw it, against strace on the same run."""

from __future__ import annotations

import pytest

from tests.differential.compare import compare_same_run
from tests.differential.run import CHECKOUT, Program, trace_together
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("strace"),
]

SCENES = ("files", "copies", "pipes", "inherited", "sockets", "passed", "shared")
SCRIPT = str(CHECKOUT / "tests" / "programs" / "descriptors.py")
CALLS = tuple(
    f"calls_{family}.c" for family in ("events", "fcntl", "files", "machines", "poll", "process")
)


def check(program: Program, *options: str) -> None:
    pair = trace_together(program, options)
    report = compare_same_run(*pair, rewrite=True)
    if not report:
        pytest.fail(f"{report.text()}\n{pair[1].stderr[-1500:]}", pytrace=False)


@pytest.mark.parametrize(
    ("scenes", "option"),
    [
        pytest.param(SCENES, "-yy", id="everything"),
        *(pytest.param((scene,), "-y", id=scene, marks=pytest.mark.slow) for scene in SCENES),
    ],
)
def test_every_kind(scenes: tuple[str, ...], option: str) -> None:
    check(Program(("/usr/bin/python3", "-E", "-S", SCRIPT, *scenes)), option)


@pytest.mark.slow
@pytest.mark.needs_program("gcc")
@pytest.mark.parametrize("flags", [(), ("-m32",)], ids=["x86_64", "i386"])
@pytest.mark.parametrize("source", CALLS)
def test_every_call(source: str, flags: tuple[str, ...]) -> None:
    check(Program((str(build(source, *flags)),)), "-yy")


@pytest.mark.slow
@pytest.mark.needs_program("gcc")
@pytest.mark.parametrize("source", ["calls_process.c", "calls_signals.c"])
def test_names_of_processes(source: str) -> None:
    check(Program((str(build(source)),)), "-Y", "-yy")


@pytest.mark.slow
def test_names_of_children() -> None:
    check(Program(("sh", "-c", "sleep 0.1 & wait; (exec true); ls | cat; kill -0 $$")), "-Y")


@pytest.mark.slow
def test_a_filter_by_path() -> None:
    shell = "echo one > one; cat one two; cd /; cat one; ls /usr | cat"
    program = Program(("sh", "-c", shell), setup="echo two > two")
    check(program, "-P", "two", "-P", "/usr")
    check(program, "-P", "two", "-P", "/usr", "-y")
